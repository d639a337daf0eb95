#include "pieces.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "midi.h"
#include "room.h"

enum { PATHS = 4096, DEEPEST = 32, KEY = 160 };

int sj_piece_read(const char *path, void **data, size_t *size)
{
    struct stat s;
    *data = NULL;
    *size = 0;
    if (stat(path, &s))
        return sj_fail_errno("cannot be read");
    if (!S_ISREG(s.st_mode))
        return sj_fail(SJ_INPUT, "not a file");
    if (s.st_size > SJ_PIECE_BYTES)
        return sj_fail(SJ_INPUT, "larger than %d MiB", SJ_PIECE_BYTES >> 20);
    FILE *f = fopen(path, "rbe");
    if (!f)
        return sj_fail_errno("cannot be read");
    int status = SJ_OK;
    if (!(*data = malloc((size_t)s.st_size + 1)))
        status = sj_fail(SJ_SYSTEM, "no memory for %lld bytes", (long long)s.st_size);
    else
        *size = fread(*data, 1, (size_t)s.st_size, f);
    if (!status && ferror(f))
        status = sj_fail_errno("cannot be read");
    fclose(f);
    if (status) {
        free(*data);
        *data = NULL;
    }
    return status;
}

static uint64_t hash_of(const unsigned char *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 0x100000001b3u;
    return h ? h : 1;
}

/* The name as part of a path and of a table: no control characters, no dot in front. */
static int name_key(struct sj_piece *p)
{
    char key[KEY];
    const char *slash = strrchr(p->path, '/'), *base = slash ? slash + 1 : p->path, *dot = strrchr(base, '.');
    int n = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    snprintf(key, sizeof key, "%.*s.%08x", n < 120 ? n : 120, base, (unsigned)(p->hash >> 32));
    for (char *c = key; *c; c++)
        *c = (unsigned char)*c < ' ' || *c == 0x7f || (c == key && *c == '.') ? '_' : *c;
    return (p->key = strdup(key)) ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for '%s'", p->path);
}

static int add_file(struct sj_pieces *all, const char *path, double held_out)
{
    int status = sj_room(&all->piece, sizeof *all->piece, all->n, &all->room);
    if (status)
        return status;
    struct sj_piece *p = &all->piece[all->n];
    *p = (struct sj_piece){.path = strdup(path)};
    if (!p->path)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    all->n++;
    sj_title(path, p->title);
    p->split = sj_title_split(p->title, held_out);
    void *data;
    size_t size;
    if ((status = sj_piece_read(path, &data, &size)) == SJ_SYSTEM && errno == ENOMEM)
        return status; /* not the file's fault */
    if (status) {
        if (!(p->reason = strdup(sj_reason())))
            return sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    } else {
        p->hash = hash_of(data, size);
        p->is_midi = sj_midi_is(data, size);
    }
    free(data);
    return name_key(p);
}

static int visible(const struct dirent *e)
{
    return *e->d_name != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add(struct sj_pieces *all, const char *path, double held_out, int depth)
{
    struct stat s;
    struct dirent **entry;
    int there = !stat(path, &s);
    if (!there && !depth)
        return sj_fail_errno("cannot read '%s'", path);
    if (!there || !S_ISDIR(s.st_mode) || depth > DEEPEST)
        return add_file(all, path, held_out);
    int n = scandir(path, &entry, visible, by_bytes), status = SJ_OK;
    if (n < 0)
        return sj_fail_errno("cannot read '%s'", path);
    for (int i = 0; i < n; i++) {
        char inside[PATHS];
        int k = snprintf(inside, sizeof inside, "%s/%s", path, entry[i]->d_name);
        if (!status && k >= (int)sizeof inside)
            status = sj_fail(SJ_INPUT, "'%s' is too long a path", path);
        if (!status)
            status = add(all, inside, held_out, depth + 1);
        free(entry[i]);
    }
    free(entry);
    return status;
}

static int by_hash(const void *a, const void *b)
{
    const struct sj_piece *x = *(const struct sj_piece *const *)a, *y = *(const struct sj_piece *const *)b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x < y ? -1 : x > y;
}

static const struct sj_piece *const *order_of(struct sj_pieces *p)
{
    const struct sj_piece **order = malloc((size_t)(p->n + 1) * sizeof *order);
    for (int64_t i = 0; order && i < p->n; i++)
        order[i] = &p->piece[i];
    if (order)
        qsort(order, (size_t)p->n, sizeof *order, by_hash);
    return order;
}

/* Gives all but the first of several files with the same bytes their reason. */
static int find_copies(struct sj_pieces *p)
{
    const struct sj_piece *const *order = order_of(p);
    int status = order ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld files", (long long)p->n);
    for (int64_t i = 1, first = 0; i < p->n && !status; i++) {
        if (order[i]->hash != order[first]->hash)
            first = i;
        struct sj_piece *copy = &p->piece[order[i] - p->piece];
        if (first == i || copy->reason || !copy->hash)
            continue;
        if (asprintf(&copy->reason, "the same as '%s'", order[first]->path) < 0)
            status = sj_fail(SJ_SYSTEM, "no memory for '%s'", copy->path);
    }
    free((void *)(uintptr_t)order);
    return status;
}

int sj_pieces_find(int n, const char *const *operands, double held_out, struct sj_pieces *p)
{
    int status = SJ_OK;
    *p = (struct sj_pieces){.n = 0};
    for (int i = 0; i < n && !status; i++)
        status = add(p, operands[i], held_out, 0);
    return status ? status : find_copies(p);
}

void sj_pieces_free(struct sj_pieces *p)
{
    for (int64_t i = 0; i < p->n; i++) {
        free(p->piece[i].path);
        free(p->piece[i].key);
        free(p->piece[i].reason);
    }
    free(p->piece);
    *p = (struct sj_pieces){.n = 0};
}
