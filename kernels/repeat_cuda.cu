/* repeat_cuda: work that is recorded once and launched as a whole (a CUDA graph), and the host data it takes each time.
 *
 * What put and cuda_stage hand over during a run goes to consecutive slots of one pinned buffer. When the work ends,
 * one transfer brings the buffer to the device, and then the graph is launched, in which a put is a copy from its slot.
 * The pinned buffer exists twice, so that the host fills one while the transfer of the run before may be waiting in the
 * stream; the device's exists once, since the stream orders the transfer after the graph that reads it. */
#include "cuda.h"

#include <stdlib.h>

enum { most_work = 4, slot_align = 256 };

struct cuda_work {
    struct cuda_work *next;
    uint64_t key;
    int ready;          /* a first run is complete: the slots are known */
    cudaGraphExec_t graph;
    size_t *size;       /* bytes of each slot, in the order of the calls */
    int slots, room;
    int slot;           /* the next one of this run */
    size_t at, bytes;   /* where it begins; of all slots */
    unsigned char *host[2], *device;
    cudaEvent_t sent[2]; /* the transfer from host[i] is done */
    int turn;
};

static size_t padded(size_t bytes)
{
    return (bytes + slot_align - 1) / slot_align * slot_align;
}

/* A discarded graph leaves the slots: the next run is recorded again. */
static void drop_graph(struct cuda_work *w)
{
    if (w->graph)
        cudaGraphExecDestroy(w->graph);
    w->graph = NULL;
}

static void free_work(struct cuda_work *w)
{
    drop_graph(w);
    for (int i = 0; i < 2; i++) {
        if (w->sent[i])
            cudaEventDestroy(w->sent[i]);
        cudaFreeHost(w->host[i]);
    }
    cudaFree(w->device);
    free(w->size);
    free(w);
}

void cuda_forget(struct sjk *k)
{
    cudaStreamSynchronize(cuda_own(k)->stream);
    for (struct cuda_work *w = cuda_own(k)->work; w; w = w->next)
        drop_graph(w);
}

void cuda_settle(struct sjk *k)
{
    struct sjk_cuda *own = cuda_own(k);
    cudaGraph_t graph = NULL;
    cudaSetDevice(own->device); /* each thread of the host has its own */
    if (own->mode == CUDA_RECORD) {
        cudaStreamEndCapture(own->stream, &graph);
        if (graph)
            cudaGraphDestroy(graph);
        cudaGetLastError();
    }
    if (own->mode == CUDA_RECORD || own->mode == CUDA_REPLAY)
        own->mode = CUDA_RUN;
}

void cuda_repeat_close(struct sjk *k)
{
    struct sjk_cuda *own = cuda_own(k);
    cudaStreamSynchronize(own->stream);
    own->mode = CUDA_RUN;
    for (struct cuda_work *w = own->work, *next; w; w = next) {
        next = w->next;
        free_work(w);
    }
    own->work = own->current = NULL;
    cudaFree(own->slot);
    own->slot = NULL;
    own->slot_size = 0;
}

/* The work of a key, moved to the front of the list; made when new, for which the one unused for longest goes. */
static struct cuda_work *find(struct sjk *k, uint64_t key)
{
    struct sjk_cuda *own = cuda_own(k);
    struct cuda_work **at = &own->work, *w;
    int n = 1;
    for (; *at && (*at)->key != key && n < most_work; n++)
        at = &(*at)->next;
    if ((w = *at) != NULL) {
        *at = w->next;
        if (w->key != key) {
            cudaStreamSynchronize(own->stream);
            free_work(w);
            w = NULL;
        }
    }
    if (!w) {
        w = (struct cuda_work *)calloc(1, sizeof *w);
        if (!w)
            return NULL;
        w->key = key;
    }
    w->next = own->work;
    own->work = w;
    return w;
}

/* The buffers of the slots, once their sizes are known. */
static int make_buffers(struct sjk *k, struct cuda_work *w)
{
    void *device, *host;
    int status = 0;
    if (!w->bytes || w->device)
        return 0;
    for (int i = 0; i < 2 && !status; i++) {
        if (!w->host[i] && !(status = cuda_check(k, cudaMallocHost(&host, w->bytes), "pinned memory")))
            w->host[i] = (unsigned char *)host;
        if (!status && !w->sent[i])
            status = cuda_check(k, cudaEventCreateWithFlags(&w->sent[i], cuda_event_flags), "event");
    }
    if (!status && !(status = cuda_memory(k, w->bytes, &device)))
        w->device = (unsigned char *)device;
    return status;
}

