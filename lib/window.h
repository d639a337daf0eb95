/* window: a bounded number of records held together, so that a filter can compute them as batches of equal shape and
 * still write them in the order in which they came. */
#ifndef SJ_WINDOW_H
#define SJ_WINDOW_H

#include "stream.h"

struct sj_window;

/* `room` records of at most `floats` f32 each. */
int sj_window_new(int64_t room, int64_t floats, struct sj_window **w);
void sj_window_free(struct sj_window *w);

/* Copies an f32 record (key and data). SJ_INPUT when it is larger than `floats`; the window must not be full. */
int sj_window_add(struct sj_window *w, const struct sj_record *r);
int64_t sj_window_count(const struct sj_window *w);
int sj_window_full(const struct sj_window *w);
const struct sj_record *sj_window_at(const struct sj_window *w, int64_t i); /* borrowed until clear */
void sj_window_clear(struct sj_window *w);

/* Fills index[] with the records whose dims[axis] equals that of the first record not yet `taken`, in order, at most
 * `most`; marks them taken. Returns their number: 0 when every record is taken. taken: one byte a record, zero at
 * first. */
int64_t sj_window_alike(const struct sj_window *w, int axis, int64_t most, unsigned char *taken, int64_t *index);

#endif
