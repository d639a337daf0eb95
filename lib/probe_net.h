/* probe_net: the network of a probe on a back end, a hidden layer of ReLU with dropout, trained by Adam, in f32:
 *   y = W2 drop(max(W1 x + b1, 0)) + b2
 *
 * Dims: d inputs, H hidden units, C outputs, n examples of a batch. */
#ifndef SJ_PROBE_NET_H
#define SJ_PROBE_NET_H

#include <stdint.h>

#include "err.h"

struct sjk;
struct sj_probe_net;

/* k is borrowed and must outlive the net; batch is the largest n. SJ_SYSTEM, SJ_DEVICE. */
int sj_probe_net_new(struct sjk *k, int64_t d, int64_t H, int64_t C, int64_t batch, struct sj_probe_net **net);
void sj_probe_net_free(struct sj_probe_net *net); /* NULL is allowed */

/* Start values that are a function of the seed: weights and biases uniform in +-1/sqrt(fan in); no step done. */
int sj_probe_net_reset(struct sj_probe_net *net, uint64_t seed);

/* Where the next n inputs, f32 (n, d), are to be put; NULL on failure. */
float *sj_probe_net_input(struct sj_probe_net *net);
/* y f32 (n, C) host of the inputs put there. dropout > 0: so many of the hidden units are 0 and the others scaled by
 * 1 / (1 - dropout), by a draw that is a function of the seed and the number of the step. */
int sj_probe_net_forward(struct sj_probe_net *net, int64_t n, double dropout, float *y);
/* One step of Adam (0.9, 0.999, 1e-8) of the batch that went forward last, from its gradient dy f32 (n, C) host. */
int sj_probe_net_step(struct sj_probe_net *net, int64_t n, const float *dy, double rate);

/* The present weights W1 f32 (H, d), b1 (H), W2 (C, H), b2 (C), host. */
int sj_probe_net_weights(const struct sj_probe_net *net, float *W1, float *b1, float *W2, float *b2);

int sj_probe_net_keep(struct sj_probe_net *net);    /* remembers the present weights */
int sj_probe_net_restore(struct sj_probe_net *net); /* goes back to those */

#endif
