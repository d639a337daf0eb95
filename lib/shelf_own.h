/* Between shelf_update.c and shelf_find.c: the tracks in a folder, and what of them an index wants to know. */
#ifndef SJ_SHELF_OWN_H
#define SJ_SHELF_OWN_H

#include "shelf.h"

struct sj_shelf_finds;

/* All tracks under root but what lies in `folder` (hidden names never count) and what is called a mixture. s gives the
 * classes. Fails where root has no sounds at all: SJ_INPUT. */
int sj_shelf_finds_open(const char *root, const char *folder, const struct sj_shelf *s, struct sj_shelf_finds **f);
void sj_shelf_finds_close(struct sj_shelf_finds *f); /* NULL is allowed */
int64_t sj_shelf_finds_count(const struct sj_shelf_finds *f);
const char *sj_shelf_finds_path(const struct sj_shelf_finds *f, int64_t i);  /* relative to root; sorted */
const char *sj_shelf_finds_stamp(const struct sj_shelf_finds *f, int64_t i); /* paths, sizes, times of its files */

/* A track in memory, its stems with what is heard in them. */
struct sj_heard_stem {
    char *name; /* relative to root */
    int class;
    struct sj_facts facts;
    float *wave; /* f32 (n) at 16 kHz */
    int64_t n, room;
};

struct sj_heard {
    int stems;
    struct sj_heard_stem *stem; /* (stems) */
};

/* On any thread. SJ_INPUT, SJ_SYSTEM as sj_track_signals. */
int sj_shelf_finds_hear(const struct sj_shelf_finds *f, int64_t i, struct sj_heard **h);
void sj_heard_drop(void *heard); /* NULL is allowed */

#endif