int cuda_begin(struct sjk *k, uint64_t key)
{
    struct sjk_cuda *own = cuda_own(k);
    cuda_settle(k);
    struct cuda_work *w = own->current = find(k, key);
    if (!w)
        return sjk_fail(k, SJK_MEMORY, "no memory for repeated work");
    w->slot = 0;
    w->at = 0;
    if (!w->ready) {
        w->slots = 0;
        w->bytes = 0;
        own->mode = CUDA_FIRST;
        return 0;
    }
    int status = make_buffers(k, w);
    if (!status && w->bytes)
        status = cuda_check(k, cudaEventSynchronize(w->sent[w->turn]), "begin");
    /* Relaxed: the libraries may allocate when they first meet a stream that records. */
    if (!status && !w->graph)
        status = cuda_check(k, cudaStreamBeginCapture(own->stream, cudaStreamCaptureModeRelaxed), "recording");
    if (!status)
        own->mode = w->graph ? CUDA_REPLAY : CUDA_RECORD;
    return status;
}

static int end_recording(struct sjk *k, struct cuda_work *w)
{
    cudaGraph_t graph = NULL;
    int status = cuda_check(k, cudaStreamEndCapture(cuda_own(k)->stream, &graph), "recording");
    if (!status)
        status = cuda_check(k, cudaGraphInstantiate(&w->graph, graph, 0), "recorded work");
    if (status)
        w->graph = NULL;
    if (graph)
        cudaGraphDestroy(graph);
    return status;
}

int cuda_end(struct sjk *k)
{
    struct sjk_cuda *own = cuda_own(k);
    struct cuda_work *w = own->current;
    enum cuda_mode mode = own->mode;
    int status = 0;
    if (mode == CUDA_RUN)
        return sjk_fail(k, SJK_BAD, "end without begin");
    if (mode == CUDA_FIRST) {
        own->mode = CUDA_RUN;
        w->ready = 1;
        return 0;
    }
    if (w->slot != w->slots) {
        cuda_settle(k);
        return sjk_fail(k, SJK_BAD, "repeated work differs from the first time: %d host arrays, not %d", w->slot,
                        w->slots);
    }
    own->mode = CUDA_RUN;
    if (mode == CUDA_RECORD)
        status = end_recording(k, w);
    if (!status && w->bytes) {
        status = cuda_check(k, cudaMemcpyAsync(w->device, w->host[w->turn], w->bytes, cudaMemcpyHostToDevice,
                                               own->stream), "repeated work");
        if (!status)
            status = cuda_check(k, cudaEventRecord(w->sent[w->turn], own->stream), "repeated work");
        w->turn ^= 1;
    }
    return status ? status : cuda_check(k, cudaGraphLaunch(w->graph, own->stream), "repeated work");
}

/* Notes that a first run takes `bytes` of host data. */
static int note(struct sjk *k, size_t bytes)
{
    struct cuda_work *w = cuda_own(k)->current;
    if (w->slots == w->room) {
        int room = w->room ? 2 * w->room : 16;
        size_t *size = (size_t *)realloc(w->size, (size_t)room * sizeof *size);
        if (!size)
            return sjk_fail(k, SJK_MEMORY, "no memory for repeated work");
        w->size = size;
        w->room = room;
    }
    w->size[w->slots++] = bytes;
    w->bytes += padded(bytes);
    return 0;
}

/* Puts host data into the next slot; *device is where the recorded work finds it. */
static int fill(struct sjk *k, const void *host, size_t bytes, const void **device)
{
    struct cuda_work *w = cuda_own(k)->current;
    if (w->slot >= w->slots || w->size[w->slot] != bytes)
        return sjk_fail(k, SJK_BAD, "repeated work differs from the first time: host array %d of %zu bytes", w->slot,
                        bytes);
    memcpy(w->host[w->turn] + w->at, host, bytes);
    *device = w->device + w->at;
    w->at += padded(bytes);
    w->slot++;
    return 0;
}

int cuda_put(struct sjk *k, void *dst, const void *host, size_t bytes)
{
    struct sjk_cuda *own = cuda_own(k);
    const void *slot;
    int status = 0;
    if (!bytes)
        return 0;
    if (own->mode == CUDA_RUN || own->mode == CUDA_FIRST) {
        if (own->mode == CUDA_FIRST)
            status = note(k, bytes);
        /* From pageable memory: returns when the host's memory has been read. */
        return status ? status
                      : cuda_check(k, cudaMemcpyAsync(dst, host, bytes, cudaMemcpyHostToDevice, own->stream), "put");
    }
    status = fill(k, host, bytes, &slot);
    return status ? status : cuda_copy(k, dst, slot, bytes);
}

const void *cuda_stage(struct sjk *k, const void *host, size_t bytes)
{
    struct sjk_cuda *own = cuda_own(k);
    const void *slot;
    if (own->mode == CUDA_RECORD || own->mode == CUDA_REPLAY)
        return fill(k, host, bytes, &slot) ? NULL : slot;
    if (bytes > own->slot_size) {
        cudaFree(own->slot);
        own->slot_size = cuda_memory(k, padded(bytes), &own->slot) ? 0 : padded(bytes);
    }
    return own->slot_size && !cuda_put(k, own->slot, host, bytes) ? own->slot : NULL;
}
