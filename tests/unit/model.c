/* Models: layout, start values, files that round-trip, files that are refused by name. */
#include "model.h"

#include <stdlib.h>
#include <unistd.h>

#include "h5.h"
#include "tests/folder.h"
#include "tests/tap.h"

static struct sj_config small(enum sj_predictor p)
{
    struct sj_config c = sj_config_defaults();
    c.dim = 48;
    c.depth = 2;
    c.heads = 3;
    c.hidden = 64;
    c.trf_dim = 32;
    c.trf_depth = 2;
    c.trf_heads = 4;
    c.predictor = p;
    return c;
}

static const struct sj_tensor *tensor(const struct sj_model *m, const char *name)
{
    int i = sj_tensor_find(&m->layout, name);
    return i < 0 ? NULL : &m->layout.tensor[i];
}

static void configurations(void)
{
    struct sj_config c = sj_config_defaults(), d;
    ok(!sj_config_check(&c) && c.dim == 768 && c.depth == 12 && c.heads == 12, "the default is ViT-Base");
    sj_config_size(&c, 0);
    ok(!sj_config_check(&c) && c.dim == 192 && c.heads == 3, "tiny");
    c.mel.mean = -8.25;
    sj_json *j = sj_config_to_json(&c);
    ok(!sj_config_from_json(j, &d) && !memcmp(&c, &d, sizeof c), "JSON and back");
    sj_json_set(j, "heads", sj_json_int(5));
    ok(sj_config_from_json(j, &d) == SJ_INPUT && strstr(sj_reason(), "heads"), "bad JSON: %s", sj_reason());
    sj_json_free(j);
    c.heads = 5;
    ok(sj_config_check(&c) == SJ_USAGE && strstr(sj_reason(), "dim"), "dim no multiple of heads: %s", sj_reason());
    c = small(SJ_PREDICTOR_MLP);
    c.depth = 0;
    ok(sj_config_check(&c) == SJ_USAGE && strstr(sj_reason(), "depth"), "no blocks: %s", sj_reason());
    c = small(SJ_PREDICTOR_MLP);
    c.mel.std = NAN;
    ok(sj_config_check(&c) == SJ_USAGE && strstr(sj_reason(), "mel_std"), "NaN: %s", sj_reason());
    is_int(sj_config_class(&c, "other"), 2, "a class by name");
    is_int(sj_config_class(&c, "flute"), SJ_CLASS_NONE, "no such class");
    const char *other[] = {"bass", "drums", "other", "violin"};
    ok(sj_model_want_classes(&c, "m.h5", 4, other, "d.h5") == SJ_INPUT && strstr(sj_reason(), "violin") &&
           strstr(sj_reason(), "vocals") && strstr(sj_reason(), "m.h5") && strstr(sj_reason(), "d.h5"),
       "other classes: %s", sj_reason());
    other[3] = "vocals";
    is_int(sj_model_want_classes(&c, "m.h5", 4, other, "d.h5"), SJ_OK, "the same classes");
}

/* Rotary positions and vectors of classes: nothing of them in files and ids of models without. */
static void optional(void)
{
    struct sj_config c = small(SJ_PREDICTOR_MLP), d;
    struct sj_model *m;
    sj_json *j = sj_config_to_json(&c);
    ok(!sj_json_get(j, "rotary") && !sj_json_get(j, "condition"), "a model without says nothing of them");
    sj_json_free(j);
    c.rotary = 1;
    c.condition = 5;
    j = sj_config_to_json(&c);
    ok(!sj_config_from_json(j, &d) && d.rotary == 1 && d.condition == 5, "one with them does");
    sj_json_free(j);
    c.condition = 3000;
    if (!ok(!sj_model_new(&c, 1, &m), "vectors of 3000 values"))
        return;
    const struct sj_tensor *map = tensor(m, "predictor/source_map.weight");
    const struct sj_tensor *last = &m->layout.tensor[m->layout.tensors - 1];
    double square = 0;
    for (size_t i = 0; i < map->count; i++)
        square += m->weights[map->offset + i] * m->weights[map->offset + i];
    is_near(square / 48, 1, 0.02, "make values of size 1");
    ok(!strcmp(last->name, "predictor/source_vector") && last->offset == m->layout.trained && last->dims[0] == 4 &&
           last->dims[1] == 3000 && !tensor(m, "predictor/source_embed.weight"),
       "the vectors come last, behind what is trained");
    sj_model_free(m);
    c.predictor = SJ_PREDICTOR_MLP_NONE;
    ok(sj_config_check(&c) == SJ_USAGE && strstr(sj_reason(), "condition"), "mlp_none: %s", sj_reason());
    c = small(SJ_PREDICTOR_TRANSFORMER);
    c.rotary = 1;
    ok(!sj_config_check(&c), "heads of 16 and 8 values turn");
    c.trf_heads = 16;
    ok(sj_config_check(&c) == SJ_USAGE && strstr(sj_reason(), "rotary"), "heads of 2: %s", sj_reason());
}

