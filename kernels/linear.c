/* linear: linear layers of the CPU tables: checks that all kinds share, then the kind's own function. */
#include "cpu.h"

void sjk_linear_free(struct sjk *k, struct sjk_linear *l)
{
    if (l)
        l->kind->free(k, l);
}

static int empty(const struct sjk_linear *l, int64_t M)
{
    return M <= 0 || l->N <= 0 || l->K <= 0;
}

int sjk_linear_pack(struct sjk *k, struct sjk_linear *l, const float *W, int which)
{
    int status = empty(l, 1) ? 0 : l->kind->pack(k, l, W, which);
    l->packed |= status ? 0 : which;
    return status;
}

int sjk_linear_forward(struct sjk *k, struct sjk_linear *l, int64_t M, const void *x, const float *bias, void *y,
                       enum sjk_type yt, enum sjk_epilogue e)
{
    if (empty(l, M))
        return 0;
    if (!(l->packed & SJK_PACK_FORWARD))
        return sjk_fail(k, SJK_BAD, "linear layer is not packed for the forward direction");
    if (e == SJK_ADD && yt != SJK_F32)
        return sjk_fail(k, SJK_BAD, "a linear layer adds to f32 only");
    return l->kind->forward(k, l, M, x, bias, y, yt, e);
}

int sjk_linear_backward_x(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, void *dx, enum sjk_type dxt)
{
    if (empty(l, M))
        return 0;
    if (!(l->packed & SJK_PACK_BACKWARD))
        return sjk_fail(k, SJK_BAD, "linear layer is not packed for the backward direction");
    return l->kind->backward_x(k, l, M, dy, dx, dxt);
}

int sjk_linear_backward_w(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, const void *x, float *dW)
{
    return empty(l, M) ? 0 : l->kind->backward_w(k, l, M, dy, x, dW);
}
