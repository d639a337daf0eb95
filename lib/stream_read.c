/* Reading streams: few large reads, payloads checked where they land, nothing believed before its checksum. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "crc32c.h"
#include "stream_frame.h"

enum {
    AHEAD = 256 << 10,  /* the look-ahead: many small records per read */
    SMALL = AHEAD / 4   /* payloads above this that are not yet read go straight to the record's own buffer */
};

struct sj_reader {
    int n, next;           /* of the paths: how many, which comes next */
    char **path;
    int fd;                /* -1: none open */
    const char *name;
    struct sj_head *head;  /* of the first stream */
    char *head_name;       /* its input */
    int inside;            /* between a HEAD and its END */
    uint64_t records;      /* read since that HEAD */
    unsigned char *ahead;  /* bytes begin .. end are read and not yet used; both offsets keep the alignment of frames */
    size_t begin, end;
    unsigned char *large;  /* one payload */
    size_t large_size;
    char key[SJ_KEY_BYTES + 1];
    struct sj_record record;
    int status;            /* of the failure that ended reading */
};

static size_t have(const struct sj_reader *r)
{
    return r->end - r->begin;
}

/* One read into two places; *got 0 at the end of the input. */
static int read_some(struct sj_reader *r, void *a, size_t na, void *b, size_t nb, size_t *got)
{
    struct iovec to[2] = {{a, na}, {b, nb}};
    for (;;) {
        ssize_t n = readv(r->fd, to, nb ? 2 : 1);
        if (n >= 0) {
            *got = (size_t)n;
            return SJ_OK;
        }
        struct pollfd wait = {r->fd, POLLIN, 0};
        if (errno == EAGAIN)
            poll(&wait, 1, -1);
        else if (errno != EINTR)
            return sj_fail_errno("cannot read '%s'", r->name);
    }
}

/* Reads until `want` bytes (at most AHEAD) are there or the input ends. */
static int fill(struct sj_reader *r, size_t want)
{
    if (r->begin == r->end)
        r->begin = r->end = 0;
    if (r->begin + want > AHEAD) {
        memmove(r->ahead, r->ahead + r->begin, have(r));
        r->end = have(r);
        r->begin = 0;
    }
    while (have(r) < want) {
        size_t got = 0;
        int status = read_some(r, r->ahead + r->end, AHEAD - r->end, NULL, 0, &got);
        if (status)
            return status;
        if (!got)
            break;
        r->end += got;
    }
    return SJ_OK;
}

static int ends_early(const struct sj_reader *r)
{
    return sj_fail(SJ_INPUT, "'%s' ends early: no END mark after record %llu", r->name, (unsigned long long)r->records);
}

/* Puts the frame at fault before the recorded reason. */
static int at_record(const struct sj_reader *r, int status)
{
    if (!r->inside)
        return sj_fail_at(status, "'%s', HEAD", r->name);
    return sj_fail_at(status, "'%s', record %llu", r->name, (unsigned long long)r->records + 1);
}

/* The next `size` bytes in the record's own buffer: what is there is copied, the rest read in place, with no more of
 * what follows than the next header, so that a large record after this one is not copied either. */
static int large_payload(struct sj_reader *r, size_t size, uint32_t *crc)
{
    if (r->large_size < size) {
        free(r->large);
        r->large_size = 0;
        if (!(r->large = aligned_alloc(SJ_ALIGN, size)))
            return sj_fail(SJ_SYSTEM, "'%s': no memory for a record of %zu bytes", r->name, size);
        r->large_size = size;
    }
    size_t at = have(r);
    memcpy(r->large, r->ahead + r->begin, at);
    *crc = sj_crc32c(0, r->large, at);
    r->begin = r->end = 0;
    while (at < size) {
        size_t got = 0;
        int status = read_some(r, r->large + at, size - at, r->ahead, SJ_FRAME_BYTES, &got);
        if (status)
            return status;
        if (!got)
            return ends_early(r);
        size_t mine = got < size - at ? got : size - at;
        *crc = sj_crc32c(*crc, r->large + at, mine);
        at += mine;
        r->end = got - mine;
    }
    return SJ_OK;
}

