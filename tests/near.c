/* near A B BOUND: whether two streams have the same records with values that differ by at most BOUND of the largest. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

struct side {
    struct sj_reader *reader;
    const struct sj_record *record;
    float *value;
    size_t n;
};

static int next(struct side *s)
{
    enum sj_dtype type = sj_reader_head(s->reader)->dtype;
    int status = sj_reader_next(s->reader, &s->record);
    if (status || !s->record)
        return status;
    s->n = s->record->bytes / sj_dtype_size(type);
    float *p = realloc(s->value, s->n * sizeof *p + 1);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory");
    s->value = p;
    sj_dtype_to_f32(type, s->n, s->record->data, p);
    return SJ_OK;
}

/* Whether two records are of the same place and size; *worst and *largest over all so far. */
static int compare(const struct side *a, const struct side *b, double *worst, double *largest)
{
    if (strcmp(a->record->key, b->record->key) || a->record->position != b->record->position || a->n != b->n)
        return 0;
    for (size_t i = 0; i < a->n; i++) {
        double d = fabs((double)a->value[i] - b->value[i]);
        *worst = d > *worst || isnan(d) ? d : *worst;
        *largest = fmax(*largest, fabs((double)a->value[i]));
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct side a = {0}, b = {0};
    double worst = 0, largest = 0;
    int64_t records = 0;
    if (argc != 4)
        return SJ_USAGE;
    int status = sj_reader_open(1, (const char *const *)argv + 1, &a.reader);
    if (!status)
        status = sj_reader_open(1, (const char *const *)argv + 2, &b.reader);
    while (!status && !(status = next(&a)) && !(status = next(&b)) && a.record && b.record) {
        records++;
        if (!compare(&a, &b, &worst, &largest))
            status = sj_fail(SJ_NO, "record %lld differs", (long long)records);
    }
    if (!status && (a.record || b.record || !records))
        status = sj_fail(SJ_NO, "they have different numbers of records, or none");
    if (!status && !(worst <= strtod(argv[3], NULL) * largest))
        status = sj_fail(SJ_NO, "largest difference %g where the largest value is %g", worst, largest);
    if (status)
        fprintf(stderr, "near: '%s' '%s': %s\n", argv[1], argv[2], sj_reason());
    sj_reader_close(a.reader);
    sj_reader_close(b.reader);
    free(a.value);
    free(b.value);
    return status;
}
