/* safetensors: models to and from files of that format (8 bytes of length, a JSON header, the values; little-endian).
 *
 * Tensors have the names of the paper's state dict with dots: "encoder.blocks.0.norm1.weight", "target_encoder. ...",
 * "predictor. ..."; "_orig_mod." inside a name (torch.compile) is dropped, and what is no weight (positions) is
 * ignored. The hyper-parameters travel as JSON text in __metadata__ under "config". Without them they are taken from
 * the shapes, as the paper has the rest: heads of width 64 (encoder, whose width must be a multiple of it), 16 heads
 * (transformer predictor), four classes, its mel front end. */
#ifndef SJ_SAFETENSORS_H
#define SJ_SAFETENSORS_H

#include "model.h"

/* Whether the file's name ends in ".safetensors": 1 or 0. */
int sj_safetensors_is(const char *path);

/* Writes F32, whole or not at all. */
int sj_safetensors_write(const char *path, const struct sj_model *m);

/* Reads F32, F16, BF16 or F64. Without a target encoder the encoder is taken for it. SJ_INPUT naming file and tensor
 * when the file is damaged, its tensors do not fill it one after the other, one is missing, misshapen, unknown to the
 * hyper-parameters or not finite, or the weights are not those of the "id" in the metadata. */
int sj_safetensors_read(const char *path, struct sj_model **m);

#endif
