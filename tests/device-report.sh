#!/bin/bash
# device-report.sh: check-cuda and bench-cuda in one go within ten minutes; logs to $OUT (else $BUILD), a short table last.
set -u
BUILD=${BUILD:-build}
export BUILD
logs=${OUT:-$BUILD}
began=$SECONDS
left() { echo $((590 - SECONDS + began)); }

timeout 200 bash tests/check-cuda.sh ops golden repeat curve resume errors same >"$logs/check-cuda.log" 2>&1
echo "check-cuda: status $?, $(tail -n 1 "$logs/check-cuda.log"), $((SECONDS - began)) s"
grep -E '^not ok' "$logs/check-cuda.log" | cut -c 1-160 | head -n 20
TOTAL=$(($(left) - 100)) bash tests/bench-cuda.sh whole search set ops peer >"$logs/bench-cuda.log" 2>&1
echo "bench-cuda: status $?, $((SECONDS - began)) s"
timeout "$(left)" bash tests/check-cuda.sh sanitizer >"$logs/sanitizer.log" 2>&1
echo "sanitizer: status $?, $(tail -n 1 "$logs/sanitizer.log"), $((SECONDS - began)) s"
grep -E '^not ok' "$logs/sanitizer.log" | cut -c 1-160
cat "$logs/bench-cuda.log"
