/* err: one status and one reason for everything that can fail.
 *
 * Library calls return a status (0 is success) and record one reason per thread; only tools print it. The values are
 * the exit statuses of the programs, so a tool's main can return what the library returned. */
#ifndef SJ_ERR_H
#define SJ_ERR_H

enum sj_status {
    SJ_OK = 0,
    SJ_NO = 1,     /* the answer is no, or some inputs were skipped under --keep-going */
    SJ_USAGE = 2,  /* the command line or the arguments are off */
    SJ_INPUT = 3,  /* bad input: truncated, corrupt, wrong kind, NaN */
    SJ_SYSTEM = 4, /* the system: I/O, memory, a missing program */
    SJ_DEVICE = 5  /* the device asked for is absent or failed */
};

/* Records "FORMAT" as this thread's reason and returns `status`. Lower case, no full stop, subjects in 'quotes'. */
int sj_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As sj_fail(SJ_SYSTEM, ...) with ": " and the text of errno appended. */
int sj_fail_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Puts "FORMAT: " before the reason already recorded and returns `status` (for callers that know more context). */
int sj_fail_at(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The reason of this thread's last failure; "" before any. Owned by the library, valid until the next failure. */
const char *sj_reason(void);

#endif
