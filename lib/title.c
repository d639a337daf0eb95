#include "title.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rng.h"

const char *const sj_split_names[SJ_SPLITS + 1] = {"train", "valid", "test", NULL};

enum { SPLIT_SEED = 5, LEAST = 3 /* letters of what follows " - " to be a title */ };

/* The name without folder and ending (of at most four letters and digits). */
static void base_name(const char *path, char name[SJ_TITLE])
{
    const char *slash = strrchr(path, '/');
    snprintf(name, SJ_TITLE, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot > name && strlen(dot) > 1 && strlen(dot) <= 5 && strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz"
                                                                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                                   "0123456789") == strlen(dot + 1))
        *dot = 0;
}

static void drop_brackets(char *name)
{
    char *to = name;
    int depth = 0;
    for (const char *p = name; *p; p++) {
        depth += strchr("([{", *p) != NULL;
        if (!depth)
            *to++ = *p;
        depth -= depth && strchr(")]}", *p);
    }
    *to = 0;
}

/* Words of letters, digits and what is not ASCII; apostrophes join: "don't" is "dont". */
static void words_of(const char *from, char to[SJ_TITLE])
{
    size_t n = 0;
    for (; *from; from++) {
        unsigned char c = (unsigned char)*from;
        if (c >= 0x80 || isalnum(c))
            to[n++] = (char)tolower(c);
        else if (c != '\'' && c != '`' && n && to[n - 1] != ' ')
            to[n++] = ' ';
    }
    while (n && to[n - 1] == ' ')
        n--;
    to[n] = 0;
}

static int is_number(const char *w, size_t n)
{
    return n && strspn(w, "0123456789") >= n;
}

/* Whether a last word tells versions of a song apart. */
static int is_version(const char *w)
{
    static const char *const words[] = {"remix", "mix",  "edit",  "version", "ver", "live",  "demo", "cover",   "final",
                                        "copy",  "new",  "old",   "karaoke", "kar", "mid",   "midi", "xg",      "gm",
                                        "gs",    "short", "full", "intro",   "crk", "keygen", "alt", "acoustic"};
    size_t n = strlen(w);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(w, words[i]))
            return 1;
    return (n <= 3 && is_number(w, n)) || (*w == 'v' && n <= 4 && is_number(w + 1, n - 1));
}

/* A track's number ("07. ", "3_") before a name. */
static const char *after_number(const char *name)
{
    size_t n = strspn(name, "0123456789"), k = n + strspn(name + n, " ");
    return n && n <= 3 && name[k] && strchr("._-)", name[k]) ? name + k + 1 : name;
}

/* Versions after the title go, as long as a word stays. */
static void strip(char *title)
{
    for (char *last; (last = strrchr(title, ' ')) && is_version(last + 1);)
        *last = 0;
}

void sj_title(const char *path, char title[SJ_TITLE])
{
    char name[SJ_TITLE], bare[SJ_TITLE];
    base_name(path, name);
    memcpy(bare, name, sizeof bare);
    drop_brackets(bare);
    char *part = bare;
    for (char *p = bare; (p = strstr(p, " - ")); part = p += 3)
        ;
    words_of(after_number(part), title);
    if (strlen(title) < LEAST)
        words_of(bare, title);
    if (!*title)
        words_of(name, title);
    if (!*title)
        snprintf(title, SJ_TITLE, "%s", *name ? name : "untitled");
    strip(title);
}

enum sj_split sj_title_split(const char *title, double held_out)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, then mixed */
    for (const char *p = title; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    struct sj_rng r = sj_rng(SPLIT_SEED, h);
    double u = sj_rng_double(&r);
    return u < held_out ? SJ_SPLIT_TEST : u < 2 * held_out ? SJ_SPLIT_VALID : SJ_SPLIT_TRAIN;
}
