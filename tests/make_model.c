/* make_model: an untrained model of 16 dimensions for the tests of the tools.
 *   make_model FILE [mlp|mlp_none|transformer|mlp_film [VECTORS.h5]] */
#include <stdio.h>
#include <string.h>

#include "condition.h"

int main(int argc, char **argv)
{
    struct sj_config c = sj_config_defaults();
    struct sj_condition vectors = {0};
    struct sj_model *m = NULL;
    uint32_t crc;
    c.dim = 16;
    c.depth = 1;
    c.heads = 2;
    c.hidden = 32;
    c.layers = 2;
    c.trf_dim = 16;
    c.trf_depth = 1;
    c.trf_heads = 2;
    for (int i = 0; argc > 2 && sj_predictor_names[i]; i++)
        if (!strcmp(sj_predictor_names[i], argv[2]))
            c.predictor = (enum sj_predictor)i;
    if (argc < 2)
        return fputs("make_model FILE [mlp|mlp_none|transformer|mlp_film [VECTORS.h5]]\n", stderr), SJ_USAGE;
    int status = argc > 3 ? sj_condition_read(argv[3], &vectors) : SJ_OK;
    c.condition = vectors.width;
    if (!status)
        status = sj_model_new(&c, 1, &m);
    if (!status && argc > 3)
        status = sj_condition_train(&vectors, m, &crc);
    if (!status)
        status = sj_model_write(argv[1], m);
    sj_model_free(m);
    sj_condition_free(&vectors);
    if (status)
        fprintf(stderr, "make_model: %s\n", sj_reason());
    return status;
}
