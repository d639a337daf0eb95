/* render_folder: a rendering as a folder of WAV files, the layout of MUSDB18-HQ. */
#ifndef SJ_RENDER_FOLDER_H
#define SJ_RENDER_FOLDER_H

#include "jobs.h"

/* Makes a folder that may be there. SJ_SYSTEM. */
int sj_render_folder_make(const char *path);

/* FOLDER/KEY/CLASS.wav for every stem of the item; mixture.wav with full, which then comes after the stems. Files of
 * other of the `classes`, of an earlier rendering, are removed. Each file appears whole or not at all. SJ_SYSTEM. */
int sj_render_folder_write(const char *folder, const struct sj_item *item, int classes, const char *const *class,
                           int full);

#endif
