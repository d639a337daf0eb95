/* cuda_runtime: a stand-in for as much of the CUDA runtime as the device, its memory and recorded work use (dev, repeat
 * and inbox_cuda.cu), so that they are tested without a device.
 *
 * What is asked of a stream happens as late as it may: when somebody waits for it. So a buffer that is overwritten
 * before its transfer is over, and an order that no event enforces, give wrong numbers for certain. */
#ifndef TESTS_CUDA_RUNTIME_H
#define TESTS_CUDA_RUNTIME_H

#include <stddef.h>

#define CUDART_VERSION 13000
#define __global__

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cudaError {
    cudaSuccess, cudaErrorInvalidValue, cudaErrorMemoryAllocation, cudaErrorNoDevice = 100,
    cudaErrorNoKernelImageForDevice = 209, cudaErrorStreamCaptureUnsupported = 900, cudaErrorStreamCaptureInvalidated
} cudaError_t;
typedef struct fake_stream *cudaStream_t;
typedef struct fake_event *cudaEvent_t;
typedef struct fake_graph *cudaGraph_t, *cudaGraphExec_t;
typedef struct {
    char name[256];
    int major, minor, multiProcessorCount;
} cudaDeviceProp;
typedef struct {
    int unused;
} cudaFuncAttributes;
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaStreamCaptureMode { cudaStreamCaptureModeRelaxed = 2 };
enum { cudaEventDisableTiming = 2, cudaEventBlockingSync = 1, cudaStreamNonBlocking = 1 };

cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *, const void *kernel);
cudaError_t cudaMalloc(void **p, size_t bytes);
cudaError_t cudaFree(void *p);
cudaError_t cudaMallocHost(void **p, size_t bytes);
cudaError_t cudaFreeHost(void *p);
cudaError_t cudaMemGetInfo(size_t *left, size_t *total);
cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, enum cudaMemcpyKind, cudaStream_t);
cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned flags);
cudaError_t cudaStreamBeginCapture(cudaStream_t, enum cudaStreamCaptureMode);
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t *);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *, cudaGraph_t, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t);
cudaError_t cudaGraphDestroy(cudaGraph_t);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t);

/* The machine that is pretended, and what has been asked of it. */
extern struct fake {
    int driver, devices, major, minor, images; /* images: the library has code for the device */
    size_t memory; /* bytes of the device */
    int fail_after; /* this many calls from now that make or record something, one fails; 0: none */
    int live;      /* allocations, streams, events, graphs that have not been released */
    int asked, launched, recorded; /* operations put into streams; graphs among them; recordings begun */
} fake;

#ifdef __cplusplus
}
#endif
#endif
