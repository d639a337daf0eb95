/* Tables: fields, numbers and everything that is off. */
#include "table.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/tap.h"

static char path[64];

static int read_text(const char *text, size_t size, struct sj_table *t)
{
    FILE *f = fopen(path, "w");
    fwrite(text, 1, size, f);
    fclose(f);
    return sj_table_read(path, t);
}

static void refused(const char *text, size_t size, const char *why)
{
    struct sj_table t;
    int status = read_text(text, size, &t);
    ok(status == SJ_INPUT && strstr(sj_reason(), why), "refused: %s (%s)", why, status ? sj_reason() : "read");
}

#define REFUSED(text, why) refused(text, sizeof(text) - 1, why)

int main(void)
{
    static const char good[] = "a\tb b\tc\n1\t\\tx\\\\\\n\t-\n\t2.5\tnan\n";
    struct sj_table t;
    double v = 0;
    int c = -1;
    snprintf(path, sizeof path, "/tmp/sj-table-%ld", (long)getpid());
    if (ok(!read_text("\xef\xbb\xbf" "a\n1\n", 7, &t), "a table behind a byte order mark")) {
        is_int(sj_table_find(&t, "a"), 0, "which is no part of the first name");
        sj_table_free(&t);
    }
    if (ok(!read_text(good, sizeof good - 1, &t), "a table is read")) {
        is_int(t.columns, 3, "columns");
        is_int(t.rows, 2, "rows");
        is_int(sj_table_find(&t, "b b"), 1, "a column");
        is_int(sj_table_find(&t, "b"), -1, "no column");
        ok(!sj_table_column(&t, "c", &c) && c == 2, "a column that must be there");
        ok(sj_table_column(&t, "d", &c) == SJ_INPUT && strstr(sj_reason(), "'d'"), "and is not: %s", sj_reason());
        is_text(sj_table_text(&t, 0, 1), "\tx\\\n", "what is escaped");
        is_text(sj_table_text(&t, 1, 0), "", "an empty field");
        ok(!sj_table_real(&t, 1, 1, 0, 0, &v) && v == 2.5, "a number");
        ok(sj_table_real(&t, 1, 1, 0, 1, &v) == SJ_INPUT && strstr(sj_reason(), "line 3"), "out of its range: %s",
           sj_reason());
        ok(sj_table_real(&t, 1, 2, 0, 0, &v) == SJ_INPUT, "not a number: %s", sj_reason());
        ok(sj_table_real(&t, 0, 2, 0, 0, &v) == SJ_INPUT, "a text: %s", sj_reason());
        sj_table_free(&t);
    }
    ok(!read_text("a\n", 2, &t) && !t.rows, "names alone");
    sj_table_free(&t);
    REFUSED("", "is empty");
    REFUSED("a\tb\n1\t2", "cut short");
    REFUSED("a\tb\n1\0\t2\n", "is no text");
    REFUSED("a\tb\n1\t2\n1\n", "line 3 has 1 fields where the first names 2");
    REFUSED("a\tb\n1\t2\t3\n", "line 2 has 3 fields");
    REFUSED("a\tb\ta\n", "two columns 'a'");
    unlink(path);
    ok(sj_table_read(path, &t) == SJ_SYSTEM && strstr(sj_reason(), path), "no file: %s", sj_reason());
    return done();
}
