/* fail: the reason of the latest failure. In the archive and in the CUDA plug-in. */
#include "cpu.h"

#include <stdarg.h>
#include <stdio.h>

int sjk_fail(struct sjk *k, int status, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(k->reason, sizeof k->reason, format, ap);
    va_end(ap);
    return status;
}
