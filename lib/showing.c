#include "showing.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "page.h"
#include "table.h"
#include "whole.h"

enum { ROWS = 100, FOLDED = 20, FIGURE_BYTES = 1 << 26 };

static const struct section {
    const char *id, *title, *what;
} sections[] = {
    {"table1", "Table 1: finding the missing stem",
     "For every mix without one of its stems, the prediction is looked for among all stems of the data set: how often "
     "the true stem is among the nearest, and how near it ranks."},
    {"figure2", "Figure 2: what the nearest stem is",
     "Whether the nearest stem has the right instrument and comes from the right song, by instrument."},
    {"figure3", "Figure 3: listening test",
     "How well listeners find that stems fit which were retrieved by the model, by chance, or are the true ones."},
    {"figure4", "Figure 4: alignment in time",
     "How similar a stem is to what is predicted from its mix when it is shifted in time against it."},
    {"figure5", "Figure 5: keys and chords",
     "Which keys and chords sound where embeddings fall into the same cluster."},
    {"table3", "Table 3: what the embeddings know",
     "Small classifiers trained on frozen embeddings: keys, genres, tags, instruments."},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

struct sj_showing {
    char *folder;
    char **file; /* (files) names in the folder, by byte value */
    int files;
};

/* -- what is there ------------------------------------------------------------------------------------------------- */
/* By byte value, but "table1.tsv" before "table1-x.tsv". */
static int by_name(const void *a, const void *b)
{
    const char *p = *(char *const *)a, *q = *(char *const *)b;
    for (; *p && *p == *q; p++)
        q++;
    const int x = *p == '.' ? 0 : (unsigned char)*p, y = *q == '.' ? 0 : (unsigned char)*q;
    return x != y ? x - y : strcmp(p, q);
}

static int add_file(struct sj_showing *s, const char *name)
{
    char **more = realloc(s->file, ((size_t)s->files + 1) * sizeof *more);
    if (more)
        s->file = more;
    if (!more || !(s->file[s->files] = strdup(name)))
        return sj_fail(SJ_SYSTEM, "no memory");
    s->files++;
    return SJ_OK;
}

static char *path_of(const struct sj_showing *s, const char *name)
{
    const size_t size = strlen(s->folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", s->folder, name);
    return path;
}

static int belongs(const char *name, const struct section *of)
{
    const size_t n = strlen(of->id);
    return !strncmp(name, of->id, n) && (name[n] == '.' || name[n] == '-');
}

/* That the output is none of the files that are read or linked to. */
static int want_apart(const struct sj_showing *s, const char *name, const char *output)
{
    int used = !strcmp(name, "provenance.tsv");
    for (int i = 0; i < SECTIONS; i++)
        used |= belongs(name, &sections[i]);
    char *path = used ? path_of(s, name) : NULL;
    int status = used && !path ? sj_fail(SJ_SYSTEM, "no memory") : sj_whole_apart(output, path);
    free(path);
    return status;
}

int sj_showing_open(const char *folder, const char *output, struct sj_showing **out)
{
    struct sj_showing *s = calloc(1, sizeof *s);
    int status = s && (s->folder = strdup(folder)) ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    DIR *d = status ? NULL : opendir(folder);
    if (!status && !d)
        status = sj_fail_errno("cannot read the folder '%s'", folder);
    for (const struct dirent *e; !status && (errno = 0, e = readdir(d));)
        status = add_file(s, e->d_name);
    if (!status && errno)
        status = sj_fail_errno("cannot read the folder '%s'", folder);
    if (d)
        closedir(d);
    for (int i = 0; i < (s ? s->files : 0) && !status; i++)
        status = want_apart(s, s->file[i], output);
    if (status) {
        sj_showing_close(s);
        return status;
    }
    if (s->files)
        qsort(s->file, (size_t)s->files, sizeof *s->file, by_name);
    *out = s;
    return SJ_OK;
}

void sj_showing_close(struct sj_showing *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->files; i++)
        free(s->file[i]);
    free(s->file);
    free(s->folder);
    free(s);
}

static int has(const struct sj_showing *s, const char *name)
{
    char *path = path_of(s, name);
    const int there = path && !access(path, F_OK);
    free(path);
    return there;
}

static int ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end);
}

/* NAME with another ending, to be freed. */
static char *beside(const char *name, const char *end)
{
    const size_t n = strlen(name) - strlen(strrchr(name, '.')), size = n + strlen(end) + 1;
    char *other = malloc(size);
    if (other)
        snprintf(other, size, "%.*s%s", (int)n, name, end);
    return other;
}

