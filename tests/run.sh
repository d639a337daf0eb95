#!/bin/sh
# run.sh: every test program and script through prove; the last line counts: "N passed, N failed".
set -u
BUILD=${BUILD:-build}
export BUILD
# several programs share the processors here: threads that wait must sleep, not spin (5 times as fast)
OMP_WAIT_POLICY=passive
export OMP_WAIT_POLICY
jobs=$(nproc)
out=$(mktemp)
trap 'rm -f "$out"' EXIT

programs=$(find "$BUILD/tests/unit" "$BUILD/tests/kernels" -type f -perm -u+x 2>/dev/null | sort)
# shellcheck disable=SC2086  # names without blanks
prove --exec '' --directives --timer -j"$jobs" $programs tests/*.t 2>&1 | tee "$out"

awk '
/^Files=/       { if (match($0, /Tests=[0-9]+/)) total = substr($0, RSTART + 6, RLENGTH - 6) + 0 }
/subtests failed\./ { n = split($0, w, " "); for (i = 1; i <= n; i++) if (w[i] ~ /^[0-9]+\/[0-9]+$/) f = w[i]; split(f, q, "/"); failed = q[1] + 0 }
/test programs\./ { if (match($0, /Failed [0-9]+/)) broken = substr($0, RSTART + 7, RLENGTH - 7) + 0 }
/^Result: PASS/ { pass = 1 }
END {
    if (!pass && failed == 0) failed = broken > 0 ? broken : 1   # programs that died outside a check
    if (total == 0) { pass = 0; failed = failed > 0 ? failed : 1 }
    passed = total > failed ? total - failed : 0
    printf "%d passed, %d failed\n", passed, failed
    exit !pass
}' "$out"
