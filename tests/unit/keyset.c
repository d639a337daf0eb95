/* keyset against what is known of the keys put in, past several growths. */
#include "keyset.h"

#include "../tap.h"

int main(void)
{
    enum { KEYS = 20000 };
    struct sj_keyset *s;
    char key[64];
    int bad = 0;
    if (sj_keyset_new(&s))
        return 1;
    is_int(sj_keyset_count(s), 0, "empty at first");
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < KEYS; i++) {
            int k = (int)((i * 7919LL) % KEYS); /* another order than that of the numbers */
            snprintf(key, sizeof key, "song %d/%s", k / 2, k % 2 ? "bass" : "drums");
            bad |= sj_keyset_add(s, key);
            if (!round && i % 1000 == 0)
                bad |= sj_keyset_count(s) != i + 1;
        }
    ok(!bad, "every key is taken, and counted when it is new");
    is_int(sj_keyset_count(s), KEYS, "not when it comes again");
    sj_keyset_add(s, "");
    sj_keyset_add(s, "song 1");
    sj_keyset_add(s, "");
    is_int(sj_keyset_count(s), KEYS + 2, "the empty key and a beginning of others are keys too");
    sj_keyset_free(s);
    sj_keyset_free(NULL);
    return done();
}
