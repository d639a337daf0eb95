/* net: a model on a back end, for inference (SPEC 4, 5, 7): packed weights of one encoder and the predictor, and
 * scratch memory for a batch. Training has its own, net_train.h. One thread at a time.
 *
 * Dims: B chunks, T frames of a chunk, P = T/16 time patches (at most 50), F = 5 frequency patches, D width. */
#ifndef SJ_NET_H
#define SJ_NET_H

#include <stdint.h>

#include "model.h"
#include "sjk.h"

enum sj_network { SJ_NETWORK_CONTEXT, SJ_NETWORK_TARGET };
extern const char *const sj_network_names[]; /* "context", "target", NULL */

enum sj_precision { SJ_PRECISION_AUTO, SJ_PRECISION_F32, SJ_PRECISION_BF16 };
extern const char *const sj_precision_names[]; /* "auto", "f32", "bf16", NULL */

/* The type that a precision means on this back end: auto is bf16 where matrix products of it run natively. */
enum sjk_type sj_precision_type(const struct sjk *k, enum sj_precision p);

struct sj_net;

struct sj_net_options {
    enum sj_network network; /* which encoder */
    int encoder, predictor;  /* which parts are wanted: 1 or 0 */
    enum sj_precision precision;
    int64_t batch; /* the largest B, at least 1 */
};

/* Copies what it needs from m, which may be freed afterwards; k is borrowed and must outlive the net. */
int sj_net_new(struct sjk *k, const struct sj_model *m, const struct sj_net_options *o, struct sj_net **net);
void sj_net_free(struct sj_net *net); /* NULL is allowed */

/* z f32 (B, F, P, D) host = the encoder's output for mel f32 (B, 80, T) host, T from 16 to 815 (frames past 16 P are
 * dropped). mel NULL: the spectrograms that lie at sj_net_input; z NULL: stays in the back end. layer 1 .. depth:
 * output of that block, normalised only for the last one; 0 means the last. SJ_USAGE when out of range. */
int sj_net_encode(struct sj_net *net, int64_t B, int64_t T, const float *mel, int layer, float *z);

/* Room for mel f32 (batch, 80, 815) in the back end's memory, for callers that have the spectrograms there. */
float *sj_net_input(struct sj_net *net);
/* pooled f32 (B, F, D) host = means over time of what the last sj_net_encode, of the same B and T, made. */
int sj_net_pooled(struct sj_net *net, int64_t B, int64_t T, float *pooled);

/* out f32 (B, F, P, D) = prediction from z f32 (B, F, P, D), host both, for class[b] of the model's classes (ignored by
 * "mlp_none", may then be NULL). SJ_USAGE when a class is out of range. */
int sj_net_predict(struct sj_net *net, int64_t B, int64_t P, const float *z, const int32_t *class, float *out);

#endif
