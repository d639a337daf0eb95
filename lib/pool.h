/* pool: from the token embeddings of chunks to what --pool asks for (SPEC 7).
 *
 * token  z (F, P, D) of each chunk as it is
 * frame  (P, F*D) of each chunk: frequency concatenated, one vector per 160 ms
 * track  (F*D) of each key: sum over all time patches of all its chunks, divided by their number
 * aligned ((1 + P)*F*D) of each key, P: time patches of all its chunks: the mean m over time, and how the frames x_t
 *        depart from it. m less its mean over values, then all x_t - m, each of the two parts scaled to length 1 (where
 *        it is not 0). As sj-knn compares, the similarity of two is the mean of those of the parts; what sounds at the
 *        same time in both counts, so only tracks of the same length that begin together compare */
#ifndef SJ_POOL_H
#define SJ_POOL_H

#include "output.h"

enum sj_pool { SJ_POOL_TOKEN, SJ_POOL_FRAME, SJ_POOL_TRACK, SJ_POOL_ALIGNED };
extern const char *const sj_pool_names[]; /* "token", "frame", "track", "aligned", NULL */
const char *sj_pool_dims(enum sj_pool mode); /* of the records: "frequency,time,dim" "time,vector" "vector" "vector" */

/* out (P, F*D) = the frames of z (F, P, D). */
void sj_pool_frames(int64_t F, int64_t P, int64_t D, const float *z, float *out);

/* x (1 + P, d): the P frames of a track after a free row, to its vector of `aligned`. */
void sj_pool_align(int64_t P, int64_t d, float *x);

struct sj_pooler;

int sj_pooler_new(enum sj_pool mode, int64_t F, int64_t D, struct sj_pooler **p);
void sj_pooler_free(struct sj_pooler *p);

/* Takes z (F, P, D) of one chunk and writes what is ready to out; key, role, class, position, part and last are
 * those of `like`. Track, aligned: chunks of a key must come one after the other, else SJ_INPUT naming the key. */
int sj_pooler_put(struct sj_pooler *p, const struct sj_record *like, int64_t P, const float *z, struct sj_output *out);

/* SJ_INPUT when a key still lacks its last chunk. */
int sj_pooler_end(const struct sj_pooler *p);

#endif
