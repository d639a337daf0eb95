/* tap: checks that print the Test Anything Protocol. A test program calls ok()/is_*() and returns done(). */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

/* One check: prints "ok N - NAME" or "not ok N - NAME". Returns `pass`. */
__attribute__((format(printf, 2, 3), unused)) static int ok(int pass, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    printf("%sok %d - ", pass ? "" : "not ", ++tap_count);
    vprintf(format, ap);
    printf("\n");
    va_end(ap);
    tap_failed += !pass;
    return pass;
}

__attribute__((unused)) static int is_int(long long got, long long want, const char *name)
{
    return got == want ? ok(1, "%s", name) : ok(0, "%s: got %lld, want %lld", name, got, want);
}

__attribute__((unused)) static int is_text(const char *got, const char *want, const char *name)
{
    return got && !strcmp(got, want) ? ok(1, "%s", name) : ok(0, "%s: got '%s', want '%s'", name, got ? got : "(null)", want);
}

/* |got - want| <= bound; NaN fails. */
__attribute__((unused)) static int is_near(double got, double want, double bound, const char *name)
{
    return fabs(got - want) <= bound ? ok(1, "%s", name)
                                     : ok(0, "%s: got %.9g, want %.9g within %g", name, got, want, bound);
}

/* A visible skip of one check. */
__attribute__((unused)) static void skip(const char *name, const char *why)
{
    printf("ok %d - %s # SKIP %s\n", ++tap_count, name, why);
}

/* Prints the plan; the value for main to return. */
__attribute__((unused)) static int done(void)
{
    printf("1..%d\n", tap_count);
    fflush(stdout);
    return tap_failed || !tap_count || ferror(stdout);
}

#endif