static void layouts(void)
{
    struct sj_config c = sj_config_defaults();
    struct sj_layout l;
    ok(!sj_layout_new(&c, &l), "layout of ViT-Base");
    size_t encoder = 0, predictor = 0;
    int aligned = 1;
    for (int i = 0; i < l.tensors; i++) {
        const struct sj_tensor *t = &l.tensor[i];
        *(i < l.encoder_tensors ? &encoder : &predictor) += t->count;
        aligned &= t->offset % 16 == 0 && (i == 0 || t->offset >= t[-1].offset + t[-1].count);
    }
    is_int((long long)encoder, 768 * 257 + 12 * (12 * 768 * 768 + 13 * 768) + 2 * 768, "weights of the encoder");
    is_int((long long)predictor, 4 * 768 + 1537 * 1024 + 4 * 1025 * 1024 + 1025 * 768 + 2 * 768, "weights of the predictor");
    ok(aligned && l.encoder < l.total, "aligned, in order");
    sj_layout_free(&l);
}

static void starts(void)
{
    struct sj_config c = small(SJ_PREDICTOR_MLP);
    struct sj_model *a, *b, *d;
    ok(!sj_model_new(&c, 1, &a) && !sj_model_new(&c, 1, &b) && !sj_model_new(&c, 2, &d), "new models");
    ok(!memcmp(a->weights, b->weights, a->layout.total * sizeof(float)) && !strcmp(a->id, b->id), "same seed, same weights");
    ok(strcmp(a->id, d->id), "another seed, another id");
    ok(!memcmp(a->weights, a->target, a->layout.encoder * sizeof(float)), "the target equals the encoder");
    const struct sj_tensor *t = tensor(a, "encoder/blocks.1.attn.qkv.weight");
    double bound = sqrt(6.0 / (4 * 48)), square = 0, most = 0;
    for (size_t i = 0; i < t->count; i++) {
        double w = a->weights[t->offset + i];
        square += w * w / (double)t->count;
        most = fmax(most, fabs(w));
    }
    ok(most <= bound && most > 0.99 * bound, "Xavier bound");
    is_near(square, bound * bound / 3, 0.03 * bound * bound, "uniform variance");
    t = tensor(a, "encoder/blocks.0.attn.qkv.bias");
    ok(a->weights[t->offset] == 0 && a->weights[t->offset + 100] == 0, "zero biases");
    t = tensor(a, "encoder/patch_embed.proj.bias");
    ok(a->weights[t->offset] != 0 && fabsf(a->weights[t->offset]) <= 1 / 16.0f, "but not of the patches");
    t = tensor(a, "predictor/norm.weight");
    ok(a->weights[t->offset] == 1, "norms start at 1");
    float before = a->weights[0];
    a->weights[0] = nextafterf(before, 9);
    sj_model_identify(a);
    ok(strcmp(a->id, b->id), "the id sees the last bit of a weight");
    sj_model_free(a);
    sj_model_free(b);
    sj_model_free(d);
}

