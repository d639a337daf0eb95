/* progress: a line on standard error with rate and remaining time, on terminals only unless always asked for. */
#ifndef SJ_PROGRESS_H
#define SJ_PROGRESS_H

#include <stdint.h>

enum sj_progress_mode { SJ_PROGRESS_AUTO, SJ_PROGRESS_ALWAYS, SJ_PROGRESS_NEVER };

struct sj_progress;

/* total 0: unknown. Returns NULL when nothing is to be shown (and the other calls accept NULL). */
struct sj_progress *sj_progress_new(int mode, const char *label, const char *unit, int64_t start, int64_t total);
/* `done` so far; note (or NULL) is appended: "loss 0.41". Redraws at most 10 times a second. */
void sj_progress_show(struct sj_progress *p, int64_t done, const char *note);
void sj_progress_total(struct sj_progress *p, int64_t total); /* what was unknown before */
void sj_progress_clear(struct sj_progress *p); /* makes way for other lines; the next show draws it again */
void sj_progress_end(struct sj_progress *p);   /* ends the line and frees */

#endif
