/* room: arrays that grow. */
#ifndef SJ_ROOM_H
#define SJ_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* array: the address of a pointer, to *room members of `size` bytes each, or NULL where *room is 0. Makes it larger, by
 * doubling, where it is full of n members, so that there is room for one more. SJ_SYSTEM: no memory; all stays as it
 * is. */
int sj_room(void *array, size_t size, int64_t n, int64_t *room);

#endif
