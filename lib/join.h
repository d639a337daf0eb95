/* join: the chunks of wave/1 streams as WAV files: halos removed, the chunks of a key joined. */
#ifndef SJ_JOIN_H
#define SJ_JOIN_H

#include "stream.h"

struct sj_join;

/* Files appear at sj_join_end, all of them or none. PATH "NAME.wav": one file, for one key. A PATH that ends in "/" or is a folder: "KEY.wav" in it (made with the
 * folders in KEY), "KEY.rest.wav" for the role rest; a file that is there already is SJ_USAGE. Training pairs
 * ("pair,sample") become files "KEY.POSITION.wav" of two channels, context and target. Samples are of the stream's
 * type: f32 or i16, else SJ_USAGE. A track of T frames gives 160 (T - 1) samples: chunks do not say how many of the up
 * to 159 behind the last frame are the track's. */
int sj_join_open(const char *path, const struct sj_head *head, struct sj_join **j);
int sj_join_put(struct sj_join *j, const struct sj_record *record);
int sj_join_end(struct sj_join *j);    /* frees j also on failure */
void sj_join_abort(struct sj_join *j); /* nothing appears, nor a folder that was made for it; NULL is allowed */

/* Whether PATH asks for a folder. */
int sj_join_is_folder(const char *path);

#endif
