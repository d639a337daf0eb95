/* inbox_cuda: batches of host data that are brought to the device, on a stream of their own, while it computes. A batch
 * goes from one of two pinned buffers into one of two device buffers, and when it is taken, into the one that the
 * operations read, whose address never changes. */
#include "cuda.h"

#include <stdlib.h>

struct sjk_inbox {
    size_t bytes;
    void *host[2], *device[2], *data;
    cudaEvent_t arrived[2]; /* in device[i]; host[i] may be filled again */
    cudaEvent_t taken[2];   /* out of device[i], which may be overwritten */
    uint64_t sent, took;
};

void cuda_inbox_free(struct sjk *k, struct sjk_inbox *b)
{
    if (!b)
        return;
    cuda_settle(k);
    cudaStreamSynchronize(cuda_own(k)->arrival);
    cudaStreamSynchronize(cuda_own(k)->stream);
    for (int i = 0; i < 2; i++) {
        cudaFreeHost(b->host[i]);
        cudaFree(b->device[i]);
        if (b->arrived[i])
            cudaEventDestroy(b->arrived[i]);
        if (b->taken[i])
            cudaEventDestroy(b->taken[i]);
    }
    cudaFree(b->data);
    free(b);
}

int cuda_inbox_new(struct sjk *k, size_t bytes, struct sjk_inbox **out)
{
    *out = NULL;
    cuda_settle(k);
    struct sjk_inbox *b = (struct sjk_inbox *)calloc(1, sizeof *b);
    if (!b)
        return sjk_fail(k, SJK_MEMORY, "no memory for an inbox");
    b->bytes = bytes ? bytes : 1;
    int status = cuda_memory(k, b->bytes, &b->data);
    for (int i = 0; i < 2 && !status; i++) {
        status = cuda_memory(k, b->bytes, &b->device[i]);
        if (!status)
            status = cuda_check(k, cudaMallocHost(&b->host[i], b->bytes), "pinned memory");
        if (!status)
            status = cuda_check(k, cudaEventCreateWithFlags(&b->arrived[i], cuda_event_flags), "event");
        if (!status)
            status = cuda_check(k, cudaEventCreateWithFlags(&b->taken[i], cuda_event_flags), "event");
    }
    if (status)
        cuda_inbox_free(k, b);
    else
        *out = b;
    return status;
}

/* Whether no more can be sent: as a status. */
static int full(struct sjk *k, const struct sjk_inbox *b)
{
    return b->sent - b->took == 2 ? sjk_fail(k, SJK_BAD, "inbox: more than one batch sent ahead") : 0;
}

void *cuda_inbox_host(struct sjk *k, struct sjk_inbox *b)
{
    cuda_settle(k);
    if (full(k, b) || cuda_check(k, cudaEventSynchronize(b->arrived[b->sent % 2]), "inbox"))
        return NULL;
    return b->host[b->sent % 2];
}

int cuda_inbox_send(struct sjk *k, struct sjk_inbox *b)
{
    cudaStream_t stream = cuda_own(k)->arrival;
    int i = (int)(b->sent % 2), status;
    cuda_settle(k);
    if ((status = full(k, b)))
        return status;
    status = cuda_check(k, cudaStreamWaitEvent(stream, b->taken[i], 0), "inbox");
    if (!status)
        status = cuda_check(k, cudaMemcpyAsync(b->device[i], b->host[i], b->bytes, cudaMemcpyHostToDevice, stream),
                            "inbox");
    if (!status)
        status = cuda_check(k, cudaEventRecord(b->arrived[i], stream), "inbox");
    b->sent += !status;
    return status;
}

int cuda_inbox_take(struct sjk *k, struct sjk_inbox *b, const void **data)
{
    cudaStream_t stream = cuda_own(k)->stream;
    int i = (int)(b->took % 2), status;
    *data = b->data;
    cuda_settle(k);
    if (b->sent == b->took)
        return sjk_fail(k, SJK_BAD, "inbox: nothing sent");
    status = cuda_check(k, cudaStreamWaitEvent(stream, b->arrived[i], 0), "inbox");
    if (!status)
        status = cuda_check(k, cudaMemcpyAsync(b->data, b->device[i], b->bytes, cudaMemcpyDeviceToDevice, stream),
                            "inbox");
    if (!status)
        status = cuda_check(k, cudaEventRecord(b->taken[i], stream), "inbox");
    b->took += !status;
    return status;
}
