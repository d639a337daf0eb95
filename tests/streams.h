/* streams: small streams in a temporary folder, for the tests that write, damage and read them. */
#ifndef TESTS_STREAMS_H
#define TESTS_STREAMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "rng.h"
#include "stream.h"

static char streams_folder[32] = "/dev/shm/sj-test-XXXXXX";

/* Makes the folder, in memory where that is possible; 1 on success. */
static inline int streams_begin(void)
{
    if (mkdtemp(streams_folder))
        return 1;
    snprintf(streams_folder, sizeof streams_folder, "/tmp/sj-test-XXXXXX");
    return mkdtemp(streams_folder) != NULL;
}

static inline void streams_path(char path[64], const char *name)
{
    snprintf(path, 64, "%s/%s", streams_folder, name);
}

/* Removes the named files and the folder: 1 when nothing else was left there. */
static inline int streams_end(const char *const *names)
{
    char path[64];
    for (; *names; names++) {
        streams_path(path, *names);
        unlink(path);
    }
    return !rmdir(streams_folder);
}

static inline unsigned char *streams_load(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    unsigned char *bytes = malloc(1 << 22);
    *size = f && bytes ? fread(bytes, 1, 1 << 22, f) : 0;
    if (f)
        fclose(f);
    return bytes;
}

static inline void streams_save(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (f) {
        fwrite(bytes, 1, size, f);
        fclose(f);
    }
}

/* A head of this rank with two classes and a parameter; NULL on failure. */
static inline struct sj_head *streams_head(enum sj_dtype dtype, int rank)
{
    static const char *const names[] = {"bass", "drums"};
    char dims[64] = "";
    for (int i = 0; i < rank; i++)
        snprintf(dims + strlen(dims), sizeof dims - strlen(dims), "%sdim%d", i ? "," : "", i);
    struct sj_head *head = NULL;
    if (sj_head_new("test/1", dims, dtype, &head) || sj_head_set_classes(head, 2, names) ||
        sj_json_set(head->params, "sample_rate_hz", sj_json_int(16000)))
        return NULL;
    return head;
}

/* Record i under a head: every field, and with size each dimension (below 1: 1, 2, 3 ...), depends on i. */
static inline struct sj_record streams_record(const struct sj_head *head, int i, int size, void *data, char key[64])
{
    struct sj_rng rng = sj_rng(5, (uint64_t)i);
    struct sj_record r = {.key = key, .role = (enum sj_role)(i % 4), .class = i % 3 - 1, .part = (uint32_t)i,
                          .position = i % 2 ? -800 * i : 800 * i, .last = i % 2, .rank = head->rank, .data = data};
    memset(key, 'k', (size_t)(i % 60));
    snprintf(key + i % 60, 4, "/%d", i % 10);
    r.bytes = sj_dtype_size(head->dtype);
    for (int d = 0; d < r.rank; d++) {
        r.dims[d] = size < 1 ? d % 3 + 1 : size;
        r.bytes *= (size_t)r.dims[d];
    }
    for (size_t b = 0; b < r.bytes; b++)
        ((unsigned char *)data)[b] = (unsigned char)sj_rng_u32(&rng);
    return r;
}

/* Writes n records of streams_record. */
static inline int streams_write(const char *path, const struct sj_head *head, int n, int size)
{
    struct sj_writer *w = NULL;
    void *data = malloc(1 << 20);
    char key[64];
    int status = data ? sj_writer_open(path, head, &w) : SJ_SYSTEM;
    for (int i = 0; i < n && !status; i++) {
        struct sj_record r = streams_record(head, i, size, data, key);
        status = sj_writer_put(w, &r);
    }
    free(data);
    if (!status)
        return sj_writer_end(w);
    sj_writer_abort(w); /* NULL when it was not opened */
    return status;
}

/* Reads everything; the status that ends it. *records were read, whose fields and data have the checksum *sum. */
static inline int streams_read(int n, const char *const *paths, int *records, uint32_t *sum)
{
    struct sj_reader *r;
    const struct sj_record *rec;
    *records = 0;
    *sum = 0;
    int status = sj_reader_open(n, paths, &r);
    if (status)
        return status;
    while (!(status = sj_reader_next(r, &rec)) && rec) {
        ++*records;
        *sum = sj_crc32c(*sum, rec->data, rec->bytes);
        *sum = sj_crc32c(*sum, rec->key, strlen(rec->key));
    }
    sj_reader_close(r);
    return status;
}

#endif
