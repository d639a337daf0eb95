/* emulation: threads of a block as coroutines, and what dev_cuda.cu is for the kernels. */
#include "cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

enum { most_threads = 1024, stack_size = 128 << 10, guard_size = 256, poisoned_blocks = 3 };
enum state { NOT_STARTED, RUNNING, AT_BARRIER, IN_WARP, ENDED };

struct emulated_place threadIdx, blockIdx, blockDim, gridDim;

/* A stack and where it was left. */
struct fiber {
    void *jump[5]; /* __builtin_setjmp's */
    const void *stack;
    size_t size;
    void *fake; /* the address sanitizer's */
    int thread; /* which it runs; -1: free */
};

struct warp {
    uint64_t value[2][32]; /* of even and odd exchanges */
    int arrived, turn;
};

static struct {
    struct fiber main, fiber[most_threads];
    int fibers, current; /* current: -1 is the scheduler */
    int threads, begun, limit, order, ended; /* begun: how many, of the first `limit` */
    enum state state[most_threads];
    int line[most_threads]; /* where it waits */
    struct emulated_place place[most_threads];
    int of_thread[most_threads]; /* its fiber */
    struct warp warp[most_threads / 32];
    int any, answer; /* of barriers with a value */
    void (*call)(void *);
    void *data;
    const char *kernel;
    char *shared;
} e;

extern char __start_emulated_shared[], __stop_emulated_shared[];

__attribute__((noreturn)) static void fault(const char *what)
{
    fflush(stdout);
    fprintf(stderr, "kernel %s: %s (block %u %u %u, thread %u %u %u)\n", e.kernel, what, blockIdx.x, blockIdx.y,
            blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    abort();
}

/* What every switch ends with. Fibers are entered from the scheduler alone. */
static void entered(struct fiber *self)
{
#ifdef __SANITIZE_ADDRESS__
    const void *stack;
    size_t size;
    __sanitizer_finish_switch_fiber(self->fake, &stack, &size);
    if (e.current >= 0) {
        e.main.stack = stack;
        e.main.size = size;
    }
#else
    (void)self;
#endif
}

static void fiber_main(void);

__attribute__((noinline, noreturn, no_sanitize_address)) static void jump(struct fiber *to)
{
    __builtin_longjmp(to->jump, 1);
}

/* Goes on with `to`; comes back when somebody goes on with `from`. */
__attribute__((noinline, no_sanitize_address)) static void go_on(struct fiber *from, struct fiber *to, int number,
                                                                int fresh)
{
    e.current = number;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&from->fake, to->stack, to->size);
#endif
    if (!__builtin_setjmp(from->jump)) {
        if (!fresh)
            jump(to);
        ucontext_t first;
        getcontext(&first);
        first.uc_stack.ss_sp = (void *)to->stack;
        first.uc_stack.ss_size = to->size;
        first.uc_link = NULL;
        makecontext(&first, fiber_main, 0);
        setcontext(&first);
    }
    entered(from);
}

static int in_order(int i)
{
    return e.order < 0 ? e.threads - 1 - i : i;
}

/* The next thread that may begin, or -1. */
static int next_thread(void)
{
    return e.begun < e.limit ? in_order(e.begun++) : -1;
}

static void take_place(int thread)
{
    threadIdx = e.place[thread];
}

/* A fiber runs threads one after the other, as long as none of them waits. */
static void fiber_main(void)
{
    int self = e.current;
    struct fiber *f = &e.fiber[self];
    entered(f);
    for (;;) {
        while ((f->thread = next_thread()) >= 0) {
            int t = f->thread;
            e.state[t] = RUNNING;
            e.of_thread[t] = self;
            take_place(t);
            e.call(e.data);
            e.state[t] = ENDED;
            e.ended++;
        }
        go_on(f, &e.main, -1, 0);
    }
}

/* Lets others run until this thread is RUNNING again. */
static void wait_as(enum state state, int line)
{
    int self = e.current, t = e.fiber[self].thread;
    e.state[t] = state;
    e.line[t] = line;
    go_on(&e.fiber[self], &e.main, -1, 0);
    take_place(t);
}

void emulated_barrier(int line)
{
    emulated_barrier_or(line, 0);
}

int emulated_barrier_or(int line, int value)
{
    e.any |= value != 0;
    wait_as(AT_BARRIER, line);
    return e.answer;
}

void emulated_exchange(int line, unsigned mask, uint64_t mine, uint64_t all[32])
{
    int t = e.fiber[e.current].thread, turn = e.warp[t / 32].turn & 1;
    struct warp *w = &e.warp[t / 32];
    if (mask != 0xffffffffu)
        fault("an exchange among part of a warp");
    w->value[turn][t % 32] = mine;
    if (++w->arrived < 32) {
        wait_as(IN_WARP, line);
    } else {
        for (int i = t / 32 * 32; i < t / 32 * 32 + 32; i++)
            if (i != t) {
                if (e.state[i] != IN_WARP || e.line[i] != line)
                    fault("lanes meet in different exchanges");
                e.state[i] = RUNNING;
            }
        w->arrived = 0;
        w->turn++;
    }
    memcpy(all, w->value[turn], sizeof w->value[turn]);
}

