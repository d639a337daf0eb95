/* h5_show: what lies in any HDF5 file, as text. */
#ifndef SJ_H5_SHOW_H
#define SJ_H5_SHOW_H

#include <stdio.h>

#include "err.h"

/* A line for each dataset, in the order of names: path, type, shape; and for each attribute of "/": "@name", its value.
 * json: the same as objects {"path", "type", "dims"} and {"attribute", "value"}. Write errors show in ferror(f). */
int sj_h5_show(FILE *f, const char *path, int json);

#endif
