#include "unchunk.h"

#include <stdio.h>
#include <string.h>

int sj_unchunk_open(const struct sj_head *head, struct sj_unchunk *u)
{
    *u = (struct sj_unchunk){.pairs = head->rank == 2 && !strcmp(head->dim[0], "pair")};
    int status = sj_head_int(head, "sample_rate_hz", &u->rate_hz);
    if (!status)
        status = sj_head_int(head, "hop_samples", &u->hop);
    if (!status)
        status = sj_head_int(head, "window_samples", &u->window);
    if (!status)
        status = sj_head_int(head, "halo_samples", &u->halo);
    if (!status && (u->hop < 1 || u->halo < 0 || u->window < u->halo))
        status = sj_fail(SJ_INPUT, "hop, window and halo of the head make no sense");
    return status;
}

int sj_unchunk_put(struct sj_unchunk *u, const struct sj_record *r, int *begins, int64_t *n)
{
    const int64_t samples = r->dims[r->rank - 1], frames = (samples - u->window) / u->hop + 1;
    if (samples < u->window || (samples - u->window) % u->hop || (u->pairs && r->dims[0] != 2))
        return sj_fail(SJ_INPUT, "'%s': %lld samples are not a whole number of frames", r->key, (long long)samples);
    *begins = !(u->open && !strcmp(u->key, r->key) && u->role == r->role && u->class == r->class);
    if (*begins) {
        snprintf(u->key, sizeof u->key, "%s", r->key);
        u->role = r->role;
        u->class = r->class;
        u->next = r->position;
    }
    if (!u->pairs && r->position != u->next)
        return sj_fail(SJ_INPUT, "'%s': the chunk at frame %lld came where frame %lld is due", r->key,
                       (long long)r->position, (long long)u->next);
    *n = (frames - (r->last && !u->pairs)) * u->hop;
    if (u->halo + *n > samples)
        return sj_fail(SJ_INPUT, "'%s': %lld samples are too few", r->key, (long long)samples);
    u->next += frames;
    u->open = !r->last && !u->pairs;
    return SJ_OK;
}
