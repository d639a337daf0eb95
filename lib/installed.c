#include "installed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void sj_installed(const char *name, char *path, size_t size)
{
    char self[2048], folder[2100], usual[2100];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = 0;
    snprintf(folder, sizeof folder, "%s/../share/sj", self);
    snprintf(usual, sizeof usual, "%s/%s", SJ_DATADIR, name);
    snprintf(path, size, "%s/%s", folder, name);
    if (!slash || (access(path, F_OK) && (access(folder, X_OK) || !access(usual, F_OK))))
        snprintf(path, size, "%s", usual);
}