static int payload(struct sj_reader *r, const struct sj_frame *f, size_t size, const unsigned char **bytes)
{
    uint32_t crc = 0;
    int status;
    if (have(r) < size && size > SMALL) {
        if ((status = large_payload(r, size, &crc)))
            return status;
        *bytes = r->large;
    } else {
        if ((status = fill(r, size)))
            return status;
        if (have(r) < size)
            return ends_early(r);
        *bytes = r->ahead + r->begin;
        r->begin += size;
        crc = sj_crc32c(0, *bytes, size);
    }
    if (crc != f->payload_crc)
        return at_record(r, sj_fail(SJ_INPUT, "the checksum of the data is wrong"));
    return SJ_OK;
}

static int all_zero(const unsigned char *bytes, size_t n)
{
    while (n && !*bytes)
        bytes++, n--;
    return !n;
}

static int begin_stream(struct sj_reader *r, const struct sj_frame *f)
{
    const unsigned char *text;
    size_t size = (size_t)f->data_bytes;
    int status = payload(r, f, sj_padded(size), &text);
    if (status)
        return status;
    sj_json *json = NULL;
    struct sj_head *head = NULL;
    if (!all_zero(text + size, sj_padded(size) - size))
        status = sj_fail(SJ_INPUT, "padding is not zero");
    if (!status)
        status = sj_json_parse((const char *)text, size, &json);
    if (!status)
        status = sj_head_from_json(json, &head);
    sj_json_free(json);
    if (status)
        return at_record(r, status);
    if (!r->head) {
        r->head = head;
        if (!(r->head_name = strdup(r->name)))
            return sj_fail(SJ_SYSTEM, "no memory");
    } else {
        status = sj_head_same(r->head, r->head_name, head, r->name);
        sj_head_free(head);
    }
    r->inside = 1;
    r->records = 0;
    return status;
}

static int take_record(struct sj_reader *r, const struct sj_frame *f)
{
    size_t key_room = sj_padded(f->key_bytes), data_room = sj_padded(f->data_bytes);
    struct sj_record *rec = &r->record;
    const unsigned char *bytes;
    if (f->dtype != r->head->dtype)
        return at_record(r, sj_fail(SJ_INPUT, "element type %d; the head says %s", f->dtype,
                                    sj_dtype_name(r->head->dtype)));
    *rec = (struct sj_record){.key = "", .role = f->role, .position = f->position, .part = f->part, .last = f->last,
                              .class = f->class == SJ_FRAME_CLASS_NONE ? SJ_CLASS_NONE : f->class, .rank = f->rank,
                              .bytes = (size_t)f->data_bytes};
    for (int i = 0; i < f->rank; i++)
        rec->dims[i] = (int64_t)f->dims[i];
    int status = sj_record_check(r->head, rec, SJ_INPUT); /* before memory is set aside; the key follows */
    if (status)
        return at_record(r, status);
    if ((status = payload(r, f, key_room + data_room, &bytes)))
        return status;
    if (!all_zero(bytes + f->key_bytes, key_room - f->key_bytes) ||
        !all_zero(bytes + key_room + f->data_bytes, data_room - (size_t)f->data_bytes))
        return at_record(r, sj_fail(SJ_INPUT, "padding is not zero"));
    if (memchr(bytes, 0, f->key_bytes))
        return at_record(r, sj_fail(SJ_INPUT, "a zero byte in the key"));
    memcpy(r->key, bytes, f->key_bytes);
    r->key[f->key_bytes] = '\0';
    rec->key = r->key;
    rec->data = bytes + key_room;
    r->records++;
    return SJ_OK;
}

static int open_next(struct sj_reader *r)
{
    const char *path = r->path[r->next++];
    struct stat st;
    int standard = !strcmp(path, "-");
    r->name = standard ? "standard input" : path;
    if (standard && isatty(STDIN_FILENO))
        return sj_fail(SJ_USAGE, "no input: name a file, or give a stream to standard input");
    r->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0 || fstat(r->fd, &st))
        return sj_fail_errno("cannot read '%s'", r->name);
    if (S_ISDIR(st.st_mode))
        return sj_fail(SJ_INPUT, "'%s' is a directory, not a stream", r->name);
    if (S_ISFIFO(st.st_mode))
        (void)fcntl(r->fd, F_SETPIPE_SZ, SJ_PIPE_BYTES); /* a refusal costs speed only */
    return SJ_OK;
}

static void close_input(struct sj_reader *r)
{
    if (r->fd > STDIN_FILENO)
        close(r->fd);
    r->fd = -1;
}

