#include "listening.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio.h"
#include "crc32c.h"
#include "page.h"
#include "whole.h"

enum { PATHS = 4096, NAMES = 128 };

static const char *sound_name(int i)
{
    return i ? sj_conditions[i - 1] : "mix";
}

/* -- files --------------------------------------------------------------------------------------------------------- */

static int path_of(const struct sj_listening *l, const char *name, char path[PATHS])
{
    const int n = snprintf(path, PATHS, "%s/%s", l->folder, name);
    return n > 0 && n < PATHS ? SJ_OK : sj_fail(SJ_USAGE, "'%s' is too long a path", l->folder);
}

static int make_folder(const struct sj_listening *l, const char *name)
{
    char path[PATHS];
    int status = path_of(l, name, path);
    if (!status && mkdir(path, 0777) && errno != EEXIST)
        status = sj_fail_errno("cannot make the folder '%s'", path);
    return status;
}

static int remove_file(const struct sj_listening *l, const char *name)
{
    char path[PATHS];
    const int status = path_of(l, name, path);
    return status || !unlink(path) || errno == ENOENT ? status : sj_fail_errno("cannot remove '%s'", path);
}

/* Whether a file in audio/ is called as a sound or script of a trial, or one that was never finished: digits, then
 * "-CLASS-SOUND.flac" or ".js". */
static int is_ours(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    const size_t digits = strspn(name, "0123456789"), stem = strspn(name, letters);
    const char *end = name + stem;
    const size_t ending = !strncmp(end, ".js", 3) ? 3 : !strncmp(end, ".flac", 5) ? 5 : 0;
    const int script = ending == 3, rest = (int)strlen(end + ending);
    int sound = 0;
    if (!ending || digits < 2 || (rest && (rest != 10 || strncmp(end + ending, ".tmp", 4))))
        return 0;
    for (int i = 0; i <= SJ_CONDITIONS && !script && !sound; i++) {
        const size_t n = strlen(sound_name(i));
        sound = stem > digits + 2 + n && name[digits] == '-' && end[-(ptrdiff_t)n - 1] == '-' &&
                !strncmp(end - n, sound_name(i), n);
    }
    return script ? stem == digits : sound;
}

static int remove_trials(const struct sj_listening *l)
{
    char path[PATHS], name[NAMES + 256];
    int status = path_of(l, "audio", path);
    DIR *d = status ? NULL : opendir(path);
    if (!d)
        return status ? status : sj_fail_errno("cannot read '%s'", path);
    for (const struct dirent *e; !status && (e = readdir(d));)
        if (is_ours(e->d_name)) {
            snprintf(name, sizeof name, "audio/%s", e->d_name);
            status = remove_file(l, name);
        }
    closedir(d);
    return status;
}

int sj_listening_begin(const struct sj_listening *l)
{
    static const char *const names[] = {"index.html", "trials.json", "webmushra.yaml"};
    int status = make_folder(l, "");
    if (!status)
        status = make_folder(l, "audio");
    for (size_t i = 0; i < sizeof names / sizeof *names && !status; i++)
        status = remove_file(l, names[i]);
    return status ? status : remove_trials(l);
}

/* NAME in the folder = what write(f, arg) writes. */
static int write_file(const struct sj_listening *l, const char *name, int (*write)(FILE *f, void *arg), void *arg)
{
    char path[PATHS];
    int status = path_of(l, name, path);
    return status ? status : sj_whole_write(path, write, arg);
}

/* -- a trial ------------------------------------------------------------------------------------------------------- */

/* The number as text: all of the test are equally long. */
static void name_trial(const struct sj_listening *l, int64_t number, char name[NAMES])
{
    int digits = 2;
    for (int64_t n = l->trials; n >= 100; n /= 10)
        digits++;
    snprintf(name, NAMES, "%0*lld", digits, (long long)number + 1);
}

/* A class as part of a file's name: letters and digits, '-' for everything else. */
static void plain(const char *class, char to[NAMES / 2])
{
    size_t i = 0;
    for (; i < NAMES / 2 - 1 && class[i]; i++) {
        const char c = class[i], small = c | 32;
        to[i] = (c >= '0' && c <= '9') || (small >= 'a' && small <= 'z') ? c : '-';
    }
    to[i] = 0;
}

/* What the script of a trial is made of. */
struct script {
    const struct sj_listening *l;
    char trial[NAMES], file[1 + SJ_CONDITIONS][NAMES];
};

