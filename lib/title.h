/* title: the title of a song by the name of its file, so that versions of one song are known to be one, and which part
 * of a collection it belongs to. Both are functions of the name alone. */
#ifndef SJ_TITLE_H
#define SJ_TITLE_H

enum { SJ_TITLE = 128 };

enum sj_split { SJ_SPLIT_TRAIN, SJ_SPLIT_VALID, SJ_SPLIT_TEST, SJ_SPLITS };
extern const char *const sj_split_names[SJ_SPLITS + 1]; /* "train", "valid", "test", NULL */

/* title = that of the file PATH: its name without folder and ending, without what is in brackets, after the last " - "
 * where there is one (artist - title), in lower case, letters and digits and what is not ASCII only, words joined by
 * one blank; without a number with a point before it ("07. ") and words after it that tell versions apart (v2, remix,
 * live, 3 ...). Where that leaves nothing, less is taken away. */
void sj_title(const char *path, char title[SJ_TITLE]);

/* The titles in valid and in test are each a share `held_out` (0..0.5) of all. */
enum sj_split sj_title_split(const char *title, double held_out);

#endif
