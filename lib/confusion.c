/* Figure 2: the second half of retrieval.h. */
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "retrieval.h"

struct sj_confusion {
    struct sj_head *head;
    int64_t *outcome; /* (classes, SJ_OUTCOMES) */
    int64_t *count;   /* (classes of queries, classes + 1 of neighbours: the last is none) */
};

int sj_confusion_new(const struct sj_head *head, struct sj_confusion **out)
{
    const size_t n = (size_t)head->classes;
    struct sj_confusion *c = calloc(1, sizeof *c);
    if (c) {
        c->outcome = calloc(n * SJ_OUTCOMES + 1, sizeof *c->outcome);
        c->count = calloc(n * (n + 1) + 1, sizeof *c->count);
    }
    int status = c && c->outcome && c->count ? sj_head_copy(head, &c->head) : sj_fail(SJ_SYSTEM, "no memory");
    if (status) {
        sj_confusion_free(c);
        return status;
    }
    *out = c;
    return SJ_OK;
}

void sj_confusion_free(struct sj_confusion *c)
{
    if (!c)
        return;
    sj_head_free(c->head);
    free(c->outcome);
    free(c->count);
    free(c);
}

int sj_confusion_add(struct sj_confusion *c, struct sj_embedding query, struct sj_embedding nearest)
{
    const int n = c->head->classes;
    const size_t track = sj_key_track(query.key);
    if (query.class < 0 || query.class >= n || nearest.class >= n)
        return sj_fail(SJ_USAGE, "'%s' has no class of this confusion", query.key);
    int same_track = track == sj_key_track(nearest.key) && !memcmp(query.key, nearest.key, track);
    c->outcome[query.class * SJ_OUTCOMES + (int)sj_outcome_of(query.class == nearest.class, same_track)]++;
    c->count[query.class * (n + 1) + (nearest.class < 0 ? n : nearest.class)]++;
    return SJ_OK;
}

static const char *const outcome_name[SJ_OUTCOMES] = {"both_right_percent", "instrument_right_percent",
                                                      "song_right_percent", "both_wrong_percent"};

static int print_outcome(FILE *f, int json, const char *class, const int64_t *outcome)
{
    int64_t n = 0;
    int status = SJ_OK;
    for (int i = 0; i < SJ_OUTCOMES; i++)
        n += outcome[i];
    const double share = n ? 100 / (double)n : 0;
    if (!json) {
        fprintf(f, "%s\t%lld", class, (long long)n);
        for (int i = 0; i < SJ_OUTCOMES; i++)
            fprintf(f, "\t%.2f", share * (double)outcome[i]);
        fputc('\n', f);
        return status;
    }
    sj_json *o = sj_json_object();
    sj_json_set(o, "table", sj_json_string("outcome"));
    sj_json_set(o, "class", sj_json_string(class));
    sj_json_set(o, "queries", sj_json_int(n));
    for (int i = 0; i < SJ_OUTCOMES; i++)
        sj_json_set(o, outcome_name[i], sj_json_real(share * (double)outcome[i]));
    status = sj_json_line(f, o);
    sj_json_free(o);
    return status;
}

static int print_outcomes(const struct sj_confusion *c, FILE *f, int json)
{
    int64_t all[SJ_OUTCOMES] = {0};
    int status = SJ_OK;
    if (!json) {
        fprintf(f, "class\tqueries");
        for (int i = 0; i < SJ_OUTCOMES; i++)
            fprintf(f, "\t%s", outcome_name[i]);
        fputc('\n', f);
    }
    for (int a = 0; a < c->head->classes && !status; a++) {
        for (int i = 0; i < SJ_OUTCOMES; i++)
            all[i] += c->outcome[a * SJ_OUTCOMES + i];
        status = print_outcome(f, json, c->head->class_name[a], c->outcome + a * SJ_OUTCOMES);
    }
    return status ? status : print_outcome(f, json, "all", all);
}

static const char *name(const struct sj_confusion *c, int class)
{
    return class < c->head->classes ? c->head->class_name[class] : "-";
}

static int print_counts(const struct sj_confusion *c, int a, FILE *f, int json)
{
    const int n = c->head->classes;
    int status = SJ_OK;
    if (!json) {
        fputs(name(c, a), f);
        for (int b = 0; b <= n; b++)
            fprintf(f, "\t%lld", (long long)c->count[a * (n + 1) + b]);
        fputc('\n', f);
        return status;
    }
    sj_json *o = sj_json_object(), *counts = sj_json_object();
    for (int b = 0; b <= n; b++)
        sj_json_set(counts, name(c, b), sj_json_int(c->count[a * (n + 1) + b]));
    sj_json_set(o, "table", sj_json_string("confusion"));
    sj_json_set(o, "class", sj_json_string(name(c, a)));
    sj_json_set(o, "neighbours", counts);
    status = sj_json_line(f, o);
    sj_json_free(o);
    return status;
}

int sj_confusion_print(const struct sj_confusion *c, FILE *f, int json)
{
    const int n = c->head->classes;
    int status = print_outcomes(c, f, json);
    if (!json) {
        fputs("\nclass", f);
        for (int b = 0; b <= n; b++)
            fprintf(f, "\t%s", name(c, b));
        fputc('\n', f);
    }
    for (int a = 0; a < n && !status; a++)
        status = print_counts(c, a, f, json);
    return status;
}
