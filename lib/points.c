#include "points.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "h5.h"
#include "labels.h"
#include "room.h"
#include "spool.h"

enum { GRID = 64, MOST_ROWS = 8192, BLOCK_BYTES = 16 << 20 };
static const double frame_s = 0.01; /* SPEC 2: unit of positions */
static const double patch_s = 0.16; /* SPEC 4: 16 frames */

struct record {
    int64_t row; /* its first */
    int64_t position;
    int64_t times; /* of its rows, 1 or more for each frequency; 0: they have no time */
};

struct sj_points {
    int n;
    const char *const *path;
    struct sj_head *head;
    int time_axis, frequency_axis; /* of a record; -1: none */
    int64_t rows, d, block;
    uint32_t checksum;
    struct sj_labels *label;
    struct record *record;
    int64_t records, record_room;
    int64_t memory_bytes;
    float *value;       /* all rows, or NULL where they do not fit */
    int64_t value_rows; /* that it has room for; -1: they do not fit */
    float *some;        /* a block of them: from the inputs, if all are HDF5, else from a file without a name */
    int spool;          /* the latter, or -1 */
    struct sj_h5 *file; /* that `some` was read from last */
    int open;           /* its number */
    int64_t *file_row;  /* (n + 1) first row of each file */
};

/* -- the first reading --------------------------------------------------------------------------------------------- */
static void find_axes(struct sj_points *p)
{
    p->time_axis = p->frequency_axis = -1;
    for (int i = 0; i < p->head->rank - 1; i++) {
        if (!strcmp(p->head->dim[i], "time"))
            p->time_axis = i;
        if (!strcmp(p->head->dim[i], "frequency"))
            p->frequency_axis = i;
    }
}

static int all_files(const struct sj_points *p)
{
    for (int i = 0; i < p->n; i++)
        if (!strcmp(p->path[i], "-") || !sj_h5_is(p->path[i]))
            return 0;
    return p->n > 0;
}

static int spool_rows(struct sj_points *p, int64_t n, const float *x)
{
    const char *bytes = (const char *)x;
    for (size_t left = (size_t)(n * p->d) * sizeof *x; left;) {
        ssize_t k = write(p->spool, bytes, left);
        if (k < 0 && errno != EINTR)
            return sj_fail_errno("cannot keep vectors that do not fit in memory");
        bytes += k > 0 ? k : 0;
        left -= k > 0 ? (size_t)k : 0;
    }
    return SJ_OK;
}

/* The rows are more than may be in memory: those that can be read again are given up, others go into a file. */
static int leave_memory(struct sj_points *p)
{
    int status = all_files(p) ? SJ_OK : sj_spool_new(&p->spool);
    if (!status && p->spool >= 0)
        status = spool_rows(p, p->rows, p->value);
    free(p->value);
    p->value = NULL;
    p->value_rows = -1;
    return status;
}

static int grow(struct sj_points *p, int64_t rows)
{
    const int64_t own = p->d * (int64_t)sizeof(float), most = p->memory_bytes / own;
    if (rows <= p->value_rows)
        return SJ_OK;
    if (rows > most)
        return leave_memory(p);
    int64_t room = 2 * rows < most ? 2 * rows : most;
    float *more = realloc(p->value, (size_t)(room * own));
    if (!more)
        return sj_fail(SJ_SYSTEM, "no memory for %lld vectors", (long long)room);
    p->value = more;
    p->value_rows = room;
    return SJ_OK;
}

static int keep_record(struct sj_points *p, const struct sj_record *r, int64_t rows)
{
    const struct sj_embedding e = {r->key, r->role, r->class};
    int status = sj_room(&p->record, sizeof *p->record, p->records, &p->record_room);
    if (status)
        return status;
    p->record[p->records++] = (struct record){p->rows, r->position, p->time_axis < 0 ? 0 : r->dims[p->time_axis]};
    p->rows += rows;
    return sj_labels_add(p->label, &e);
}

