/* safetensors: round trips, what other writers do, damage. */
#include "safetensors.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/tap.h"

enum { MOST = 1 << 20 };

static struct sj_config small(enum sj_predictor p)
{
    struct sj_config c = sj_config_defaults();
    c.dim = 64;
    c.depth = 2;
    c.heads = 1;
    c.hidden = 32;
    c.layers = 3;
    c.trf_dim = 16;
    c.trf_depth = 1;
    c.predictor = p;
    return c;
}

static int same(const struct sj_model *a, const struct sj_model *b)
{
    return !memcmp(a->weights, b->weights, a->layout.total * sizeof(float)) &&
           !memcmp(a->target, b->target, a->layout.encoder * sizeof(float)) && !strcmp(a->id, b->id);
}

/* A file of a header and `zeros` bytes of values. */
static const char *write_file(const char *name, const char *header, size_t zeros)
{
    const char *path = in_dir(name);
    uint64_t length = strlen(header);
    FILE *f = fopen(path, "wb");
    fwrite(&length, 8, 1, f);
    fwrite(header, 1, length, f);
    for (size_t i = 0; i < zeros; i++)
        fputc(0, f);
    fclose(f);
    return path;
}

static void round_trips(void)
{
    for (int p = 0; sj_predictor_names[p]; p++) {
        struct sj_config c = small((enum sj_predictor)p);
        struct sj_model *a, *b = NULL;
        c.mel.mean = -8;
        ok(!sj_model_new(&c, 1, &a), "a model");
        a->target[3] = 7;
        a->training = strdup("{\"how\":\"well\"}");
        sj_model_identify(a);
        ok(!sj_safetensors_write(in_dir("a.safetensors"), a), "write");
        if (!ok(!sj_safetensors_read(in_dir("a.safetensors"), &b), "read: %s", sj_reason()))
            exit(1);
        ok(!memcmp(&a->config, &b->config, sizeof c) && same(a, b), "the same model");
        is_text(b->training, a->training, "the same training");
        sj_model_free(a);
        sj_model_free(b);
    }
}

/* The file without the metadata and with other names, as the paper's code and torch.compile would leave it. */
static void other_writers(enum sj_predictor p)
{
    struct sj_config c = small(p);
    struct sj_model *a, *b = NULL;
    c.trf_heads = 16;
    sj_model_new(&c, 2, &a);
    sj_safetensors_write(in_dir("b.safetensors"), a);
    FILE *f = fopen(in_dir("b.safetensors"), "rb");
    static char bytes[MOST], header[MOST];
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    uint64_t length;
    memcpy(&length, bytes, 8);
    bytes[8 + length - 1] = 0;
    const char *rest = strstr(bytes + 8, "\"encoder."); /* the metadata come first */
    size_t used = 0;
    header[used++] = '{';
    for (const char *s = rest; *s && used + 32 < sizeof header; s++) {
        if (!strncmp(s, "\"encoder.b", 10)) {
            memcpy(header + used, "\"encoder._orig_mod.", 19);
            used += 19;
            s += 8;
        } else
            header[used++] = *s;
    }
    header[used] = 0;
    uint64_t now = used;
    f = fopen(in_dir("b.safetensors"), "wb");
    fwrite(&now, 8, 1, f);
    fwrite(header, 1, now, f);
    fwrite(bytes + 8 + length, 1, n - 8 - length, f);
    fclose(f);
    if (ok(!sj_safetensors_read(in_dir("b.safetensors"), &b), "%s without metadata: %s", sj_predictor_names[p],
           sj_reason()))
        ok(!memcmp(a->weights, b->weights, a->layout.total * sizeof(float)) && b->config.heads == 1 &&
               b->config.depth == 2 && b->config.predictor == p,
           "is understood by its shapes");
    sj_model_free(a);
    sj_model_free(b);
}

static void refused(const char *header, size_t zeros, const char *word)
{
    struct sj_model *m;
    const char *path = write_file("bad.safetensors", header, zeros);
    ok(sj_safetensors_read(path, &m) == SJ_INPUT && strstr(sj_reason(), "bad.safetensors") && strstr(sj_reason(), word),
       "refused: %s", sj_reason());
}

static void cut_files(void)
{
    struct sj_config c = small(SJ_PREDICTOR_MLP);
    struct sj_model *m, *b;
    sj_model_new(&c, 1, &m);
    sj_safetensors_write(in_dir("c.safetensors"), m);
    sj_model_free(m);
    static char bytes[MOST];
    FILE *f = fopen(in_dir("c.safetensors"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    int wrong = 0;
    for (size_t cut = 0; cut < n; cut += 1 + n / 61) {
        f = fopen(in_dir("cut.safetensors"), "wb");
        fwrite(bytes, 1, cut, f);
        fclose(f);
        wrong +=
            sj_safetensors_read(in_dir("cut.safetensors"), &b) != SJ_INPUT || !strstr(sj_reason(), "cut.safetensors");
    }
    is_int(wrong, 0, "every cut file is refused by name");
    float nan_ = NAN;
    memcpy(bytes + n - 4, &nan_, 4);
    f = fopen(in_dir("cut.safetensors"), "wb");
    fwrite(bytes, 1, n, f);
    fclose(f);
    ok(sj_safetensors_read(in_dir("cut.safetensors"), &b) == SJ_INPUT && strstr(sj_reason(), "not finite"), "NaN: %s",
       sj_reason());
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    ok(sj_safetensors_is("m.safetensors") && !sj_safetensors_is(".safetensors") && !sj_safetensors_is("m.h5"),
       "by name");
    round_trips();
    for (int p = 0; sj_predictor_names[p]; p++)
        other_writers((enum sj_predictor)p);
    refused("", 0, "");
    refused("{\"a\":", 4, "line");
    refused("{}", 4, "encoder.patch_embed.proj.weight");
    refused(
        "{\"encoder.patch_embed.proj.weight\":{\"dtype\":\"F32\",\"shape\":[64,1,16,16],\"data_offsets\":[0,65536]}}",
        8, "outside");
    refused("{\"encoder.patch_embed.proj.weight\":{\"dtype\":\"I8\",\"shape\":[64],\"data_offsets\":[0,64]}}", 64,
            "type");
    refused("{\"encoder.patch_embed.proj.weight\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,8],"
            "\"data_offsets\":[0,64]}}",
            64, "described");
    refused("{\"encoder.patch_embed.proj.weight\":7}", 64, "type");
    cut_files();
    static const char *const names[] = {"a", "b", "c", "cut", "bad"};
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.safetensors", names[i]);
        unlink(in_dir(name));
    }
    ok(!rmdir(dir), "tidy");
    return done();
}
