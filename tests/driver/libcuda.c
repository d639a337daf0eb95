/* libcuda: a CUDA driver without a device, for tests that have cuDNN plan for a device that is not there: cuDNN loads
 * libcuda.so.1, looks these names up, and loads the kernels it has compiled. Everything succeeds and nothing happens:
 * what is loaded or found is a pointer to nothing. Only cuInit says that there is no device. */
#define DONE(name) int name(void); int name(void) { return 0; }
#define MADE(name) int name(void **); int name(void **p) { *p = &nothing; return 0; }
#define NO_DEVICE 100

static char nothing;

int cuInit(unsigned flags);
int cuInit(unsigned flags)
{
    (void)flags;
    return NO_DEVICE;
}

DONE(cuCtxGetCurrent)
DONE(cuCtxGetDevice)
DONE(cuCtxGetLimit)
DONE(cuCtxPopCurrent)
DONE(cuCtxPushCurrent)
DONE(cuDeviceGet)
DONE(cuDeviceGetAttribute)
DONE(cuDeviceGetCount)
DONE(cuDevicePrimaryCtxRelease)
DONE(cuDevicePrimaryCtxReset)
DONE(cuDevicePrimaryCtxRetain)
DONE(cuDriverGetVersion)
DONE(cuFuncGetAttribute)
DONE(cuFuncSetAttribute)
DONE(cuGetErrorName)
DONE(cuGetErrorString)
DONE(cuKernelGetAttribute)
DONE(cuKernelSetAttribute)
DONE(cuLaunchCooperativeKernel)
DONE(cuLaunchKernel)
DONE(cuLaunchKernelEx)
DONE(cuLibraryUnload)
DONE(cuLinkAddData)
DONE(cuLinkAddData_v2)
DONE(cuLinkAddFile_v2)
DONE(cuLinkComplete)
DONE(cuLinkCreate)
DONE(cuLinkCreate_v2)
DONE(cuLinkDestroy)
DONE(cuMemcpyDtoH_v2)
DONE(cuModuleGetGlobal_v2)
DONE(cuModuleLoadDataEx)
DONE(cuModuleLoadFatBinary)
DONE(cuModuleUnload)
DONE(cuOccupancyMaxActiveBlocksPerMultiprocessor)
DONE(cuOccupancyMaxPotentialClusterSize)
DONE(cuStreamGetCtx)
DONE(cuStreamSynchronize)
DONE(cuTensorMapEncodeTiled)

MADE(cuLibraryGetKernel)
MADE(cuLibraryLoadData)
MADE(cuLibraryLoadFromFile)
MADE(cuModuleGetFunction)
MADE(cuModuleLoadData)
