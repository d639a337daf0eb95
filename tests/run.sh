#!/bin/sh
# run.sh: every test program and script through prove; what failed or was skipped is told; the last line counts:
# "N passed, N failed".
set -u
BUILD=${BUILD:-build}
export BUILD
# several programs share the processors here: threads that wait must sleep, not spin (5 times as fast)
OMP_WAIT_POLICY=passive
export OMP_WAIT_POLICY
PERL_TEST_HARNESS_DUMP_TAP=$(mktemp -d)
export PERL_TEST_HARNESS_DUMP_TAP
trap 'rm -rf "$PERL_TEST_HARNESS_DUMP_TAP"' EXIT

programs=$(find "$BUILD/tests/unit" "$BUILD/tests/kernels" -type f -perm -u+x 2>/dev/null | sort)
# shellcheck disable=SC2086  # names without blanks
prove --exec '' --directives --timer -j"$(nproc)" $programs tests/*.t
status=$?

# The harness leaves what each printed. A check that failed is told with the lines behind it; a program that died, or
# whose plan is wrong, without any check of its own that failed, counts as one.
find "$PERL_TEST_HARNESS_DUMP_TAP" -type f -exec awk -v died="$status" '
FNR == 1    { telling = 0 }
/^ok /      { telling = 0; if (/# SKIP/) skipped++; else passed++ }
/^not ok /  { failed++; telling = 1; print FILENAME ":" }
telling
END {
    if (died && !failed) failed = 1
    if (!passed && !failed) failed = 1
    if (skipped) printf "%d skipped\n", skipped
    printf "%d passed, %d failed\n", passed, failed
    exit failed > 0
}' {} +
