/* installed: where what belongs to the programs lies. */
#ifndef SJ_INSTALLED_H
#define SJ_INSTALLED_H

#include <stddef.h>

/* path (size bytes) = NAME in the data folder: ../share/sj beside the running program, so that an installation may be
 * moved as a whole, else the folder of `make install`. Where neither has it, the one beside if that folder is there. */
void sj_installed(const char *name, char *path, size_t size);

#endif
