/* listen: sounds in memory as a model hears them: what encodes, what predicts, and all that is before them, without
 * streams between. The spectrogram is that of sj-chunk | sj-mel. Of it the model hears windows of its span that overlap: of
 * each only the middle is taken, so that what becomes of a frame depends little on where the recording begins, and only
 * the ends of the recording are heard without what is around them. (sj-embed's chunks lie side by side, as in the paper:
 * their frames know where in the chunk they are.) */
#ifndef SJ_LISTEN_H
#define SJ_LISTEN_H

#include <stdint.h>

#include "model.h"
#include "net.h"

struct sj_listener;

/* As sj_sound_read. */
int sj_listen_decode(const char *path, float **wave, int64_t *n);

/* k and m are borrowed, k until l is freed. */
int sj_listener_new(struct sjk *k, const struct sj_model *m, enum sj_precision precision, struct sj_listener **l);
void sj_listener_free(struct sj_listener *l); /* NULL is allowed */

const struct sj_config *sj_listener_config(const struct sj_listener *l);
struct sjk *sj_listener_back_end(const struct sj_listener *l); /* k */

/* Frames of a sound of n samples: whole time patches only, but 1 at least. Their width is F D of the model. */
int64_t sj_listener_rows(const struct sj_listener *l, int64_t n);

/* out f32 (rows, F D): the frames of a stem by the target encoder. SJ_INPUT: too short, or a sample is not finite. */
int sj_listen_stem(struct sj_listener *l, int64_t n, const float *wave, float *out);

/* out f32 (classes, rows, F D): the frames predicted from a mix for each class[]. */
int sj_listen_mix(struct sj_listener *l, int64_t n, const float *wave, int64_t classes, const int32_t *class,
                  float *out);

#endif
