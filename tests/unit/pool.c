/* Pooling and windows: what comes out for chunks of different lengths, and which orders of chunks are refused. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool.h"
#include "window.h"
#include "../tap.h"

enum { F = 5, D = 3 };

static struct sj_record chunk(const char *key, uint32_t part, int last)
{
    return (struct sj_record){.key = key, .role = SJ_ROLE_STEM, .class = SJ_CLASS_NONE, .part = part, .last = last,
                              .position = 800 * (int64_t)part};
}

static void fill(float *z, int64_t P, float base)
{
    for (int64_t i = 0; i < F * P * D; i++)
        z[i] = base + (float)(i % 17) * 0.25f;
}

/* What is compared of tracks that begin together, out of the two chunks' frames, by the definition. */
static int is_aligned(const struct sj_record *r, float z[2][F * 4 * D])
{
    enum { P = 6, V = F * D };
    double x[P][V], mean[V] = {0}, whole = 0, a = 0, b = 0, worst = 0;
    if (r->rank != 1 || r->dims[0] != (1 + P) * V)
        return 0;
    for (int t = 0; t < P; t++)
        for (int i = 0; i < V; i++) {
            x[t][i] = t < 4 ? z[0][(i / D * 4 + t) * D + i % D] : z[1][(i / D * 2 + t - 4) * D + i % D];
            mean[i] += x[t][i] / P;
            whole += x[t][i] / (P * V);
        }
    for (int i = 0; i < V; i++) {
        a += (mean[i] - whole) * (mean[i] - whole);
        for (int t = 0; t < P; t++)
            b += (x[t][i] - mean[i]) * (x[t][i] - mean[i]);
    }
    for (int i = 0; i < V; i++) {
        worst = fmax(worst, fabs(((const float *)r->data)[i] - (mean[i] - whole) / sqrt(a)));
        for (int t = 0; t < P; t++)
            worst = fmax(worst, fabs(((const float *)r->data)[(1 + t) * V + i] - (x[t][i] - mean[i]) / sqrt(b)));
    }
    return worst < 1e-6;
}

/* Runs two chunks (P = 4, then 2) through a pooler into a file and reads the file back. */
static void pooled(enum sj_pool mode, const char *path)
{
    static float z[2][F * 4 * D];
    struct sj_pooler *p;
    struct sj_head *head;
    struct sj_output *out;
    struct sj_reader *in;
    const struct sj_record *r;
    fill(z[0], 4, 1);
    fill(z[1], 2, -2);
    struct sj_record a = chunk("t/bass", 0, 0), b = chunk("t/bass", 1, 1);
    is_int(sj_pooler_new(mode, F, D, &p) | sj_head_new("embed/1", sj_pool_dims(mode), SJ_F32, &head), 0, sj_pool_names[mode]);
    is_int(sj_output_open(path, head, &out), 0, "opens");
    is_int(sj_pooler_put(p, &a, 4, z[0], out) | sj_pooler_put(p, &b, 2, z[1], out) | sj_pooler_end(p), 0, "takes both chunks");
    is_int(sj_output_end(out), 0, "ends");
    is_int(sj_reader_open(1, &path, &in), 0, "reads back");
    int n = 0, good = 1;
    for (; !sj_reader_next(in, &r) && r; n++) {
        const float *x = r->data;
        int64_t P = n ? 2 : 4;
        if (mode == SJ_POOL_TOKEN)
            good &= r->rank == 3 && r->dims[1] == P && !memcmp(x, z[n], r->bytes);
        else if (mode == SJ_POOL_FRAME)
            good &= r->rank == 2 && r->dims[0] == P && x[(1 * F + 2) * D + 1] == z[n][(2 * P + 1) * D + 1];
        else if (mode == SJ_POOL_ALIGNED)
            good &= is_aligned(r, z);
        else
            for (int f = 0; f < F; f++) {
                double sum = 0;
                for (int64_t t = 0; t < 4; t++)
                    sum += (double)z[0][(f * 4 + t) * D] + (t < 2 ? (double)z[1][(f * 2 + t) * D] : 0);
                good &= fabs((double)x[f * D] - sum / 6) < 1e-6;
            }
    }
    is_int(n, mode == SJ_POOL_TRACK || mode == SJ_POOL_ALIGNED ? 1 : 2, "records");
    ok(good, "values");
    sj_reader_close(in);
    sj_head_free(head);
    sj_pooler_free(p);
}

static void refused(const char *key, uint32_t part, const char *why)
{
    static float z[F * 4 * D];
    struct sj_pooler *p;
    struct sj_record first = chunk("t/bass", 0, 0), second = chunk(key, part, 1);
    sj_pooler_new(SJ_POOL_TRACK, F, D, &p);
    sj_pooler_put(p, &first, 4, z, NULL);
    is_int(sj_pooler_put(p, &second, 4, z, NULL), SJ_INPUT, why);
    is_int(sj_pooler_end(p), SJ_INPUT, "an unfinished track is noticed");
    sj_pooler_free(p);
}

static void windows(void)
{
    struct sj_window *w;
    float x[6] = {1, 2, 3, 4, 5, 6};
    unsigned char taken[3] = {0};
    int64_t index[3];
    sj_window_new(3, 6, &w);
    for (int i = 0; i < 3; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        struct sj_record r = {.key = key, .rank = 1, .dims = {i == 1 ? 2 : 6}, .data = x, .bytes = i == 1 ? 8 : 24};
        sj_window_add(w, &r);
    }
    ok(sj_window_full(w) && sj_window_count(w) == 3, "a window fills");
    is_text(sj_window_at(w, 2)->key, "k2", "keys are copied");
    is_int(sj_window_alike(w, 0, 3, taken, index), 2, "equal lengths come together");
    ok(index[0] == 0 && index[1] == 2, "in order");
    is_int(sj_window_alike(w, 0, 3, taken, index), 1, "then the others");
    is_int(sj_window_alike(w, 0, 3, taken, index), 0, "then none");
    sj_window_clear(w);
    struct sj_record big = {.key = "big", .rank = 1, .dims = {7}, .data = x, .bytes = 28};
    is_int(sj_window_add(w, &big), SJ_INPUT, "a record that does not fit is refused");
    sj_window_free(w);
}

int main(void)
{
    char path[] = "/tmp/sj-pool-XXXXXX";
    int fd = mkstemp(path);
    close(fd);
    for (int mode = 0; sj_pool_names[mode]; mode++)
        pooled((enum sj_pool)mode, path);
    unlink(path);
    refused("t/drums", 1, "another key inside a track");
    refused("t/bass", 2, "a missing chunk");
    windows();
    return done();
}
