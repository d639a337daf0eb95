/* The plans of attention in bf16 that cuDNN makes for an H200 (tests/data/h200.json), without any device: the driver is
 * tests/driver, which has all that cuDNN's loader asks for and does nothing. Kernels are generated and compiled
 * as on the device; that they run and are right only a device can tell (tests/check-cuda.sh). */
#include "../tap.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

enum { forward, forward_stat, backward, backward_fixed, kinds };

typedef int plan_function(const char *json, int64_t B, int64_t K, int64_t H, int64_t E, int kind, int64_t *workspace,
                          char *why, size_t size);

static const char *const kind_name[kinds] = {"forward", "forward with statistics", "backward",
                                             "backward with the same bits"};

/* What the models meet: which kinds of which shape. */
static const struct {
    const char *name;
    int64_t B, K, H, E;
    int kind[kinds];
} shapes[] = {
    {"base, batch 256", 256, 250, 12, 64, {1, 1, 1, 1}},
    {"tiny, batch 256", 256, 250, 3, 64, {0, 1, 1, 0}},
    {"small, batch 512", 512, 250, 6, 64, {0, 1, 1, 0}},
    {"large, batch 128", 128, 250, 16, 64, {0, 1, 1, 0}},
    {"transformer predictor", 256, 251, 16, 32, {1, 1, 1, 1}},
    {"one short chunk", 1, 50, 12, 64, {1, 1, 1, 1}},
};

/* $BUILD/rest, loaded; NULL with a visible skip. */
static void *load(const char *rest, int flags)
{
    char path[4096];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "./%s/%s", build ? build : "build", rest);
    if (build && *build == '/')
        snprintf(path, sizeof path, "%s/%s", build, rest);
    void *library = dlopen(path, flags);
    if (!library)
        skip("cuDNN's plans for an H200", dlerror());
    return library;
}

static int read_json(char *json, size_t size)
{
    FILE *f = fopen("tests/data/h200.json", "r");
    size_t n = f ? fread(json, 1, size - 1, f) : 0;
    if (f)
        fclose(f);
    json[n] = '\0';
    return n > 0;
}

static void one_plan(plan_function *plan, const char *json, int i, int kind)
{
    char why[512] = "";
    int64_t workspace = -1;
    int64_t B = shapes[i].B, K = shapes[i].K, H = shapes[i].H, E = shapes[i].E;
    int status = plan(json, B, K, H, E, kind, &workspace, why, sizeof why);
    /* the probabilities in bf16, padded, at most */
    int64_t most = kind == backward_fixed ? B * H * (K + 255) / 256 * 256 * 256 * 2 : 1 << 20;
    ok(!status && workspace >= 0 && workspace <= most, "%s, %s: %s%.1f MiB", shapes[i].name, kind_name[kind], why,
       (double)workspace / (1 << 20));
}

int main(void)
{
    char json[4096], why[512] = "";
    int64_t workspace;
    if (!load("tests/driver/libcuda.so.1", RTLD_NOW | RTLD_GLOBAL))
        return done();
    void *plugin = load("lib/sj/libsj-cuda.so", RTLD_NOW | RTLD_LOCAL);
    if (!plugin)
        return done();
    void *symbol = dlsym(plugin, "sjk_cuda_attention_plan");
    plan_function *plan;
    memcpy(&plan, &symbol, sizeof plan);
    if (!ok(symbol != NULL, "the plug-in makes plans") || !ok(read_json(json, sizeof json), "tests/data/h200.json"))
        return done();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int kind = 0; kind < kinds; kind++)
            if (shapes[i].kind[kind])
                one_plan(plan, json, (int)i, kind);
    int status = plan(json, 2, 17, 2, 12, forward_stat, &workspace, why, sizeof why);
    ok(status == -1 && !strncmp(why, "cuDNN 9.", 8) && strstr(why, "heads of 12"), "heads of 12 are refused: %s", why);
    status = plan("{}", 2, 17, 2, 16, forward_stat, &workspace, why, sizeof why);
    ok(status == -1 && !strncmp(why, "cuDNN 9.", 8), "a device without properties is refused: %s", why);
    return done();
}
