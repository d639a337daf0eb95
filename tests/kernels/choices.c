/* The remembered choices of the CUDA back end: what one process found the next one knows; damage costs only itself. */
#include "choices_cuda.h"
#include "../tap.h"

#include <stdlib.h>
#include <unistd.h>

static struct cuda_choice_key key(int64_t n)
{
    struct cuda_choice_key k = {{n, -1, INT64_MAX, INT64_MIN}};
    return k;
}

/* The first word of the choice that a fresh reader has for key n; -1: none. */
static long long known(const char *device, size_t version, int64_t n)
{
    struct cuda_choices c;
    const struct cuda_choice_key k = key(n);
    cuda_choices_open(&c, device, version);
    const struct cuda_choice *found = cuda_choices_find(&c, &k);
    long long word = found ? (long long)found->word[0] : -1;
    if (found && found->word[7] != UINT64_MAX)
        word = -2;
    cuda_choices_close(&c);
    return word;
}

static void add(const char *device, size_t version, int64_t n, uint64_t word)
{
    struct cuda_choices c;
    const struct cuda_choice_key k = key(n);
    const struct cuda_choice choice = {{word, 0, 1, 2, 3, 4, 5, UINT64_MAX}};
    cuda_choices_open(&c, device, version);
    cuda_choices_add(&c, &k, &choice);
    const struct cuda_choice *found = cuda_choices_find(&c, &k);
    ok(found && found->word[0] == word, "choice %lld is known at once", (long long)n);
    cuda_choices_close(&c);
}

static void append(const char *path, const char *text)
{
    FILE *f = fopen(path, "a");
    if (f) {
        fputs(text, f);
        fclose(f);
    }
}

int main(void)
{
    char top[] = "/tmp/sj-choices-XXXXXX", folder[64], file[128];
    if (!ok(mkdtemp(top) != NULL, "a temporary folder"))
        return done();
    snprintf(folder, sizeof folder, "%s/a/b", top);
    snprintf(file, sizeof file, "%s/products-1-130100-NVIDIA-H200", folder);
    setenv("SJ_CUDA_CACHE", folder, 1);
    is_int(known("NVIDIA H200", 130100, 1), -1, "nothing is known at first");
    add("NVIDIA H200", 130100, 1, 11);
    add("NVIDIA H200", 130100, 2, 22);
    is_int(known("NVIDIA H200", 130100, 1), 11, "the next process knows the first");
    is_int(known("NVIDIA H200", 130100, 2), 22, "and the second");
    is_int(known("NVIDIA H200", 130101, 1), -1, "another version does not");
    is_int(known("NVIDIA/../H200", 130100, 1), -1, "nor another device");
    ok(access(file, R_OK) == 0, "in a file of the device and the version");
    append(file, "1 -1 9223372036854775807 12\n\nnonsense\n7 7");
    append(file, "\n");
    add("NVIDIA H200", 130100, 1, 33);
    is_int(known("NVIDIA H200", 130100, 1), 33, "the latest counts, damaged lines are passed over");
    is_int(known("NVIDIA H200", 130100, 2), 22, "and what stood before them stays");
    setenv("SJ_CUDA_CACHE", "", 1);
    is_int(known("NVIDIA H200", 130100, 1), -1, "an empty folder's name keeps nothing");
    add("NVIDIA H200", 130100, 3, 44);
    setenv("SJ_CUDA_CACHE", "/dev/null/x", 1);
    add("NVIDIA H200", 130100, 3, 44);
    unlink(file);
    rmdir(folder);
    snprintf(folder, sizeof folder, "%s/a", top);
    rmdir(folder);
    ok(rmdir(top) == 0, "nothing else was written");
    return done();
}
