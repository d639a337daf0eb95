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

int sjk_layer_pack(struct sjk *k, const struct sjk_parameters *s, const struct sjk_layer *l)
{
    int status = sjk_linear_pack(k, l->linear, s->p + l->at, SJK_PACK_FORWARD | SJK_PACK_BACKWARD);
    return status || !l->average ? status : sjk_linear_pack(k, l->average, s->ema + l->at, SJK_PACK_FORWARD);
}

static int check_forward(struct sjk *k, const struct sjk_linear *l)
{
    return l->packed & SJK_PACK_FORWARD ? 0
                                        : sjk_fail(k, SJK_BAD, "linear layer is not packed for the forward direction");
}

int sjk_linear_forward(struct sjk *k, struct sjk_linear *l, int64_t M, const void *x, const float *bias,
                       const float *added, void *y, enum sjk_type yt, enum sjk_epilogue e)
{
    if (empty(l, M))
        return 0;
    int status = check_forward(k, l);
    if (status)
        return status;
    if (e == SJK_ADD && (yt != SJK_F32 || !added))
        return sjk_fail(k, SJK_BAD, "a linear layer adds f32 to f32 only");
    return l->kind->forward(k, l, M, x, bias, e == SJK_ADD ? added : NULL, y, yt, e);
}

int sjk_linear_forward_gelu(struct sjk *k, struct sjk_linear *l, int64_t M, const void *x, const float *bias,
                            void *before, void *y)
{
    if (empty(l, M))
        return 0;
    int status = check_forward(k, l);
    if (status)
        return status;
    if (l->kind->forward_gelu)
        return l->kind->forward_gelu(k, l, M, x, bias, before, y);
    status = l->kind->forward(k, l, M, x, bias, NULL, before, l->t, SJK_STORE);
    return status ? status : k->ops->gelu(k, M, l->N, l->t, before, y);
}

int sjk_linear_backward_gelu(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, const void *before,
                             void *dx, float *dbias)
{
    if (l->kind->backward_gelu && !empty(l, M) && l->packed & SJK_PACK_BACKWARD)
        return l->kind->backward_gelu(k, l, M, dy, before, dx, dbias);
    int status = sjk_linear_backward_x(k, l, M, dy, dx, l->t);
    return status ? status : k->ops->gelu_backward(k, empty(l, M) ? 0 : M, l->K, l->t, before, dx, dbias);
}

int sjk_linear_backward_x(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, void *dx, enum sjk_type dxt)
{
    if (empty(l, M))
        return 0;
    if (!(l->packed & SJK_PACK_BACKWARD))
        return sjk_fail(k, SJK_BAD, "linear layer is not packed for the backward direction");
    return l->kind->backward_x(k, l, M, dy, dx, dxt);
}

int sjk_linear_backward_w(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, const void *x, float *dW,
                          int add)
{
    if (!empty(l, M))
        return l->kind->backward_w(k, l, M, dy, x, dW, add);
    return empty(l, 1) || add ? 0 : k->ops->zero(k, dW, (size_t)(l->N * l->K) * sizeof *dW);
}