static int is_shown(const struct sj_showing *s, const char *name)
{
    if (ends_in(name, ".tsv") || ends_in(name, ".svg") || ends_in(name, ".html"))
        return 1;
    if (!ends_in(name, ".png"))
        return 0;
    char *svg = beside(name, ".svg");
    const int alone = svg && !has(s, svg);
    free(svg);
    return alone;
}

/* The listening test's page lies in a folder with its sounds. */
static const char listening[] = "listening-test/index.html";

static int is_there(const struct sj_showing *s, const struct section *of)
{
    for (int i = 0; i < s->files; i++)
        if (belongs(s->file[i], of) && is_shown(s, s->file[i]))
            return 1;
    return !strcmp(of->id, "figure3") && has(s, listening);
}

/* -- its parts ----------------------------------------------------------------------------------------------------- */
static int read_file(const char *path, char **data, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return sj_fail_errno("cannot open '%s'", path);
    char *all = malloc(FIGURE_BYTES + 1);
    *size = all ? fread(all, 1, FIGURE_BYTES + 1, f) : 0;
    int status = all ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    if (!status && ferror(f))
        status = sj_fail_errno("cannot read '%s'", path);
    else if (!status && *size > FIGURE_BYTES)
        status = sj_fail(SJ_INPUT, "'%s' is larger than %d MiB", path, FIGURE_BYTES >> 20);
    fclose(f);
    if (status) {
        free(all);
        return status;
    }
    all[*size] = 0;
    *data = all;
    return SJ_OK;
}

/* "table1-by-class.tsv" of the section table1: "by class"; of "table1.tsv" nothing is written. */
static void write_heading(FILE *out, const char *name, const struct section *of)
{
    char text[256];
    const size_t id = strlen(of->id), end = strlen(name) - strlen(strrchr(name, '.'));
    if (end <= id)
        return;
    snprintf(text, sizeof text, "%.*s", (int)(end - id - 1), name + id + 1);
    for (char *p = text; *p; p++)
        *p = *p == '-' || *p == '_' ? ' ' : *p;
    fputs("<h3>", out);
    sj_page_text(out, text);
    fputs("</h3>\n", out);
}

static void write_link(FILE *out, const char *to, const char *class, const char *text)
{
    fprintf(out, "<a%s href=\"", class);
    for (const unsigned char *p = (const unsigned char *)to; *p; p++)
        if (isalnum(*p) || strchr("-._~/", *p))
            putc(*p, out);
        else
            fprintf(out, "%%%02X", *p);
    fputs("\">", out);
    sj_page_text(out, text);
    fputs("</a>", out);
}

static int write_table(FILE *out, const char *path, const char *name)
{
    struct sj_table t;
    int status = sj_table_read(path, &t);
    if (status)
        return status;
    if (t.rows > ROWS) {
        fputs("<p>", out);
        write_link(out, name, "", name);
        fprintf(out, ": %lld rows</p>\n", (long long)t.rows);
    } else {
        if (t.rows > FOLDED)
            fprintf(out, "<details><summary>%lld rows</summary>\n", (long long)t.rows);
        status = sj_page_table(out, &t);
        if (t.rows > FOLDED)
            fputs("</details>\n", out);
    }
    sj_table_free(&t);
    return status;
}

/* Whether an image begins and ends as one of its kind does. */
static int is_figure(const char *data, size_t size, int svg)
{
    static const char first[8] = "\x89PNG\r\n\x1a\n", last[8] = "IEND\xae\x42\x60\x82";
    if (!svg)
        return size >= 16 && !memcmp(data, first, 8) && !memcmp(data + size - 8, last, 8);
    while (size && strchr(" \t\r\n", data[size - 1]))
        size--;
    return strstr(data, "<svg") && size >= 6 && !memcmp(data + size - 6, "</svg>", 6);
}

/* Figures are images of their own: what they define by name cannot get mixed up. */
static int write_figure(FILE *out, const char *path, const char *name, const struct section *of)
{
    char *data;
    size_t size;
    const int svg = ends_in(name, ".svg");
    int status = read_file(path, &data, &size);
    if (status)
        return status;
    if (!is_figure(data, size, svg)) {
        free(data);
        return sj_fail(SJ_INPUT, "'%s' is no %s, or cut short", path, svg ? "SVG" : "PNG");
    }
    fprintf(out, "<figure><img alt=\"%s: ", of->title);
    sj_page_text(out, name);
    fprintf(out, "\" src=\"data:image/%s;base64,", svg ? "svg+xml" : "png");
    sj_page_base64(out, data, size);
    fputs("\"></figure>\n", out);
    free(data);
    return SJ_OK;
}