void *emulated_dynamic_shared(void)
{
    return e.shared;
}

static void release_barrier(void)
{
    for (int t = 0; t < e.threads; t++) {
        take_place(t);
        if (e.state[t] == ENDED)
            fault("has ended while others wait at a barrier");
        if (e.state[t] != AT_BARRIER || e.line[t] != e.line[0])
            fault("does not come to the barrier at which others wait");
        e.state[t] = RUNNING;
    }
    e.answer = e.any;
    e.any = 0;
}

/* A fiber for a thread that has not begun. */
static int free_fiber(void)
{
    for (int i = 0; i < e.fibers; i++)
        if (e.fiber[i].thread < 0)
            return i;
    struct fiber *f = &e.fiber[e.fibers];
    f->size = stack_size;
    f->stack = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (f->stack == MAP_FAILED)
        fault("no memory for a stack");
    return e.fibers++;
}

/* The threads at places i .. i + 31 of the order, until all of them wait for others or have ended; whether any ran. */
static int run_warp(int i)
{
    int moved = 0, more = 1;
    while (e.begun < e.limit) {
        int before = e.fibers, f = free_fiber();
        go_on(&e.main, &e.fiber[f], f, f == before);
        moved = 1;
    }
    while (more) {
        more = 0;
        for (int j = i; j < i + 32; j++) {
            int t = in_order(j);
            if (e.state[t] != RUNNING)
                continue;
            go_on(&e.main, &e.fiber[e.of_thread[t]], e.of_thread[t], 0);
            more = moved = 1;
        }
    }
    return moved;
}

/* One warp after the other goes as far as it can. */
static void run_block(void)
{
    e.begun = e.limit = e.ended = e.any = 0;
    memset(e.state, 0, sizeof e.state);
    memset(e.warp, 0, sizeof e.warp);
    while (e.ended < e.threads) {
        int moved = 0;
        for (int i = 0; i < e.threads; i += 32) {
            e.limit = e.limit > i + 32 ? e.limit : i + 32;
            moved |= run_warp(i);
        }
        if (!moved)
            release_barrier();
    }
}

static void place_threads(dim3 block)
{
    for (unsigned i = 0; i < (unsigned)e.threads; i++)
        e.place[i] = {i % block.x, i / block.x % block.y, i / block.x / block.y};
}

void emulated_run(const char *kernel, dim3 grid, dim3 block, size_t shared, int order, void (*call)(void *),
                  void *data)
{
    uint64_t blocks = (uint64_t)grid.x * grid.y * grid.z, threads = (uint64_t)block.x * block.y * block.z;
    e.kernel = kernel;
    threadIdx = blockIdx = {0, 0, 0};
    if (!blocks || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535)
        fault("a grid out of range");
    if (!threads || threads > most_threads || threads % 32 || block.z > 64)
        fault("a block out of range");
    if (shared > 227 << 10)
        fault("more shared memory than a block may have");
    e.threads = (int)threads;
    e.order = order;
    e.call = call;
    e.data = data;
    gridDim = {grid.x, grid.y, grid.z};
    blockDim = {block.x, block.y, block.z};
    place_threads(block);
    e.shared = (char *)sjk_memory(shared + guard_size);
    if (!e.shared)
        fault("no memory");
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t b = order < 0 ? blocks - 1 - i : i;
        blockIdx = {(unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y), (unsigned)(b / grid.x / grid.y)};
        if (i < poisoned_blocks) {
            memset(__start_emulated_shared, 0xff, (size_t)(__stop_emulated_shared - __start_emulated_shared));
            memset(e.shared, 0xff, shared);
        }
        memset(e.shared + shared, 0x5a, guard_size);
        run_block();
        for (int g = 0; g < guard_size; g++)
            if (e.shared[shared + (size_t)g] != 0x5a)
                fault("wrote behind its shared memory");
    }
    free(e.shared);
}

/* -- dev_cuda.cu --------------------------------------------------------------------------------------------------- */
int cuda_check(struct sjk *k, cudaError_t error, const char *what)
{
    return error ? sjk_fail(k, SJK_DEVICE, "%s: error %d", what, error) : 0;
}

int cuda_copy(struct sjk *k, void *dst, const void *src, size_t bytes)
{
    return sjk_cpu_copy(k, dst, src, bytes);
}

/* Fresh memory of exactly this size for every call, full of NaN, so that nothing relies on what was there. */
void *cuda_scratch(struct sjk *k, size_t bytes)
{
    struct sjk_cuda *own = cuda_own(k);
    free(own->scratch);
    own->scratch = NULL;
    if (posix_memalign(&own->scratch, 256, bytes ? bytes : 1))
        return NULL;
    memset(own->scratch, 0xff, bytes);
    return own->scratch;
}

const void *cuda_stage(struct sjk *k, const void *host, size_t bytes)
{
    struct sjk_cuda *own = cuda_own(k);
    free(own->slot);
    own->slot = malloc(bytes);
    if (own->slot)
        memcpy(own->slot, host, bytes);
    return own->slot;
}
