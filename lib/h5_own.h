/* h5_own: what the parts of h5 share. The only includer of hdf5.h. */
#ifndef SJ_H5_OWN_H
#define SJ_H5_OWN_H

#define H5_USE_110_API
#include <errno.h>
#include <hdf5.h>

#include "h5.h"
#include "whole.h"

struct sj_h5 {
    hid_t file;
    char *path;
    struct sj_whole *whole; /* of a created file until commit, else NULL */
    int compress;           /* see sj_h5_compress */
};

void sj_h5_quiet(void); /* HDF5's error printing is per thread, so every entry turns it off; clears errno */
int sj_h5_bad(const struct sj_h5 *h, const char *path, const char *why);
int sj_h5_refused(const struct sj_h5 *h, const char *path); /* a write that failed, with errno when it is set */
hid_t sj_h5_memory_type(enum sj_h5_type t);                 /* the caller closes it */
/* Opens a dataset with its dataspace; both ids belong to the caller. */
int sj_h5_open_data(struct sj_h5 *h, const char *path, hid_t *data, hid_t *space, int *rank, int64_t dims[SJ_H5_RANK]);

#endif
