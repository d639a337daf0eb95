/* plugin: finding and loading the CUDA back end. */
#include "plugin.h"
#include "cpu.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char library[] = "lib/sj/libsj-cuda.so";

/* The path of the library into path; 0 when there is none. */
static int find(char *path, size_t size)
{
    static const char *const above[] = {"..", "../.."}; /* of build/bin and bin; of build/tests/kernels */
    char program[PATH_MAX];
    const char *asked = getenv("SJ_CUDA_PLUGIN");
    if (asked && *asked) {
        snprintf(path, size, "%s", asked);
        return 1;
    }
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = 0;
    char *end = strrchr(program, '/');
    for (size_t i = 0; end && i < sizeof above / sizeof *above; i++) {
        *end = 0;
        snprintf(path, size, "%s/%s/%s", program, above[i], library);
        if (!access(path, R_OK))
            return 1;
    }
    snprintf(path, size, "%s/sj/libsj-cuda.so", SJ_LIBDIR);
    return !access(path, R_OK);
}

/* N of "cuda:N", 0 of "cuda", -1 when it is no number. */
static int device_of(const char *backend)
{
    const char *number = strchr(backend, ':');
    char *end;
    if (!number)
        return 0;
    errno = 0;
    long n = strtol(number + 1, &end, 10);
    return number[1] < '0' || number[1] > '9' || *end || errno || n > INT_MAX ? -1 : (int)n;
}

int sjk_plugin_open(const char *backend, int threads, struct sjk **out, char *why, size_t size)
{
    char path[PATH_MAX + sizeof library + 8], reason[400];
    int device = device_of(backend);
    *out = NULL;
    if (device < 0) {
        snprintf(why, size, "unknown back end '%s'", backend);
        return SJK_BAD;
    }
    if (!find(path, sizeof path)) {
        snprintf(why, size, "back end '%s': libsj-cuda.so is neither beside this program nor in %s/sj "
                 "(built without CUDA?)", backend, SJ_LIBDIR);
        return SJK_DEVICE;
    }
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        snprintf(why, size, "back end '%s': %s", backend, dlerror());
        return SJK_DEVICE;
    }
    const struct sjk_plugin *plugin = dlsym(handle, SJK_PLUGIN_SYMBOL);
    if (!plugin || strncmp(plugin->version, SJ_VERSION, sizeof plugin->version) ||
        plugin->table != sizeof(struct sjk_ops)) {
        snprintf(why, size, "back end '%s': '%s' is %s", backend, path,
                 plugin ? "of another version of sj" : "no back end of sj");
        dlclose(handle);
        return SJK_DEVICE;
    }
    int status = plugin->open(device, threads, out, reason, sizeof reason);
    if (status)
        snprintf(why, size, "back end '%s': %s", backend, reason);
    return status;
}

int sjk_plugin_promises(void)
{
    char path[PATH_MAX + sizeof library + 8];
    int devices = 0;
    int (*init)(unsigned), (*count)(int *);
    if (!find(path, sizeof path))
        return 0;
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE); /* once started it stays */
    if (!driver)
        return 0;
    *(void **)&init = dlsym(driver, "cuInit");
    *(void **)&count = dlsym(driver, "cuDeviceGetCount");
    if (init && count && (init(0) || count(&devices)))
        devices = 0;
    dlclose(driver);
    return devices > 0;
}
