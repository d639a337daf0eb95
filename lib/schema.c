/* The schemas as a table. */
#include "schema.h"

#include <string.h>

enum { FORMS = 3, PARAMS = 16, PATCH = 16 };

static const struct {
    const char *kind;
    const char *dims[FORMS + 1];    /* the forms a record may have */
    const char *param[PARAMS + 1];  /* required numbers */
} schemas[] = {
    {"wave/1",
     {"sample", "pair,sample"},
     {"sample_rate_hz", "hop_samples", "window_samples", "halo_samples", "chunk_frames"}},
    {"mel/1",
     {"mel,frame", "pair,mel,frame"},
     {"sample_rate_hz", "hop_samples", "mel_sample_rate_hz", "mel_fft_samples", "mel_hop_samples", "mel_bands",
      "mel_low_hz",
      "mel_high_hz", "mel_floor", "mel_mean", "mel_std"}},
    {"embed/1", {"frequency,time,dim", "time,vector", "vector"}, {NULL}},
};

/* Whether the head's dims are "a,b,c". */
static int has_dims(const struct sj_head *head, const char *dims)
{
    for (int i = 0; i < head->rank; i++) {
        size_t n = strcspn(dims, ",");
        if (strlen(head->dim[i]) != n || strncmp(head->dim[i], dims, n))
            return 0;
        dims += n + (dims[n] == ',');
    }
    return !*dims;
}

int sj_schema_check(const struct sj_head *head)
{
    size_t k = 0, n = sizeof schemas / sizeof *schemas;
    while (k < n && strcmp(schemas[k].kind, head->kind))
        k++;
    if (k == n)
        return sj_fail(SJ_INPUT, "'%s' is no known kind: wave/1, mel/1, embed/1", head->kind);
    int known = 0;
    for (int i = 0; schemas[k].dims[i]; i++)
        known |= has_dims(head, schemas[k].dims[i]);
    if (!known)
        return sj_fail(SJ_INPUT, "its dimensions are none that '%s' has", head->kind);
    for (int i = 0; schemas[k].param[i]; i++) {
        double value;
        int status = sj_head_real(head, schemas[k].param[i], &value);
        if (status)
            return status;
    }
    return SJ_OK;
}

/* The least that a number among the parameters must be is 1. */
static int positive(const struct sj_head *head, const char *param, int64_t *value)
{
    int status = sj_head_int(head, param, value);
    return status || *value > 0 ? status : sj_fail(SJ_INPUT, "'%s' is %lld", param, (long long)*value);
}

int sj_schema_check_record(const struct sj_head *head, const struct sj_record *r)
{
    int64_t hop, window, bands, last = r->rank ? r->dims[r->rank - 1] : 1;
    int status = SJ_OK;
    if (!strcmp(head->dim[0], "pair") && r->dims[0] != 2)
        return sj_fail(SJ_INPUT, "a pair of %lld", (long long)r->dims[0]);
    if (!strcmp(head->kind, "wave/1")) {
        if (!(status = positive(head, "hop_samples", &hop)))
            status = positive(head, "window_samples", &window);
        if (!status && (last < window || (last - window) % hop))
            status = sj_fail(SJ_INPUT, "%lld samples are not a whole number of frames", (long long)last);
    } else if (!strcmp(head->kind, "mel/1")) {
        status = positive(head, "mel_bands", &bands);
        if (!status && (r->dims[r->rank - 2] != bands || last % PATCH))
            status = sj_fail(SJ_INPUT, "%lld bands by %lld frames", (long long)r->dims[r->rank - 2], (long long)last);
    }
    return status;
}
