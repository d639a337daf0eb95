/* choices: a text file, a line for each shape: the key's 16 numbers, then the choice's 8 words in hex. */
#include "choices_cuda.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    key_values = sizeof(struct cuda_choice_key) / sizeof(int64_t),
    words = sizeof(struct cuda_choice) / sizeof(uint64_t)
};

struct cuda_chosen {
    struct cuda_chosen *next;
    struct cuda_choice_key key;
    struct cuda_choice choice;
};

/* The cache's folder, made if missing; 0 when there is none. */
static int folder(char *path, size_t size)
{
    const char *own = getenv("SJ_CUDA_CACHE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = 0;
    if (own)
        n = snprintf(path, size, "%s", own);
    else if (cache && *cache)
        n = snprintf(path, size, "%s/sj", cache);
    else if (home && *home)
        n = snprintf(path, size, "%s/.cache/sj", home);
    if (n <= 0 || (size_t)n >= size)
        return 0;
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(path, 0777);
        *at = '/';
    }
    mkdir(path, 0777);
    return access(path, R_OK | W_OK | X_OK) == 0;
}

static void remember(struct cuda_choices *c, const struct cuda_choice_key *key, const struct cuda_choice *choice)
{
    struct cuda_chosen *one = (struct cuda_chosen *)calloc(1, sizeof *one);
    if (!one)
        return;
    one->key = *key;
    one->choice = *choice;
    one->next = c->first;
    c->first = one;
}

static int read_line(char *line, struct cuda_choice_key *key, struct cuda_choice *choice)
{
    char *end = line;
    for (int i = 0; i < key_values; i++, line = end) {
        key->value[i] = strtoll(line, &end, 10);
        if (end == line || *end != ' ')
            return 0;
    }
    for (int i = 0; i < words; i++, line = end) {
        choice->word[i] = strtoull(line, &end, 16);
        if (end == line || *end != (i + 1 < words ? ' ' : '\n'))
            return 0;
    }
    return 1;
}

void cuda_choices_open(struct cuda_choices *c, const char *device, size_t version)
{
    char where[3072], name[128], path[4096];
    size_t n = 0;
    memset(c, 0, sizeof *c);
    for (; device[n] && n < sizeof name - 1; n++)
        name[n] = isalnum((unsigned char)device[n]) ? device[n] : '-';
    name[n] = '\0';
    if (!folder(where, sizeof where))
        return;
    int length = snprintf(path, sizeof path, "%s/products-1-%zu-%s", where, version, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return;
    c->path = strdup(path);
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    struct cuda_choice_key key;
    struct cuda_choice choice;
    while (fgets(path, sizeof path, f))
        if (read_line(path, &key, &choice))
            remember(c, &key, &choice);
    fclose(f);
}

void cuda_choices_close(struct cuda_choices *c)
{
    for (struct cuda_chosen *one = c->first, *next; one; one = next) {
        next = one->next;
        free(one);
    }
    free(c->path);
    memset(c, 0, sizeof *c);
}

const struct cuda_choice *cuda_choices_find(const struct cuda_choices *c, const struct cuda_choice_key *key)
{
    for (const struct cuda_chosen *one = c->first; one; one = one->next)
        if (!memcmp(&one->key, key, sizeof *key))
            return &one->choice;
    return NULL;
}

void cuda_choices_add(struct cuda_choices *c, const struct cuda_choice_key *key, const struct cuda_choice *choice)
{
    char line[1024];
    int n = 0;
    remember(c, key, choice);
    if (!c->path)
        return;
    for (int i = 0; i < key_values; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%" PRId64 " ", key->value[i]);
    for (int i = 0; i < words; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%016" PRIx64 "%c", choice->word[i],
                      i + 1 < words ? ' ' : '\n');
    int f = open(c->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (f < 0)
        return;
    ssize_t written = write(f, line, (size_t)n);
    (void)written; /* a line that was cut is passed over */
    close(f);
}
