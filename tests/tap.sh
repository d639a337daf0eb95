# tap.sh: TAP for the shell tests; they source it from the repository's root and call `finish` at their end.
# shellcheck shell=sh disable=SC2034
set -u
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
root=$PWD
bin=$BUILD/bin
export OMP_WAIT_POLICY=passive # tests run side by side: threads that wait must sleep, not spin
dir=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) # in memory where that is possible: synced files are slow
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
count=0 failed=0

# ok NAME COMMAND...: whether the command succeeds. What it prints goes to $dir/out and $dir/err.
ok() {
    tap_name=$1 count=$((count + 1))
    shift
    if "$@" >"$dir/out" 2>"$dir/err"; then
        echo "ok $count - $tap_name"
    else
        echo "not ok $count - $tap_name: status $?: $*"
        sed 's/^/# /' "$dir/err"
        failed=$((failed + 1))
    fi
}

# fails STATUS TEXT NAME COMMAND...: whether it exits with STATUS and one line on standard error that contains TEXT.
fails() {
    tap_want=$1 tap_text=$2 tap_name=$3 count=$((count + 1))
    shift 3
    "$@" >"$dir/out" 2>"$dir/err"
    tap_got=$?
    if [ $tap_got -eq "$tap_want" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -qF -e "$tap_text" "$dir/err"; then
        echo "ok $count - $tap_name"
    else
        echo "not ok $count - $tap_name: status $tap_got, want $tap_want and '$tap_text': $*"
        sed 's/^/# /' "$dir/err"
        failed=$((failed + 1))
    fi
}

# is GOT WANT NAME
is() {
    count=$((count + 1))
    if [ "$1" = "$2" ]; then
        echo "ok $count - $3"
    else
        echo "not ok $count - $3: got '$1', want '$2'"
        failed=$((failed + 1))
    fi
}

# skip NAME WHY: a check that cannot be made here.
skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

# sanitized PROGRAM: whether it was built with the address sanitizer, which keeps memory and reserves terabytes of addresses.
sanitized() {
    nm "$1" | grep -q __asan_init
}

# within KILOBYTES PROGRAM ARGUMENT...: with addresses for so much memory, where the sanitizer leaves that to be said.
within() {
    (
        # shellcheck disable=SC3045  # what sh is here has it
        sanitized "$2" || ulimit -v "$1"
        shift
        exec "$@"
    )
}

finish() {
    echo "1..$count"
    [ "$failed" -eq 0 ] && [ "$count" -gt 0 ]
    exit
}
