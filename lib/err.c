/* The one mutable object of the library: the reason of the last failure, one per thread, as errno is. */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char reason[1024];

int sj_fail(int status, const char *format, ...)
{
    char text[sizeof reason]; /* the arguments may include the old reason */
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    memcpy(reason, text, sizeof reason);
    return status;
}

int sj_fail_errno(const char *format, ...)
{
    int e = errno;
    char text[768];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return sj_fail(SJ_SYSTEM, "%s: %s", text, strerror(e));
}

int sj_fail_at(int status, const char *format, ...)
{
    char text[512], old[sizeof reason];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    memcpy(old, reason, sizeof old);
    snprintf(reason, sizeof reason, "%s: %.*s", text, (int)(sizeof reason - strlen(text) - 3), old);
    return status;
}

const char *sj_reason(void)
{
    return reason;
}