/* The next header into f; *more = 0 where the input ends as it should. */
static int next_frame(struct sj_reader *r, int fresh, struct sj_frame *f, int *more)
{
    int status = fill(r, SJ_FRAME_BYTES);
    if (status)
        return status;
    const unsigned char *bytes = r->ahead + r->begin;
    size_t n = have(r) < SJ_FRAME_BYTES ? have(r) : SJ_FRAME_BYTES, start = n < 4 ? n : 4;
    *more = n > 0;
    if (!n && fresh)
        return sj_fail(SJ_INPUT, "'%s' is empty", r->name);
    if (!n && !r->inside)
        return SJ_OK;
    if (memcmp(bytes, SJ_FRAME_MAGIC, start) && fresh)
        return sj_fail(SJ_INPUT, "'%s' is no stream: it looks like %s", r->name, sj_frame_guess(bytes, n));
    if (memcmp(bytes, SJ_FRAME_MAGIC, start))
        return at_record(r, sj_fail(SJ_INPUT, "no header where one is due"));
    if (n < SJ_FRAME_BYTES)
        return ends_early(r);
    memcpy(f, bytes, sizeof *f);
    r->begin += SJ_FRAME_BYTES;
    status = sj_frame_check(f, r->inside ? r->records + 1 : 0);
    return status ? at_record(r, status) : SJ_OK;
}

/* Goes on to the next record, or to the end of everything (*found 0). */
static int advance(struct sj_reader *r, int *found)
{
    struct sj_frame f;
    int status, more;
    *found = 0;
    for (;;) {
        int fresh = r->fd < 0;
        if (fresh && r->next == r->n)
            return SJ_OK;
        if (fresh && (status = open_next(r)))
            return status;
        if ((status = next_frame(r, fresh, &f, &more)))
            return status;
        if (!more) {
            close_input(r);
        } else if (f.type == SJ_FRAME_RECORD) {
            *found = 1;
            return take_record(r, &f);
        } else if (f.type == SJ_FRAME_END) {
            r->inside = 0;
        } else {
            return begin_stream(r, &f);
        }
    }
}

int sj_reader_next(struct sj_reader *r, const struct sj_record **record)
{
    int found = 0;
    *record = NULL;
    if (r->status)
        return r->status;
    do { /* a HEAD ends advance() without a record: there may be more */
        r->status = advance(r, &found);
    } while (!r->status && !found && (r->fd >= 0 || r->next < r->n));
    if (!r->status && found)
        *record = &r->record;
    return r->status;
}

static int alloc_reader(int n, const char *const *paths, struct sj_reader **out)
{
    static const char *const standard[] = {"-"};
    if (!n) {
        n = 1;
        paths = standard;
    }
    struct sj_reader *r = calloc(1, sizeof *r);
    if (!r)
        return sj_fail(SJ_SYSTEM, "no memory");
    r->fd = -1;
    r->ahead = aligned_alloc(SJ_ALIGN, AHEAD);
    r->path = calloc((size_t)n, sizeof *r->path);
    int failed = !r->ahead || !r->path;
    for (; !failed && r->n < n; r->n++)
        failed = !(r->path[r->n] = strdup(paths[r->n]));
    if (failed) {
        sj_reader_close(r);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    *out = r;
    return SJ_OK;
}

int sj_reader_open(int n, const char *const *paths, struct sj_reader **out)
{
    struct sj_reader *r = NULL;
    int found;
    for (int i = 0; i < n; i++) /* a name misspelt should not be noticed after hours */
        if (strcmp(paths[i], "-") && access(paths[i], R_OK))
            return sj_fail_errno("cannot read '%s'", paths[i]);
    int status = alloc_reader(n, paths, &r);
    if (status)
        return status;
    if ((status = advance(r, &found))) {
        sj_reader_close(r);
        return status;
    }
    *out = r;
    return SJ_OK;
}

const struct sj_head *sj_reader_head(const struct sj_reader *r)
{
    return r->head;
}

const char *sj_reader_name(const struct sj_reader *r)
{
    return r->name;
}

void sj_reader_close(struct sj_reader *r)
{
    if (!r)
        return;
    close_input(r);
    for (int i = 0; i < r->n; i++)
        free(r->path[i]);
    free(r->path);
    sj_head_free(r->head);
    free(r->head_name);
    free(r->ahead);
    free(r->large);
    free(r);
}
