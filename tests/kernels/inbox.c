/* Inboxes: what was sent arrives in order and stays until the next take; misuse is refused. */
#include "sjk.h"
#include "../tap.h"

#include <stdlib.h>

enum { bytes = 1 << 20 };

static struct sjk *k;

/* Fills and sends number `n`. */
static int send(struct sjk_inbox *b, int n)
{
    void *host = k->ops->inbox_host(k, b);
    if (host)
        memset(host, n, bytes);
    return host ? k->ops->inbox_send(k, b) : 1;
}

/* Whether `data` on the back end holds number `n` throughout. */
static int holds(const void *data, int n)
{
    unsigned char *host = malloc(bytes);
    int same = host && !k->ops->get(k, host, data, bytes);
    for (size_t i = 0; same && i < bytes; i++)
        same = host[i] == n;
    free(host);
    return same;
}

int main(int argc, char **argv)
{
    char why[256];
    struct sjk_inbox *b;
    const void *data, *other;
    if (sjk_open(argc > 1 ? argv[1] : "cpu", 0, &k, why, sizeof why) || k->ops->inbox_new(k, bytes, &b)) {
        printf("# %s\n", k ? sjk_reason(k) : why);
        return 1;
    }
    ok(k->ops->inbox_take(k, b, &data) != 0, "nothing to take at first");
    int good = !send(b, 1);
    for (int n = 2; n < 20; n++) {
        good &= !send(b, n) && !k->ops->inbox_take(k, b, &data) && holds(data, n - 1);
        good &= holds(data, n - 1);
    }
    ok(good, "one sending ahead: each arrives whole and in order");
    ok(!send(b, 20) && holds(data, 18), "what was taken stays while another is sent");
    ok(!k->ops->inbox_host(k, b) && k->ops->inbox_send(k, b) != 0, "a third sending ahead is refused");
    ok(!k->ops->inbox_take(k, b, &data) && holds(data, 19) && !k->ops->inbox_take(k, b, &other) && holds(other, 20),
       "the rest arrives");
    ok(k->ops->inbox_take(k, b, &data) != 0, "and then nothing");
    k->ops->inbox_free(k, b);
    sjk_close(k);
    return done();
}
