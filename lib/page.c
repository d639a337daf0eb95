#include "page.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "installed.h"

static const char data_mark[] = "<!-- sj:data -->", file_mark[] = "<!-- sj:file ", end_mark[] = " -->";

static int open_part(const char *name, FILE **f)
{
    char file[256], path[4096];
    snprintf(file, sizeof file, "pages/%.200s", name);
    sj_installed(file, path, sizeof path);
    *f = fopen(path, "re");
    return *f ? SJ_OK : sj_fail_errno("cannot read '%s', a part of the page", path);
}

/* Without the blanks around it, in place. */
static char *bare(char *line)
{
    line += strspn(line, " \t");
    size_t n = strlen(line);
    while (n && strchr(" \t\r\n", line[n - 1]))
        line[--n] = 0;
    return line;
}

/* The name in a line that asks for a file, in place, or NULL. */
static char *wanted_file(char *line)
{
    const size_t n = strlen(line), a = sizeof file_mark - 1, b = sizeof end_mark - 1;
    if (n <= a + b || strncmp(line, file_mark, a) || strcmp(line + n - b, end_mark))
        return NULL;
    line[n - b] = 0;
    return line + a;
}

static int copy_file(FILE *out, const char *name)
{
    char block[4096];
    FILE *f;
    int status = open_part(name, &f);
    if (status)
        return status;
    for (size_t n; (n = fread(block, 1, sizeof block, f));)
        fwrite(block, 1, n, out);
    if (ferror(f))
        status = sj_fail_errno("cannot read '%s', a part of the page", name);
    fclose(f);
    return status;
}

int sj_page_write(FILE *out, const char *name, int (*fill)(FILE *out, void *arg), void *arg)
{
    char file[256], *line = NULL, *copy = NULL;
    size_t room = 0;
    int marks = 0;
    FILE *f;
    snprintf(file, sizeof file, "%.200s.html", name);
    int status = open_part(file, &f);
    if (status)
        return status;
    while (!status && getline(&line, &room, f) >= 0) {
        if (!(copy = strdup(line))) {
            status = sj_fail(SJ_SYSTEM, "no memory");
            break;
        }
        char *text = bare(copy), *part = wanted_file(text);
        if (part)
            status = copy_file(out, part);
        else if (strcmp(text, data_mark))
            fputs(line, out);
        else if (++marks == 1)
            status = fill(out, arg);
        free(copy);
    }
    if (!status && ferror(f))
        status = sj_fail_errno("cannot read '%s', a part of the page", file);
    else if (!status && marks != 1)
        status = sj_fail(SJ_INPUT, "the template '%s' has %d lines '%s' where one is wanted", file, marks, data_mark);
    free(line);
    fclose(f);
    return status;
}

int sj_page_json(FILE *out, const char *id, const sj_json *value)
{
    char *text;
    int status = sj_json_text(value, &text);
    if (status)
        return status;
    fprintf(out, "<script type=\"application/json\" id=\"%s\">", id);
    for (const char *p = text; *p; p++) /* in JSON a '<' can only stand in a string */
        if (*p == '<')
            fputs("\\u003c", out);
        else
            putc(*p, out);
    fputs("</script>\n", out);
    free(text);
    return SJ_OK;
}

/* Bytes of the UTF-8 character that p begins with; 0: none. */
static int utf8(const unsigned char *p)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const int n = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
    uint32_t code = *p & (0x7fu >> n);
    for (int i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    return n < 2 || (code >= least[n] && code <= 0x10ffff && code >> 11 != 0x1b) ? n : 0;
}

void sj_page_text(FILE *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    for (int n; *p; p += n ? n : 1) {
        n = utf8(p);
        const int control = *p == 0x7f || (*p < ' ' && *p != '\t' && *p != '\n');
        if (!n || control)
            fputs("\xef\xbf\xbd", out);
        else if (n == 1 && strchr("<>&\"'", *p))
            fprintf(out, "&#%d;", *p);
        else
            fwrite(p, 1, (size_t)n, out);
    }
}

void sj_page_base64(FILE *out, const void *data, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const uint32_t b = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        putc(digit[b >> 18], out);
        putc(digit[b >> 12 & 63], out);
        putc(left > 1 ? digit[b >> 6 & 63] : '=', out);
        putc(left > 2 ? digit[b & 63] : '=', out);
    }
}
