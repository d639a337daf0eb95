#include "stop.h"

/* What a signal handler must find. */
static volatile sig_atomic_t came;
static struct sigaction before[2];
static const int signals[2] = {SIGINT, SIGTERM};

static void restore(void)
{
    for (int i = 0; i < 2; i++)
        sigaction(signals[i], &before[i], NULL);
}

static void on_signal(int sig)
{
    if (came) {
        restore();
        raise(sig);
    }
    came = sig;
}

volatile sig_atomic_t *sj_stop_catch(void)
{
    const struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    for (int i = 0; i < 2; i++) {
        sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &act, NULL);
    }
    return &came;
}

void sj_stop_end(void)
{
    restore();
    if (came)
        raise(came);
}
