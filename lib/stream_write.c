/* Writing streams: one gathered write per record, from the caller's memory. */
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
#include "whole.h"

struct sj_writer {
    int fd;
    char *name;             /* for messages */
    struct sj_whole *whole; /* NULL: standard output */
    struct sj_head *head;
    uint64_t records;
    struct {
        struct sj_frame frame;
        char key[SJ_KEY_BYTES]; /* zero where unused: its padding */
    } start;
};

static const unsigned char zeros[SJ_ALIGN];

static int write_all(struct sj_writer *w, struct iovec *from, int n)
{
    while (n) {
        ssize_t done = writev(w->fd, from, n);
        struct pollfd wait = {w->fd, POLLOUT, 0};
        if (done < 0 && errno == EAGAIN)
            poll(&wait, 1, -1);
        else if (done < 0 && errno != EINTR)
            return sj_fail_errno("cannot write '%s'", w->name);
        for (size_t left = done > 0 ? (size_t)done : 0; n && (left || !from->iov_len);) {
            size_t step = left < from->iov_len ? left : from->iov_len;
            from->iov_base = (char *)from->iov_base + step;
            from->iov_len -= step;
            left -= step;
            if (!from->iov_len)
                from++, n--;
        }
    }
    return SJ_OK;
}

/* One frame: the header with the key behind it (in w->start), then `bytes` of data. */
static int put_frame(struct sj_writer *w, const void *data, size_t bytes)
{
    struct sj_frame *f = &w->start.frame;
    size_t key_room = sj_padded(f->key_bytes), padding = sj_padded(bytes) - bytes;
    f->payload_crc = sj_crc32c(0, w->start.key, key_room);
    f->payload_crc = sj_crc32c(f->payload_crc, data, bytes);
    f->payload_crc = sj_crc32c(f->payload_crc, zeros, padding);
    sj_frame_seal(f);
    struct iovec from[3] = {
        {&w->start, SJ_FRAME_BYTES + key_room}, {(void *)data, bytes}, {(void *)zeros, padding}};
    return write_all(w, from, 3);
}

static int put_head(struct sj_writer *w)
{
    sj_json *json = NULL;
    char *text = NULL;
    int status = sj_head_to_json(w->head, &json);
    if (!status)
        status = sj_json_text(json, &text);
    size_t size = text ? strlen(text) : 0;
    if (!status && size > SJ_HEAD_BYTES)
        status = sj_fail(SJ_USAGE, "cannot write '%s': a head of %zu bytes; %d are allowed", w->name, size,
                         SJ_HEAD_BYTES);
    if (!status) {
        w->start.frame = (struct sj_frame){.type = SJ_FRAME_HEAD, .data_bytes = size};
        status = put_frame(w, text, size);
    }
    free(text);
    sj_json_free(json);
    return status;
}

static int open_output(struct sj_writer *w, const char *path)
{
    if (!strcmp(path, "-")) {
        w->fd = STDOUT_FILENO;
        if (isatty(w->fd))
            return sj_fail(SJ_USAGE, "standard output is a terminal: send the stream to a pipe or a file");
    } else {
        int status = sj_whole_new(path, &w->whole);
        if (status)
            return status;
        w->fd = open(sj_whole_temp(w->whole), O_WRONLY | O_CLOEXEC);
        if (w->fd < 0)
            return sj_fail_errno("cannot write '%s'", path);
    }
    struct stat st;
    if (!fstat(w->fd, &st) && S_ISFIFO(st.st_mode))
        (void)fcntl(w->fd, F_SETPIPE_SZ, SJ_PIPE_BYTES); /* a refusal costs speed only */
    return SJ_OK;
}

int sj_writer_open(const char *path, const struct sj_head *head, struct sj_writer **out)
{
    int standard = !path || !strcmp(path, "-");
    struct sj_writer *w = calloc(1, sizeof *w);
    if (!w)
        return sj_fail(SJ_SYSTEM, "no memory");
    w->fd = -1;
    w->name = strdup(standard ? "standard output" : path);
    int status = w->name ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = sj_head_copy(head, &w->head);
    if (!status)
        status = open_output(w, standard ? "-" : path);
    if (!status)
        status = put_head(w);
    if (status)
        sj_writer_abort(w);
    else
        *out = w;
    return status;
}

int sj_writer_put(struct sj_writer *w, const struct sj_record *record)
{
    int status = sj_record_check(w->head, record, SJ_USAGE);
    if (status)
        return sj_fail_at(status, "cannot write record %llu to '%s'", (unsigned long long)w->records + 1, w->name);
    size_t key_bytes = strlen(record->key);
    w->start.frame = (struct sj_frame){
        .type = SJ_FRAME_RECORD,
        .sequence = w->records + 1,
        .key_bytes = (uint32_t)key_bytes,
        .dtype = (uint16_t)w->head->dtype,
        .rank = (uint16_t)record->rank,
        .data_bytes = record->bytes,
        .position = record->position,
        .part = record->part,
        .role = (uint16_t)record->role,
        .class = (uint16_t)(record->class == SJ_CLASS_NONE ? SJ_FRAME_CLASS_NONE : record->class),
        .last = (uint8_t)record->last,
    };
    for (int i = 0; i < record->rank; i++)
        w->start.frame.dims[i] = (uint64_t)record->dims[i];
    memcpy(w->start.key, record->key, key_bytes);
    memset(w->start.key + key_bytes, 0, sj_padded(key_bytes) - key_bytes);
    if ((status = put_frame(w, record->data, record->bytes)))
        return status;
    w->records++;
    return SJ_OK;
}

/* Closes a file and frees; what lies there is not touched. */
static int release(struct sj_writer *w)
{
    int status = SJ_OK;
    if (w->fd > STDERR_FILENO && close(w->fd))
        status = sj_fail_errno("cannot write '%s'", w->name);
    sj_head_free(w->head);
    free(w->name);
    free(w);
    return status;
}

int sj_writer_end(struct sj_writer *w)
{
    struct sj_whole *whole = w->whole;
    w->start.frame = (struct sj_frame){
        .type = SJ_FRAME_END, .sequence = w->records + 1, .position = (int64_t)w->records};
    int status = put_frame(w, NULL, 0), closed = release(w);
    if (!status)
        status = closed;
    if (whole && !status)
        return sj_whole_commit(whole);
    sj_whole_discard(whole);
    return status;
}

void sj_writer_abort(struct sj_writer *w)
{
    if (!w)
        return;
    struct sj_whole *whole = w->whole;
    release(w);
    sj_whole_discard(whole);
}