static int put_base64(FILE *f, const struct sj_listening *l, const char *name)
{
    char path[PATHS];
    int status = path_of(l, name, path);
    FILE *in = status ? NULL : fopen(path, "re");
    struct stat st;
    if (!in || fstat(fileno(in), &st)) {
        status = status ? status : sj_fail_errno("cannot read '%s'", path);
        if (in)
            fclose(in);
        return status;
    }
    const size_t n = (size_t)st.st_size;
    char *bytes = malloc(n + 1);
    if (!bytes)
        status = sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    else if (fread(bytes, 1, n, in) != n)
        status = sj_fail_errno("cannot read '%s'", path);
    else
        sj_page_base64(f, bytes, n);
    free(bytes);
    fclose(in);
    return status;
}

/* A page in the file system may not read files beside it; scripts it may load. */
static int put_script(FILE *f, void *arg)
{
    const struct script *s = arg;
    int status = SJ_OK;
    fprintf(f, "sjSounds(\"%s\", {\n", s->trial);
    for (int i = 0; i <= SJ_CONDITIONS && !status; i++) {
        fprintf(f, "\"%s\": \"", sound_name(i));
        status = put_base64(f, s->l, s->file[i]);
        fprintf(f, i < SJ_CONDITIONS ? "\",\n" : "\"});\n");
    }
    return status;
}

static int write_sounds(const struct script *s, const struct sj_trial *t)
{
    char path[PATHS];
    int status = SJ_OK;
    for (int i = 0; i <= SJ_CONDITIONS && !status; i++) {
        status = path_of(s->l, s->file[i], path);
        if (!status)
            status = sj_flac_write(path, i ? t->sound[i - 1] : t->mix, t->frames, t->channels, t->rate_hz);
    }
    return status;
}

static sj_json *hundredths(double db)
{
    return sj_json_real(round(db * 100) / 100);
}

static sj_json *entry_of(const struct script *s, const struct sj_trial *t)
{
    const struct sj_track *track = s->l->songs->tracks->track;
    sj_json *e = sj_json_object(), *versions = sj_json_array(), *mix = sj_json_object();
    sj_json_set(mix, "file", sj_json_string(s->file[0]));
    sj_json_set(mix, "song", sj_json_string(track[t->track].key));
    sj_json_set(mix, "start_s", sj_json_real(t->start_s));
    for (int v = 0; v < SJ_CONDITIONS; v++) {
        sj_json *o = sj_json_object();
        sj_json_set(o, "condition", sj_json_string(sj_conditions[v]));
        sj_json_set(o, "file", sj_json_string(s->file[1 + v]));
        sj_json_set(o, "song", sj_json_string(track[t->version[v].track].key));
        sj_json_set(o, "start_s", sj_json_real(t->version[v].start_s));
        sj_json_set(o, "gain_db", hundredths(t->version[v].gain_db));
        if (t->version[v].rank)
            sj_json_set(o, "rank", sj_json_int(t->version[v].rank));
        sj_json_append(versions, o);
    }
    sj_json_set(e, "trial", sj_json_string(s->trial));
    sj_json_set(e, "class", sj_json_string(s->l->songs->class[t->class]));
    sj_json_set(e, "seconds", sj_json_real((double)t->frames / t->rate_hz));
    sj_json_set(e, "sample_rate_hz", sj_json_int(t->rate_hz));
    sj_json_set(e, "channels", sj_json_int(t->channels));
    sj_json_set(e, "gain_db", hundredths(t->gain_db));
    sj_json_set(e, "mix", mix);
    sj_json_set(e, "versions", versions);
    return e;
}

int sj_listening_put(const struct sj_listening *l, int64_t number, const struct sj_trial *t, sj_json **entry)
{
    char class[NAMES / 2], name[NAMES];
    struct script s = {.l = l};
    name_trial(l, number, s.trial);
    plain(l->songs->class[t->class], class);
    for (int i = 0; i <= SJ_CONDITIONS; i++)
        snprintf(s.file[i], sizeof s.file[i], "audio/%.20s-%s-%s.flac", s.trial, class, sound_name(i));
    snprintf(name, sizeof name, "audio/%.20s.js", s.trial);
    int status = write_sounds(&s, t);
    if (!status)
        status = write_file(l, name, put_script, &s);
    if (!status && !(*entry = entry_of(&s, t)))
        status = sj_fail(SJ_SYSTEM, "no memory");
    return status;
}

/* -- the test ------------------------------------------------------------------------------------------------------ */

static int put_json(FILE *f, void *test)
{
    return sj_json_line(f, test);
}

static int put_test(FILE *f, void *test)
{
    return sj_page_json(f, "test", test);
}

static int put_page(FILE *f, void *test)
{
    return sj_page_write(f, "listening", put_test, test);
}

/* A text in YAML's single quotes. */
static void quote(FILE *f, const char *before, const char *text)
{
    fprintf(f, "%s'", before);
    for (const char *p = text; *p; p++)
        fprintf(f, *p == '\'' ? "''" : "%c", *p);
    fputc('\'', f);
}