static int check_values(const float *x, size_t n, const char *name, const char *key)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= !isfinite(x[i]);
    return bad ? sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", name, key) : SJ_OK;
}

static int take(struct sj_points *p, const struct sj_record *r, const char *name, float **room, size_t *room_size)
{
    const int64_t d = r->dims[r->rank - 1];
    const size_t count = r->bytes / sj_dtype_size(p->head->dtype);
    const int64_t rows = (int64_t)count / d;
    if (p->records && d != p->d)
        return sj_fail(SJ_INPUT, "'%s': '%s' has vectors of %lld values, those before have %lld", name, r->key,
                       (long long)d, (long long)p->d);
    p->d = d;
    int status = p->value_rows < 0 ? SJ_OK : grow(p, p->rows + rows);
    if (status)
        return status;
    float *x = p->value_rows < 0 ? *room : p->value + p->rows * d;
    if (p->value_rows < 0 && count > *room_size) {
        if (!(x = realloc(*room, count * sizeof *x)))
            return sj_fail(SJ_SYSTEM, "no memory");
        *room = x;
        *room_size = count;
    }
    sj_dtype_to_f32(p->head->dtype, count, r->data, x);
    p->checksum = sj_crc32c(p->checksum, x, count * sizeof *x);
    status = check_values(x, count, name, r->key);
    if (!status && p->spool >= 0)
        status = spool_rows(p, rows, x);
    return status ? status : keep_record(p, r, rows);
}

static int read_all(struct sj_points *p)
{
    struct sj_embeddings *e = NULL;
    const struct sj_record *r;
    float *room = NULL;
    size_t room_size = 0;
    int status = sj_embeddings_open(p->n, p->path, &e);
    if (!status && !(status = sj_head_copy(sj_embeddings_head(e), &p->head)))
        find_axes(p);
    while (!status && !(status = sj_embeddings_next(e, &r)) && r)
        status = take(p, r, sj_embeddings_name(e), &room, &room_size);
    free(room);
    sj_embeddings_close(e);
    return status;
}

/* -- blocks -------------------------------------------------------------------------------------------------------- */
static int open_file(struct sj_points *p, int i)
{
    if (p->file && p->open == i)
        return SJ_OK;
    sj_h5_close(p->file);
    p->file = NULL;
    p->open = i;
    return sj_h5_open(p->path[i], &p->file);
}

static int find_rows(struct sj_points *p)
{
    int status = SJ_OK;
    p->file_row = calloc((size_t)p->n + 1, sizeof *p->file_row);
    p->some = malloc((size_t)(p->block * p->d) * sizeof *p->some);
    if (!p->file_row || !p->some)
        return sj_fail(SJ_SYSTEM, "no memory for blocks of %lld vectors", (long long)p->block);
    if (p->spool >= 0)
        return SJ_OK;
    for (int i = 0; i < p->n && !status; i++) {
        enum sj_h5_type type;
        int rank = 0;
        int64_t dims[SJ_H5_RANK] = {0};
        if (!(status = open_file(p, i)))
            status = sj_h5_shape(p->file, "/embedding", &type, &rank, dims);
        p->file_row[i + 1] = p->file_row[i] + dims[0];
    }
    if (!status && p->file_row[p->n] != p->rows)
        return sj_fail(SJ_INPUT, "'%s' changes while it is read", p->path[p->n - 1]);
    return status;
}

static int plan(struct sj_points *p)
{
    const int64_t own = p->d * (int64_t)sizeof(float);
    int64_t bytes = p->memory_bytes / 4 < BLOCK_BYTES ? p->memory_bytes / 4 : BLOCK_BYTES;
    p->block = GRID;
    if (!p->rows)
        return SJ_OK;
    while (2 * p->block <= MOST_ROWS && 2 * p->block * own <= bytes)
        p->block *= 2;
    if (p->value)
        return SJ_OK;
    if (2 * p->block * own > p->memory_bytes)
        return sj_fail(SJ_USAGE, "%lld bytes of memory are too few for vectors of %lld values",
                       (long long)p->memory_bytes, (long long)p->d);
    return find_rows(p);
}

