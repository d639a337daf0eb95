/* The own kernels of the CUDA back end, compiled for the host, against the reference.   emulated [OP] */
int ops_main(int argc, char **argv);
#define main ops_main
#include "ops.c"
#undef main
#include "emulated.h"

/* Whether the table has the operation: the tests of others are not run. */
static int has(const struct sjk_ops *o, const char *name)
{
    const struct {
        const char *name;
        int has;
    } op[] = {{"layernorm", !!o->layernorm}, {"layernorm_backward", !!o->layernorm_backward}};
    for (size_t i = 0; i < sizeof op / sizeof *op; i++)
        if (!strcmp(op[i].name, name))
            return op[i].has;
    return 0;
}

int main(int argc, char **argv)
{
    struct tester t = {0};
    char why[256];
    (void)ops_main;
    if (emulated_open(1, &t.one) || emulated_open(3, &t.three) ||
        sjk_open("cpu:reference", 1, &t.reference, why, sizeof why))
        return 1;
    for (int i = 0; i < op_count; i++) {
        if (!has(t.one->ops, op_table[i].name) || (argc > 1 && strcmp(argv[1], op_table[i].name)))
            continue;
        t.op = &op_table[i];
        t.cases = t.bad = t.notes = 0;
        t.worst = 0;
        one_op(&t);
        ok(!t.bad && t.cases, "%s: %d cases, largest error %.2f of the bound", t.op->name, t.cases, t.worst);
    }
    sjk_close(t.one);
    sjk_close(t.three);
    sjk_close(t.reference);
    return done();
}