static void files(void)
{
    struct sj_model *a, *b;
    for (int p = 0; sj_predictor_names[p]; p++) {
        struct sj_config c = small((enum sj_predictor)p);
        ok(!sj_model_new(&c, 3, &a), "new model, predictor %s", sj_predictor_names[p]);
        a->target[5] = 0.5f;
        a->training = strdup("{\"steps\":3}");
        ok(!sj_model_write(in_dir("m.h5"), a), "write");
        if (!ok(!sj_model_read(in_dir("m.h5"), &b), "read: %s", sj_reason()))
            exit(1);
        ok(!memcmp(&a->config, &b->config, sizeof a->config), "the same hyper-parameters");
        ok(!memcmp(a->weights, b->weights, a->layout.total * sizeof(float)) &&
               !memcmp(a->target, b->target, a->layout.encoder * sizeof(float)) && !strcmp(a->id, b->id),
           "the same weights");
        is_text(b->training, "{\"steps\":3}", "the same training");
        sj_model_free(a);
        sj_model_free(b);
    }
}

/* Applies `damage` to a fresh file, which must then be refused with `word` in the reason. */
static void refused(int (*damage)(struct sj_h5 *), const char *word)
{
    struct sj_config c = small(SJ_PREDICTOR_MLP);
    struct sj_model *m;
    struct sj_h5 *h;
    int failed = sj_model_new(&c, 3, &m);
    failed = failed || sj_model_write(in_dir("bad.h5"), m);
    sj_model_free(m);
    failed = failed || sj_h5_edit(in_dir("bad.h5"), &h);
    failed = failed || damage(h);
    sj_h5_close(h);
    if (!ok(!failed, "a file to damage"))
        return;
    int status = sj_model_read(in_dir("bad.h5"), &m);
    ok(status == SJ_INPUT && strstr(sj_reason(), "bad.h5") && strstr(sj_reason(), word), "refused: %s", sj_reason());
    if (!status)
        sj_model_free(m);
}

static int missing(struct sj_h5 *h) { return sj_h5_delete(h, "/target/norm.bias"); }
static int no_depth(struct sj_h5 *h) { return sj_h5_set_int(h, "/", "depth", 0); }
static int less_depth(struct sj_h5 *h) { return sj_h5_set_int(h, "/", "depth", 1); }
static int other_dim(struct sj_h5 *h) { return sj_h5_set_int(h, "/", "dim", 96); }
static int other_kind(struct sj_h5 *h) { return sj_h5_set_text(h, "/", "kind", "sj-dataset/1"); }
static int other_predictor(struct sj_h5 *h) { return sj_h5_set_text(h, "/", "predictor", "oracle"); }
static int no_classes(struct sj_h5 *h) { return sj_h5_delete(h, "/classes"); }
static int more(struct sj_h5 *h) { return sj_h5_write(h, "/encoder/extra", SJ_H5_F32, 1, (int64_t[]){1}, &(float){1}); }

static int reshaped(struct sj_h5 *h)
{
    static float w[48 * 48];
    return sj_h5_delete(h, "/encoder/blocks.0.attn.proj.weight") ||
           sj_h5_write(h, "/encoder/blocks.0.attn.proj.weight", SJ_H5_F32, 2, (int64_t[]){24, 96}, w);
}

static int put_weight(struct sj_h5 *h, float value)
{
    static const char path[] = "/predictor/norm.bias";
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK];
    float x[256];
    int status = sj_h5_shape(h, path, &type, &rank, dims) || dims[0] > 256 || sj_h5_read(h, path, type, dims[0], x);
    x[7] = value;
    return status || sj_h5_delete(h, path) || sj_h5_write(h, path, type, rank, dims, x);
}

static int not_finite(struct sj_h5 *h) { return put_weight(h, NAN); }
static int flipped(struct sj_h5 *h) { return put_weight(h, 1e-3f); }

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    configurations();
    optional();
    layouts();
    starts();
    files();
    refused(missing, "/target/norm.bias");
    refused(no_depth, "depth");
    refused(less_depth, "blocks.1.");
    refused(other_dim, "patch_embed");
    refused(other_kind, "sj-dataset/1");
    refused(other_predictor, "oracle");
    refused(no_classes, "/classes");
    refused(more, "/encoder/extra");
    refused(reshaped, "blocks.0.attn.proj.weight");
    refused(not_finite, "/predictor/norm.bias");
    refused(flipped, "id");
    unlink(in_dir("m.h5"));
    unlink(in_dir("bad.h5"));
    ok(!rmdir(dir), "tidy");
    return done();
}
