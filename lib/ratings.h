/* ratings: what listeners said, from the CSV files of the listening page or of webMUSHRA, and its statistics. */
#ifndef SJ_RATINGS_H
#define SJ_RATINGS_H

#include <stdint.h>
#include <stdio.h>

#include "err.h"

struct sj_rating {
    int listener, trial, class, condition; /* numbers in the tables of names */
    double value;                          /* 0 to 100 */
};

/* Different names, ascending by bytes (conditions: true, retrieved, random, then others). */
struct sj_rating_names {
    int n;
    char **name; /* (n) */
};

struct sj_ratings {
    int64_t n;
    struct sj_rating *rating; /* (n) */
    struct sj_rating_names listener, trial, class, condition;
};

/* Reads files with a line of names and the columns test, listener, trial, class, condition and rating (others do not
 * matter); or webMUSHRA's session_test_id, session_uuid, trial_id ("CLASS-TRIAL"), rating_stimulus (those called
 * "reference" are left out) and rating_score. Fields may be quoted; lines may end in CR LF. SJ_INPUT names file and
 * line: a column that is missing, another number of fields, a rating that is not from 0 to 100, another test than
 * before, a rating of the same thing by the same listener twice, a trial of two classes; a file without ratings. */
int sj_ratings_read(int n, const char *const *paths, struct sj_ratings *r);
void sj_ratings_free(struct sj_ratings *r); /* zeros are allowed */

/* What is drawn anew by the bootstrap: ratings, or listeners with all of theirs. */
enum sj_resample { SJ_RESAMPLE_RATINGS, SJ_RESAMPLE_LISTENERS };
extern const char *const sj_resample_names[];

struct sj_bootstrap {
    enum sj_resample unit;
    int64_t draws;
    uint64_t seed;
};

/* Tables, as schemas/reports.md describes them: of each class and condition its distribution; the same for box plots;
 * and of each class the paired tests between conditions, pairs being ratings of one trial by one listener. */
int sj_ratings_summary(const struct sj_ratings *r, const struct sj_bootstrap *b, FILE *f, int json);
int sj_ratings_boxes(const struct sj_ratings *r, FILE *f, int json);
int sj_ratings_tests(const struct sj_ratings *r, const struct sj_bootstrap *b, FILE *f, int json);

#endif
