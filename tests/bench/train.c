/* train TYPE SIZE BATCH [BACKEND]: one whole training step a turn: both encoders, predictor, loss, backward, clipping, AdamW, moving average. */
#include "net_train.h"
#include "rng.h"
#include "idle.h"
#include "turns.h"

struct job {
    struct sjk *k;
    struct sj_learner *learner;
    int32_t *class;
    int64_t step;
};

static int train(void *arg)
{
    struct job *j = arg;
    struct sj_learned r;
    const struct sj_objective o = {.cosine = 1};
    const struct sj_update u = {.rate = 3e-6, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.05, .clip = 3, .ema = 0.99995,
                                .step = j->step++};
    if (!sj_learner_pass(j->learner, &o, NULL, NULL, j->class, NULL) && !sj_learner_update(j->learner, &u, &r) &&
        !j->k->ops->sync(j->k))
        return 0;
    fprintf(stderr, "train: %s\n", sj_reason());
    return 1;
}

int main(int argc, char **argv)
{
    sj_idle_sleeps(argv);
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: train f32|bf16 tiny|small|base|large BATCH [BACKEND]\n");
        return 2;
    }
    int64_t batch = strtol(argv[3], NULL, 10);
    struct job j = {0};
    struct sj_config c = sj_config_defaults();
    struct sj_model *m = NULL;
    struct sjk *k = NULL;
    char why[256];
    sj_config_size(&c, name_index(sj_size_names, argv[2]));
    struct sj_learner_options o = {.precision = (enum sj_precision)name_index(sj_precision_names, argv[1]), .batch = batch, .micro = batch,
                                   .frames = 800};
    if (sjk_open(argc > 4 ? argv[4] : "cpu", 0, &k, why, sizeof why) || sj_model_new(&c, 1, &m) || sj_learner_new(k, m, &o, &j.learner)) {
        fprintf(stderr, "train: %s\n", k ? sj_reason() : why);
        return 1;
    }
    size_t n = (size_t)(batch * 80 * 800);
    float *mel[2], *host = malloc(n * sizeof *host);
    j.k = k;
    j.class = calloc((size_t)batch, sizeof *j.class);
    struct sj_rng r = sj_rng(1, 0);
    sj_learner_input(j.learner, &mel[0], &mel[1]);
    for (int side = 0; side < 2; side++) {
        sj_rng_normal(&r, host, n);
        if (k->ops->put(k, mel[side], host, n * sizeof *host)) {
            fprintf(stderr, "train: %s\n", sjk_reason(k));
            return 1;
        }
    }
    free(host);
    for (int64_t b = 0; b < batch; b++)
        j.class[b] = (int32_t)(b % c.classes);
    int status = take_turns(train, &j);
    sj_learner_free(j.learner);
    sj_model_free(m);
    sjk_close(k);
    free(j.class);
    return status;
}
