/* model_own: what the parts of model share. */
#ifndef SJ_MODEL_OWN_H
#define SJ_MODEL_OWN_H

#include "model.h"

/* The hyper-parameters that are numbers, by the names they have in files. */
struct sj_config_field {
    const char *name;
    size_t offset; /* of an int64_t, or a double when real */
    int real;
    double min, max;
    int optional; /* an integer that files leave out where it is 0, and ids too, as all did before there was one */
};
extern const struct sj_config_field sj_config_fields[]; /* ends with name NULL */

static inline int64_t *sj_config_int(struct sj_config *c, const struct sj_config_field *f)
{
    return (int64_t *)(void *)((char *)c + f->offset);
}

static inline double *sj_config_real(struct sj_config *c, const struct sj_config_field *f)
{
    return (double *)(void *)((char *)c + f->offset);
}

#endif
