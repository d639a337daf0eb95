#!/bin/sh
# each.sh LIST OUT COMMAND: runs COMMAND for every line of LIST through GNU parallel; OUT becomes what all write.
#
# LIST     lines NAME tab ANYTHING tab PATH...; several PATHs have the character 037 between them
# COMMAND  writes a stream; {files} stands for the PATHs, {keep} for sj-chunk's -q or, with KEEP_GOING, -k; the programs
#          are found on PATH, here and on other hosts
# OUT      the streams in the order of LIST; each by itself is OUT.parts/NAME, which appears when it is whole, so what
#          was interrupted goes on where it was; OUT.left-out: what KEEP_GOING left out, with the reason
#
# JOBS       at a time, on each host [as many as processors]
# SSHLOGINS  hosts as GNU parallel's -S takes them (:,host1,8/host2), or a file of them [this machine alone]
# NEWER      files: what is older than one of them is made again
# KEEP_GOING 1: inputs that sj-chunk -k passes over are left out; without it they stop everything
# PARALLEL_FLAGS  more options for parallel, such as --transferfile {2} --cleanup
# shellcheck disable=SC2016,SC3013  # $ is for perl; -nt is in every sh of Debian
set -eu
list=$1 out=$2 command=$3
trap 'echo "stopped; what is done is kept" >&2; exit 1' INT TERM HUP
parts=$out.parts running=$out.parts/.running
tab=$(printf '\t')

# Parts are of one command.
mkdir -p "$running"
if [ "$(cat "$parts/.command" 2>/dev/null)" != "$command" ]; then
    rm -rf "$parts"
    mkdir -p "$running"
    printf '%s\n' "$command" >"$parts/.command"
fi

# What ended while nobody looked, whole by its end mark; and what sj-chunk said that it passed over.
adopt() {
    for f in "$running"/*.sjt; do
        [ -f "$f" ] || continue
        name=${f##*/}
        sj-view --check "$f" >/dev/null 2>&1 || { rm -f "$f"; continue; }
        part=$parts/${name%.sjt}
        grep '^sj-chunk: skipped: ' "$f.err" | tee "$part.left" | grep . >&2 || rm -f "$part.left"
        mv "$f" "$part"
        rm -f "$f.err" "$f.seq"
    done
}
fresh() { # FILE PATHS: what took the place of another file may be older than it, but came there later
    [ -f "$1" ] || return 1
    for newer in $NEWER; do
        if [ "$newer" -nt "$1" ]; then return 1; fi
    done
    printf '%s' "$2" | tr '\037' '\0' | xargs -0 -I{} find -L {} -newercm "$1" -print -quit | grep -q . && return 1
    return 0
}
left() { [ -n "${KEEP_GOING:-}" ] && fresh "$parts/$1.left" "$2"; }
whole() { fresh "$parts/$1" "$2" && { [ ! -f "$parts/$1.left" ] || [ -n "${KEEP_GOING:-}" ]; }; }

keep=${KEEP_GOING:+-k}
NEWER=${NEWER:-}
adopt
rm -f "$running"/* "$parts/.todo"
: >"$parts/.todo"
total=0
while IFS=$tab read -r name _ paths; do
    total=$((total + 1))
    whole "$name" "$paths" || left "$name" "$paths" || printf '%s\t%s\n' "$name" "$paths" >>"$parts/.todo"
done <"$list"

todo=$(($(wc -l <"$parts/.todo")))
echo "== ${out##*/}: $todo of $total to do" >&2
if [ "$todo" -gt 0 ]; then
    set -- --will-cite --colsep '\t' --trim n -a "$parts/.todo" --results "$running/{1}.sjt" -j "${JOBS:-$(nproc)}" \
        --rpl '{files} $_ = join(" ", map { Q($_) } split /\037/); uq()'
    if [ -n "${SSHLOGINS:-}" ]; then
        if [ -f "$SSHLOGINS" ]; then set -- "$@" --sshloginfile "$SSHLOGINS"; else set -- "$@" -S "$SSHLOGINS"; fi
    fi
    [ -n "${KEEP_GOING:-}" ] || set -- "$@" --halt soon,fail=1
    line=$(printf '%s' "$command" | sed "s/{files}/{2files}/g; s/{keep}/${keep:--q}/g")
    line="export OMP_WAIT_POLICY=passive; $line"
    status=0
    # shellcheck disable=SC2086  # flags are words
    parallel "$@" ${PARALLEL_FLAGS:-} "$line" >/dev/null 2>"$running/.parallel" || status=$?
    adopt
    said=1
    # what those behind sj-chunk say follows from what it says
    cat "$running"/*.err 2>/dev/null | grep "^sj-chunk: ${KEEP_GOING:+skipped: }" >&2 ||
        { [ -z "${KEEP_GOING:-}" ] && cat "$running"/*.err 2>/dev/null | grep "^sj-" >&2; } || said=
    if [ "$status" -ne 0 ] && [ -z "${KEEP_GOING:-}" ]; then
        [ -n "$said" ] || cat "$running"/*.err "$running/.parallel" >&2 2>/dev/null || :
        [ -n "$said" ] || echo "no program could say why; free in '$parts': $(df -h --output=avail "$parts" | tail -n 1)" >&2
        echo "stopped; what is done is kept. KEEP_GOING=1 leaves out what cannot be read" >&2
        exit 1
    fi
fi

# What has no stream now must be an input that was passed over; anything else is a failure, whatever KEEP_GOING says.
: >"$out.left-out.new"
while IFS=$tab read -r name _ paths; do
    if [ ! -f "$parts/$name" ] && [ -f "$running/$name.sjt.err" ]; then
        grep '^sj-chunk: skipped: ' "$running/$name.sjt.err" >"$parts/$name.left" || rm -f "$parts/$name.left"
    fi
    if [ ! -f "$parts/$name" ] && [ ! -f "$parts/$name.left" ]; then
        cat "$running/$name.sjt.err" >&2 2>/dev/null || :
        echo "'$name' failed" >&2
        exit 1
    fi
    [ -f "$parts/$name.left" ] || continue
    while IFS= read -r said; do printf '%s\t%s\n' "$name" "${said#sj-chunk: skipped: }"; done <"$parts/$name.left"
done <"$list" >>"$out.left-out.new"

while IFS=$tab read -r name _ paths; do
    [ ! -f "$parts/$name" ] || cat "$parts/$name"
done <"$list" >"$out.new"
if [ ! -s "$out.new" ]; then
    echo "none of the $total inputs of '$list' can be used" >&2
    rm -f "$out.new"
    exit 1
fi
rm -rf "$running" "$parts/.todo"
rm -f "$out.left-out"
if [ -s "$out.left-out.new" ]; then mv "$out.left-out.new" "$out.left-out"; else rm "$out.left-out.new"; fi
mv "$out.new" "$out"