/* The note of a table, or of a figure without a table of its name. */
static int write_note(FILE *out, const struct sj_showing *s, const char *name)
{
    char *note = beside(name, ".txt"), *table = beside(name, ".tsv"), *text = NULL;
    char *path = note ? path_of(s, note) : NULL;
    size_t size;
    int status = path && table ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    if (!status && has(s, note) && (ends_in(name, ".tsv") || !has(s, table))
        && !(status = read_file(path, &text, &size))) {
        while (size && strchr(" \n", text[size - 1]))
            text[--size] = 0;
        fputs("<p class=\"note\">", out);
        sj_page_text(out, text);
        fputs("</p>\n", out);
    }
    free(text);
    free(path);
    free(table);
    free(note);
    return status;
}

static int write_part(FILE *out, const struct sj_showing *s, const char *name, const struct section *of)
{
    char *path = path_of(s, name);
    int status = path ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    if (!status && ends_in(name, ".html")) {
        write_link(out, name, " class=\"page\"", "Open the interactive page");
    } else if (!status) {
        write_heading(out, name, of);
        status = ends_in(name, ".tsv") ? write_table(out, path, name) : write_figure(out, path, name, of);
        if (!status)
            status = write_note(out, s, name);
    }
    free(path);
    return status;
}

/* -- the whole ----------------------------------------------------------------------------------------------------- */
static int write_section(FILE *out, const struct sj_showing *s, const struct section *of)
{
    static const char *const table[] = {".tsv", ".svg", ".png", ".html"};
    static const char *const figure[] = {".svg", ".png", ".html", ".tsv"};
    const char *const *order = strncmp(of->id, "figure", 6) ? table : figure;
    const int there = is_there(s, of);
    int status = SJ_OK;
    fprintf(out, "<section id=\"%s\"%s>\n<h2>%s</h2>\n<p>%s</p>\n", of->id, there ? "" : " class=\"absent\"", of->title,
            of->what);
    if (!there)
        fputs("<p class=\"gap\">Absent: it has not been made here.</p>\n", out);
    for (size_t kind = 0; kind < sizeof table / sizeof *table; kind++)
        for (int i = 0; i < s->files && !status; i++)
            if (belongs(s->file[i], of) && ends_in(s->file[i], order[kind]) && is_shown(s, s->file[i]))
                status = write_part(out, s, s->file[i], of);
    if (!strcmp(of->id, "figure3") && has(s, listening))
        write_link(out, listening, " class=\"page\"", "Take the listening test");
    fputs("</section>\n", out);
    return status;
}

static int write_provenance(FILE *out, const struct sj_showing *s)
{
    struct sj_table t = {0};
    char *path = path_of(s, "provenance.tsv");
    int name = 0, value = 0, status = path ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    fputs("<footer>\n<h2>Where this comes from</h2>\n<dl>\n", out);
    if (!status && !access(path, F_OK) && !(status = sj_table_read(path, &t))
        && !(status = sj_table_column(&t, "name", &name)) && !(status = sj_table_column(&t, "value", &value)))
        for (int64_t row = 0; row < t.rows; row++) {
            fputs("<dt>", out);
            sj_page_text(out, sj_table_text(&t, row, name));
            fputs("</dt><dd>", out);
            sj_page_text(out, sj_table_text(&t, row, value));
            fputs("</dd>\n", out);
        }
    fprintf(out, "<dt>page</dt><dd>sj-page %s</dd>\n</dl>\n</footer>\n", SJ_VERSION);
    sj_table_free(&t);
    free(path);
    return status;
}

static void write_header(FILE *out, const struct sj_showing *s)
{
    fputs("<header>\n<h1>Stem compatibility: tables and figures</h1>\n<p>The experiments of Stem-JEPA (Riou et al., "
          "ISMIR 2024), made anew. What is absent was not made; nothing is filled in for it.</p>\n"
          "<nav aria-label=\"Sections\">\n", out);
    for (int i = 0; i < SECTIONS; i++) {
        const char *title = sections[i].title, *class = is_there(s, &sections[i]) ? "" : " class=\"absent\"";
        fprintf(out, "<a href=\"#%s\"%s>%.*s</a>\n", sections[i].id, class, (int)strcspn(title, ":"), title);
    }
    fputs("</nav>\n</header>\n", out);
}

int sj_showing_write(FILE *out, const struct sj_showing *s)
{
    int status = SJ_OK;
    write_header(out, s);
    fputs("<main>\n", out);
    for (int i = 0; i < SECTIONS && !status; i++)
        status = write_section(out, s, &sections[i]);
    fputs("</main>\n", out);
    return status ? status : write_provenance(out, s);
}
