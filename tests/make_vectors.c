/* make_vectors FILE.h5 WIDTH NAME...: vectors of classes for the tests of --condition: those of a name are always the
 * same. NAME=OTHER gives NAME the vector of OTHER, three times as long; NAME=0 one of zeros. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "h5.h"
#include "rng.h"

static void fill(const char *name, float by, int64_t width, float *v)
{
    struct sj_rng r = sj_rng(9, sj_crc32c(0, name, strlen(name)));
    sj_rng_normal(&r, v, (size_t)width);
    for (int64_t d = 0; d < width; d++)
        v[d] *= strcmp(name, "0") ? by : 0;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return fputs("make_vectors FILE.h5 WIDTH NAME...\n", stderr), SJ_USAGE;
    const int64_t width = strtol(argv[2], NULL, 10), dims[] = {argc - 3, width};
    float *v = calloc((size_t)(dims[0] * width), sizeof *v);
    struct sj_h5 *h;
    int status = v ? sj_h5_create(argv[1], &h) : sj_fail(SJ_SYSTEM, "no memory");
    for (int i = 3; !status && i < argc; i++) {
        char *other = strchr(argv[i], '=');
        if (other)
            *other++ = 0;
        fill(other ? other : argv[i], other ? 3 : 1, width, v + (i - 3) * width);
    }
    if (!status)
        status = sj_h5_write(h, "/vector", SJ_H5_F32, 2, dims, v);
    if (!status)
        status = sj_h5_write_text(h, "/class", dims[0], (const char *const *)argv + 3);
    if (!status)
        status = sj_h5_commit(h);
    free(v);
    if (status)
        fprintf(stderr, "make_vectors: %s\n", sj_reason());
    return status;
}
