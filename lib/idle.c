#include "idle.h"

#include <stdlib.h>
#include <unistd.h>

void sj_idle_sleeps(char **argv)
{
    char self[4096];
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0 || setenv("GOMP_SPINCOUNT", "1000", 1)) /* a few microseconds */
        return;
    self[n] = 0;
    execv(self, argv);
}
