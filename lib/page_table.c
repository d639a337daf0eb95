/* Tables of pages. */
#include <stdlib.h>
#include <string.h>

#include "page.h"
#include "table.h"

static int is_number(const char *text)
{
    char *end;
    strtod(text, &end);
    return end != text && (!*end || !strcmp(end, "%"));
}

static int is_none(const char *text)
{
    return !*text || !strcmp(text, "-") || !strcmp(text, "absent");
}

static int is_numeric(const struct sj_table *t, int column)
{
    int numbers = 0;
    for (int64_t row = 0; row < t->rows; row++) {
        const char *text = sj_table_text(t, row, column);
        if (is_number(text))
            numbers = 1;
        else if (!is_none(text))
            return 0;
    }
    return numbers;
}

/* mean_rank_percent: "mean rank %". */
static void write_name(FILE *out, const char *name)
{
    static const char unit[] = "_percent";
    char text[256];
    const size_t n = strlen(name), m = sizeof unit - 1;
    const int percent = n > m && !strcmp(name + n - m, unit);
    snprintf(text, sizeof text, "%.*s%s", (int)(n - (percent ? m : 0)), name, percent ? "_%" : "");
    for (char *p = text; (p = strchr(p, '_'));)
        *p = ' ';
    sj_page_text(out, text);
}

/* Row -1: the names. */
static void write_cells(FILE *out, const struct sj_table *t, int64_t row, const char *numeric)
{
    static const char *const class[] = {"", " class=\"n\"", " class=\"none\"", " class=\"n none\""};
    const char *tag = row < 0 ? "th" : "td";
    fputs("<tr>", out);
    for (int c = 0; c < t->columns; c++) {
        const char *text = row < 0 ? t->name[c] : sj_table_text(t, row, c);
        fprintf(out, "<%s%s>", tag, class[numeric[c] + 2 * (row >= 0 && is_none(text))]);
        if (row < 0)
            write_name(out, text);
        else
            sj_page_text(out, text);
        fprintf(out, "</%s>", tag);
    }
    fputs("</tr>\n", out);
}

int sj_page_table(FILE *out, const struct sj_table *t)
{
    char *numeric = calloc((size_t)t->columns, 1);
    if (!numeric)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int c = 0; c < t->columns; c++)
        numeric[c] = (char)is_numeric(t, c);
    fputs("<div class=\"wide\" tabindex=\"0\"><table>\n<thead>", out);
    write_cells(out, t, -1, numeric);
    fputs("</thead>\n<tbody>\n", out);
    for (int64_t row = 0; row < t->rows; row++)
        write_cells(out, t, row, numeric);
    fputs("</tbody>\n</table></div>\n", out);
    free(numeric);
    return SJ_OK;
}