struct config {
    const struct sj_listening *l;
    const sj_json *test;
};

/* A page of webMUSHRA's rates its reference too, unseen: here the mix alone. */
static void put_trial(FILE *f, const char *root, const sj_json *e)
{
    char path[2 * NAMES + 64];
    const sj_json *versions = sj_json_get(e, "versions");
    const char *trial = sj_json_get_text(e, "trial"), *class = sj_json_get_text(e, "class");
    snprintf(path, sizeof path, "%.64s-%.20s", class, trial);
    quote(f, "        - type: mushra\n          id: ", path);
    quote(f, "\n          name: ", class);
    fprintf(f, "\n          content: 'Reference is the mix alone. How well does what each version adds to it fit?'\n"
               "          showWaveform: false\n          enableLooping: true\n          strict: false\n"
               "          randomize: true\n          createAnchor35: false\n          createAnchor70: false\n");
    snprintf(path, sizeof path, "%.80s/%s", root, sj_json_get_text(sj_json_get(e, "mix"), "file"));
    quote(f, "          reference: ", path);
    fprintf(f, "\n          stimuli:\n");
    for (size_t v = 0; v < sj_json_count(versions); v++) {
        const sj_json *o = sj_json_at(versions, v);
        snprintf(path, sizeof path, "%.80s/%s", root, sj_json_get_text(o, "file"));
        quote(f, "              ", sj_json_get_text(o, "condition"));
        quote(f, ": ", path);
        fputc('\n', f);
    }
}

static int put_config(FILE *f, void *arg)
{
    const struct config *c = arg;
    const sj_json *trials = sj_json_get(c->test, "trials");
    const char *id = sj_json_get_text(c->test, "test");
    char root[NAMES];
    snprintf(root, sizeof root, "configs/resources/%.40s", id);
    fprintf(f, "# Copy this folder to configs/resources/%s of webMUSHRA,\n"
               "# then open webMUSHRA with ?config=resources/%s/webmushra.yaml\n", id, id);
    quote(f, "testname: ", "Which part fits?");
    quote(f, "\ntestId: ", id);
    fprintf(f, "\nbufferSize: 2048\nstopOnErrors: true\nshowButtonPreviousPage: false\n"
               "remoteService: service/write.php\npages:\n    -\n        - random\n");
    for (size_t i = 0; i < sj_json_count(trials); i++)
        put_trial(f, root, sj_json_at(trials, i));
    fprintf(f, "    - type: finish\n      name: 'Thank you'\n      content: 'All versions are rated.'\n"
               "      showResults: false\n      writeResults: true\n");
    return SJ_OK;
}

/* "test": eight digits that tell this test from others, so that ratings of two are not mixed up. */
static int add_id(sj_json *test)
{
    char *text, id[16];
    int status = sj_json_text(test, &text);
    if (status)
        return status;
    snprintf(id, sizeof id, "%08x", (unsigned)sj_crc32c(0, text, strlen(text)));
    free(text);
    return sj_json_set(test, "test", sj_json_string(id));
}

static sj_json *test_of(const struct sj_listening *l, sj_json **trials, const char *provenance)
{
    sj_json *test = sj_json_object(), *list = sj_json_array(), *conditions = sj_json_array(), *how = NULL;
    for (int v = 0; v < SJ_CONDITIONS; v++)
        sj_json_append(conditions, sj_json_string(sj_conditions[v]));
    for (int64_t i = 0; i < l->trials; i++) {
        sj_json_append(list, trials[i]);
        trials[i] = NULL;
    }
    sj_json_set(test, "kind", sj_json_string("listening-test/1"));
    sj_json_set(test, "seed", sj_json_int((int64_t)l->seed));
    sj_json_set(test, "trials_per_listener", sj_json_int(l->per_listener));
    sj_json_set(test, "listen_s", sj_json_real(l->listen_s));
    sj_json_set(test, "conditions", conditions);
    sj_json_set(test, "trials", list);
    if (!sj_json_parse(provenance, strlen(provenance), &how))
        sj_json_set(test, "provenance", how);
    return test;
}

int sj_listening_end(const struct sj_listening *l, sj_json **trials, const char *provenance)
{
    sj_json *test = test_of(l, trials, provenance);
    struct config config = {l, test};
    int status = add_id(test);
    if (!status)
        status = write_file(l, "trials.json", put_json, test);
    if (!status)
        status = write_file(l, "webmushra.yaml", put_config, &config);
    if (!status)
        status = write_file(l, "index.html", put_page, test);
    sj_json_free(test);
    return status;
}