int sj_points_open(int n, const char *const *paths, int64_t memory_bytes, struct sj_points **out)
{
    struct sj_points *p = calloc(1, sizeof *p);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory");
    *p = (struct sj_points){.n = n, .path = paths, .memory_bytes = memory_bytes, .spool = -1};
    int status = sj_labels_new(&p->label);
    if (!status)
        status = read_all(p);
    if (!status)
        status = plan(p);
    if (status) {
        sj_points_close(p);
        return status;
    }
    *out = p;
    return SJ_OK;
}

void sj_points_close(struct sj_points *p)
{
    if (!p)
        return;
    if (p->spool >= 0)
        close(p->spool);
    sj_h5_close(p->file);
    sj_head_free(p->head);
    sj_labels_free(p->label);
    free(p->record);
    free(p->value);
    free(p->some);
    free(p->file_row);
    free(p);
}

static int read_spool(const struct sj_points *p, int64_t first, int64_t n)
{
    char *to = (char *)p->some;
    off_t at = (off_t)(first * p->d) * (off_t)sizeof *p->some;
    for (size_t left = (size_t)(n * p->d) * sizeof *p->some; left;) {
        ssize_t k = pread(p->spool, to, left, at);
        if (!k || (k < 0 && errno != EINTR))
            return sj_fail_errno("cannot read the vectors kept");
        to += k > 0 ? k : 0;
        at += k > 0 ? k : 0;
        left -= k > 0 ? (size_t)k : 0;
    }
    return SJ_OK;
}

int sj_points_rows(struct sj_points *p, int64_t first, int64_t n, const float **x)
{
    int file = 0, status = SJ_OK;
    *x = p->value ? p->value + first * p->d : p->some;
    if (p->value || !n)
        return SJ_OK;
    if (p->spool >= 0)
        return read_spool(p, first, n);
    for (int64_t at = first; at < first + n && !status;) {
        while (p->file_row[file + 1] <= at)
            file++;
        const int64_t end = p->file_row[file + 1] < first + n ? p->file_row[file + 1] : first + n;
        const int64_t start[2] = {at - p->file_row[file], 0}, box[2] = {end - at, p->d};
        if (!(status = open_file(p, file)))
            status = sj_h5_read_box(p->file, "/embedding", SJ_H5_F32, 2, start, box, p->some + (at - first) * p->d);
        at = end;
    }
    return status;
}

/* -- asking -------------------------------------------------------------------------------------------------------- */
const struct sj_head *sj_points_head(const struct sj_points *p)
{
    return p->head;
}

const char *sj_points_name(const struct sj_points *p)
{
    return p->n && strcmp(p->path[0], "-") ? p->path[0] : "standard input";
}

int64_t sj_points_count(const struct sj_points *p)
{
    return p->rows;
}

int64_t sj_points_width(const struct sj_points *p)
{
    return p->d;
}

uint32_t sj_points_checksum(const struct sj_points *p)
{
    return p->checksum;
}

int64_t sj_points_block(const struct sj_points *p)
{
    return p->block;
}

struct sj_point sj_points_at(const struct sj_points *p, int64_t row)
{
    int64_t low = 0, high = p->records; /* the record is low .. high - 1 */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (p->record[middle].row <= row)
            low = middle;
        else
            high = middle;
    }
    const struct record *r = &p->record[low];
    const int64_t within = row - r->row;
    struct sj_point point = {.of = sj_labels_at(p->label, low), .start_s = NAN, .end_s = NAN, .frequency = -1};
    if (!r->times)
        return point;
    /* of tokens the time is the faster dimension */
    point.start_s = (double)r->position * frame_s + (double)(within % r->times) * patch_s;
    point.end_s = point.start_s + patch_s;
    if (p->frequency_axis >= 0)
        point.frequency = within / r->times;
    return point;
}
