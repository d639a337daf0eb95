/* encode TYPE SIZE BATCH: one forward pass of the encoder a turn. */
#include "net.h"
#include "rng.h"
#include "idle.h"
#include "turns.h"

struct job {
    struct sj_net *net;
    int64_t batch;
    float *mel, *z;
};

static int encode(void *arg)
{
    struct job *j = arg;
    if (!sj_net_encode(j->net, j->batch, 800, j->mel, 0, j->z))
        return 0;
    fprintf(stderr, "encode: %s\n", sj_reason());
    return 1;
}

int main(int argc, char **argv)
{
    sj_idle_sleeps(argv);
    if (argc != 4) {
        fprintf(stderr, "usage: encode f32|bf16 tiny|small|base|large BATCH\n");
        return 2;
    }
    struct job j = {.batch = strtol(argv[3], NULL, 10)};
    struct sj_config c = sj_config_defaults();
    struct sj_model *m = NULL;
    struct sjk *k = NULL;
    char why[256];
    sj_config_size(&c, name_index(sj_size_names, argv[2]));
    struct sj_net_options o = {.encoder = 1, .precision = (enum sj_precision)name_index(sj_precision_names, argv[1]), .batch = j.batch};
    if (sjk_open("cpu", 0, &k, why, sizeof why) || sj_model_new(&c, 1, &m) || sj_net_new(k, m, &o, &j.net)) {
        fprintf(stderr, "encode: %s\n", k ? sj_reason() : why);
        return 1;
    }
    size_t n = (size_t)(j.batch * 80 * 800);
    j.mel = malloc(n * sizeof *j.mel);
    j.z = malloc((size_t)(j.batch * 250 * c.dim) * sizeof *j.z);
    struct sj_rng r = sj_rng(1, 0);
    sj_rng_normal(&r, j.mel, n);
    int status = take_turns(encode, &j);
    sj_net_free(j.net);
    sj_model_free(m);
    sjk_close(k);
    free(j.mel);
    free(j.z);
    return status;
}
