#include "room.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 64 };

int sj_room(void *array, size_t size, int64_t n, int64_t *room)
{
    void *old, *more;
    if (n < *room)
        return SJ_OK;
    memcpy(&old, array, sizeof old);
    const int64_t larger = 2 * *room + FIRST;
    if (!(more = realloc(old, (size_t)larger * size)))
        return sj_fail(SJ_SYSTEM, "no memory for %lld times %zu bytes", (long long)larger, size);
    memcpy(array, &more, sizeof more);
    *room = larger;
    return SJ_OK;
}
