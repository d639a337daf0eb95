/* memory: memory operations of the CPU tables. The host's memory is the back end's own. */
#include "cpu.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { huge_page = 2 << 20, huge_from = 1 << 20 };

void *sjk_memory(size_t bytes)
{
    size_t align = bytes >= huge_from ? huge_page : 64, size = (bytes / align + 1) * align;
    void *p = size < bytes ? NULL : aligned_alloc(align, size);
    if (p && align == huge_page)
        madvise(p, size, MADV_HUGEPAGE); /* a wish: large arrays are walked from end to end */
    return p;
}

void *sjk_scratch(struct sjk *k, size_t bytes)
{
    struct sjk_cpu *own = k->own;
    if (bytes <= own->scratch_size && own->scratch)
        return own->scratch;
    free(own->scratch);
    own->scratch = sjk_memory(bytes);
    own->scratch_size = own->scratch ? bytes : 0;
    if (!own->scratch)
        sjk_fail(k, SJK_MEMORY, "no memory for %zu bytes of scratch", bytes);
    return own->scratch;
}

int sjk_cpu_alloc(struct sjk *k, size_t bytes, void **p)
{
    *p = NULL;
    if (!bytes)
        return 0;
    if (!(*p = sjk_memory(bytes)))
        return sjk_fail(k, SJK_MEMORY, "no memory for %zu bytes", bytes);
    memset(*p, 0, bytes);
    return 0;
}

void sjk_cpu_free(struct sjk *k, void *p)
{
    (void)k;
    free(p);
}

int sjk_cpu_put(struct sjk *k, void *dst, const void *host, size_t bytes)
{
    (void)k;
    if (bytes)
        memcpy(dst, host, bytes);
    return 0;
}

int sjk_cpu_copy(struct sjk *k, void *dst, const void *src, size_t bytes)
{
    return sjk_cpu_put(k, dst, src, bytes);
}

int sjk_cpu_zero(struct sjk *k, void *dst, size_t bytes)
{
    (void)k;
    if (bytes)
        memset(dst, 0, bytes);
    return 0;
}

int sjk_cpu_sync(struct sjk *k)
{
    (void)k;
    return 0;
}

int sjk_cpu_begin(struct sjk *k, uint64_t key)
{
    (void)k;
    (void)key;
    return 0;
}

int sjk_cpu_end(struct sjk *k)
{
    (void)k;
    return 0;
}

/* -- inboxes ------------------------------------------------------------------------------------------------------ */

/* One buffer is taken, one sent ahead, one filled. */
enum { inbox_buffers = 3 };

struct sjk_inbox {
    void *buffer[inbox_buffers];
    int64_t sent, taken; /* so far: buffer `sent` is to be filled, `taken` to be taken next */
};

int sjk_cpu_inbox_new(struct sjk *k, size_t bytes, struct sjk_inbox **out)
{
    struct sjk_inbox *b = *out = calloc(1, sizeof *b);
    int enough = b != NULL;
    for (int i = 0; enough && i < inbox_buffers; i++)
        enough = (b->buffer[i] = sjk_memory(bytes)) != NULL;
    if (enough)
        return 0;
    sjk_cpu_inbox_free(k, b);
    *out = NULL;
    return sjk_fail(k, SJK_MEMORY, "no memory for %d times %zu bytes", inbox_buffers, bytes);
}

void sjk_cpu_inbox_free(struct sjk *k, struct sjk_inbox *b)
{
    (void)k;
    for (int i = 0; b && i < inbox_buffers; i++)
        free(b->buffer[i]);
    free(b);
}

void *sjk_cpu_inbox_host(struct sjk *k, struct sjk_inbox *b)
{
    if (b->sent - b->taken < 2)
        return b->buffer[b->sent % inbox_buffers];
    sjk_fail(k, SJK_BAD, "two sendings wait to be taken");
    return NULL;
}

int sjk_cpu_inbox_send(struct sjk *k, struct sjk_inbox *b)
{
    if (!sjk_cpu_inbox_host(k, b))
        return SJK_BAD;
    b->sent++;
    return 0;
}

int sjk_cpu_inbox_take(struct sjk *k, struct sjk_inbox *b, const void **data)
{
    if (b->taken >= b->sent)
        return sjk_fail(k, SJK_BAD, "nothing was sent that could be taken");
    *data = b->buffer[b->taken++ % inbox_buffers];
    return 0;
}
