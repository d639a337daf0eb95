/* safetensors_own: what the parts of safetensors share. */
#ifndef SJ_SAFETENSORS_OWN_H
#define SJ_SAFETENSORS_OWN_H

#include "safetensors.h"

enum { SJ_SAFETENSORS_RANK = 4 };

/* An open file. */
struct sj_safetensors {
    const char *path;
    int fd;
    sj_json *header;
    int64_t data, bytes; /* where the values begin in the file, and how many bytes they have */
};

/* Whether there is a tensor of this name. */
int sj_safetensors_has(const struct sj_safetensors *s, const char *name);
/* What the header says of a tensor, checked against itself and the length of the file: dtype F32, F16, BF16 or F64 of
 * `width` bytes each, from byte `from` of the values. SJ_INPUT when missing or wrong. */
int sj_safetensors_shape(const struct sj_safetensors *s, const char *name, int *rank, int64_t dims[SJ_SAFETENSORS_RANK],
                         const char **dtype, size_t *width, int64_t *from);
/* SJ_INPUT unless the tensors, of whatever type, fill the values without gaps and overlaps, as the format asks. */
int sj_safetensors_extents(const struct sj_safetensors *s);
/* A name in the header without what torch.compile puts into it, "_orig_mod.". */
void sj_safetensors_plain(const char *key, char *name, size_t size);
/* The hyper-parameters, from the header's text or from the shapes. */
int sj_safetensors_config(const struct sj_safetensors *s, struct sj_config *c);

#endif
