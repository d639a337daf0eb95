/* statistics: what a spectrogram is like over time, as one vector of a track: for each of B mel bands the mean m_b over
 * all T frames of the track, then for each band the standard deviation sqrt(sum_t (x_bt - m_b)^2 / T); sums in double.
 * Chunks bring the samples around them, so that the frames of all chunks are those of the whole track. */
#ifndef SJ_STATISTICS_H
#define SJ_STATISTICS_H

#include <stdint.h>

#include "output.h"

/* Count, mean and sum of squared deviations. */
struct sj_moments {
    double n, mean, deviation;
};

/* a = the moments of both samples together (Chan, Golub & LeVeque 1979). */
void sj_moments_add(struct sj_moments *a, const struct sj_moments *b);

/* moments (bands): each of them takes in the `frames` first values of its row of mel (bands, stride). */
void sj_moments_rows(int64_t bands, int64_t frames, int64_t stride, const float *mel, struct sj_moments *moments);

struct sj_statistics; /* of one key after the other */

int sj_statistics_new(int64_t bands, struct sj_statistics **s);
void sj_statistics_free(struct sj_statistics *s); /* NULL is allowed */

/* Takes one chunk, moments (bands) of its frames, and writes the vector (2 bands) of a track behind its last chunk; key,
 * role and class are those of `like`. Chunks of a key must be complete and come in order, one after the other, else
 * SJ_INPUT naming the key. */
int sj_statistics_put(struct sj_statistics *s, const struct sj_record *like, const struct sj_moments *moments,
                      struct sj_output *out);

/* SJ_INPUT when a key still lacks its last chunk. */
int sj_statistics_end(const struct sj_statistics *s);

#endif
