/* stop: SIGINT and SIGTERM ask a long computation to save its state before it ends. */
#ifndef SJ_STOP_H
#define SJ_STOP_H

#include <signal.h>

/* From now on the first of these signals only sets *result, which is 0 before; a second one ends the program as it
 * would any other. A signal that is ignored stays so. */
volatile sig_atomic_t *sj_stop_catch(void);

/* The state is saved: the program ends by the signal that came. When none did, it will again end by the next one. */
void sj_stop_end(void);

#endif
