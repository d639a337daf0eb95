/* make_model: an untrained model of 16 dimensions for the tests of the tools.
 *   make_model FILE [mlp|mlp_none|transformer|mlp_film] */
#include <stdio.h>
#include <string.h>

#include "model.h"

int main(int argc, char **argv)
{
    struct sj_config c = sj_config_defaults();
    struct sj_model *m = NULL;
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
        return fputs("make_model FILE [mlp|mlp_none|transformer|mlp_film]\n", stderr), SJ_USAGE;
    int status = sj_model_new(&c, 1, &m);
    if (!status)
        status = sj_model_write(argv[1], m);
    sj_model_free(m);
    if (status)
        fprintf(stderr, "make_model: %s\n", sj_reason());
    return status;
}
