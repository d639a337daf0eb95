/* sums: the end of a sum over rows: the blocks' sums, in order. */
#ifndef SJK_SUMS_H
#define SJK_SUMS_H

#include "vec.h"

/* Columns of a block's row of sums: whole vectors. */
SJK_INLINE int64_t sums_width(int64_t n)
{
    return (n + VW - 1) / VW * VW;
}

/* total (n) += part[0], part[ld], ... part[(blocks - 1) ld]. */
SJK_INLINE void sums_add(const struct sjk *k, int64_t blocks, int64_t n, int64_t ld, const float *part, float *total)
{
#pragma omp parallel for num_threads(sjk_team(k, blocks *n))
    for (int64_t j = 0; j < n; j += VW) {
        vf s = vf_all(0);
        for (int64_t b = 0; b < blocks; b++)
            s += vf_load(part + b * ld + j);
        vf_put(total, SJK_F32, j, n - j, vf_get(total, SJK_F32, j, n - j) + s);
    }
}

#endif
