/* choices: which algorithm was fastest for each shape of matrix product, remembered in a file of the user's cache. */
#ifndef SJK_CHOICES_CUDA_H
#define SJK_CHOICES_CUDA_H

#include <stddef.h>
#include <stdint.h>

/* All that decides which algorithms are possible and how fast they are: sizes, types, strides, alignments. */
struct cuda_choice_key {
    int64_t value[16];
};

/* cuBLASLt's description of an algorithm, valid for the version that made it. */
struct cuda_choice {
    uint64_t word[8];
};

struct cuda_chosen;

#ifdef __cplusplus
extern "C" {
#endif

/* All zero: nothing known, and nothing is written. */
struct cuda_choices {
    char *path; /* NULL: not kept */
    struct cuda_chosen *first;
};

/* Reads the file of this device and version in $SJ_CUDA_CACHE, else in ~/.cache/sj ($XDG_CACHE_HOME/sj). An empty
 * SJ_CUDA_CACHE keeps nothing. Damaged lines are passed over; without a folder or a file nothing is known: that costs
 * time and is no failure. */
void cuda_choices_open(struct cuda_choices *, const char *device, size_t version);
void cuda_choices_close(struct cuda_choices *);

/* NULL: not known. The latest of the same key counts. */
const struct cuda_choice *cuda_choices_find(const struct cuda_choices *, const struct cuda_choice_key *);

/* Remembers one more, in memory and at the end of the file, whole lines at a time so that several processes may. */
void cuda_choices_add(struct cuda_choices *, const struct cuda_choice_key *, const struct cuda_choice *);

#ifdef __cplusplus
}
#endif
#endif
