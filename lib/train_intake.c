#include "train_intake.h"

#include <stdlib.h>

#include "sjk.h"
#include "spectra.h"

struct sj_intake {
    struct sjk *k;
    struct sj_feed *feed;
    struct sjk_inbox *inbox;
    struct sj_spectra *spectra; /* NULL: the feed brings spectrograms */
    int64_t B, bands, T;
    const float *data; /* of the batch at hand: context (B, values), target (Q, B, values) */
};

static int fail(const struct sj_intake *in, int status)
{
    return status ? sj_fail(status, "%s", sjk_reason(in->k)) : SJ_OK;
}

int sj_intake_new(struct sjk *k, struct sj_feed *f, const struct sj_mel_settings *mel, int64_t B, int64_t T,
                  struct sj_intake **out)
{
    struct sj_intake *in = calloc(1, sizeof *in);
    if (!in)
        return sj_fail(SJ_SYSTEM, "no memory for a batch");
    *in = (struct sj_intake){.k = k, .feed = f, .B = B, .bands = mel->bands, .T = T};
    int status = sj_feed_samples(f) ? sj_spectra_new(k, mel, &in->spectra) : SJ_OK;
    if (!status)
        status = fail(in, k->ops->inbox_new(k, sj_feed_bytes(f), &in->inbox));
    if (status)
        sj_intake_free(in);
    else
        *out = in;
    return status;
}

void sj_intake_free(struct sj_intake *in)
{
    if (!in)
        return;
    sj_feed_stop(in->feed);
    in->k->ops->inbox_free(in->k, in->inbox);
    sj_spectra_free(in->spectra);
    free(in);
}

int sj_intake_read(struct sj_intake *in)
{
    void *memory = in->k->ops->inbox_host(in->k, in->inbox);
    if (!memory)
        return sj_fail(SJ_DEVICE, "%s", sjk_reason(in->k));
    sj_feed_start(in->feed, memory);
    return SJ_OK;
}

int sj_intake_send(struct sj_intake *in, struct sj_batch *batch)
{
    int status = sj_feed_wait(in->feed, batch);
    return status ? status : fail(in, in->k->ops->inbox_send(in->k, in->inbox));
}

int sj_intake_take(struct sj_intake *in)
{
    const void *data = NULL;
    int e = in->k->ops->inbox_take(in->k, in->inbox, &data);
    in->data = data;
    return fail(in, e);
}

int sj_intake_mel(struct sj_intake *in, int64_t first, int64_t count, float *context, float *target)
{
    const int64_t values = sj_feed_values(in->feed), samples = sj_feed_samples(in->feed);
    const int64_t size = count * (in->spectra ? in->bands * in->T : values);
    int status = SJ_OK;
    for (int side = 0; side <= sj_feed_targets(in->feed) && !status; side++) {
        const float *from = in->data + (side * in->B + first) * values;
        float *to = side ? target + (side - 1) * size : context;
        if (in->spectra)
            status = sj_spectra_run(in->spectra, count, samples, from, 0, 0, in->T, to);
        else
            status = fail(in, in->k->ops->copy(in->k, to, from, (size_t)(count * values) * sizeof *from));
    }
    return status;
}
