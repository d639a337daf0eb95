#!/bin/bash
# What every program must do, whatever else it does: one row per program.
# shellcheck disable=SC2015,SC2016,SC2317  # a && b || c is meant; $ is for an inner shell; functions are called by name
. tests/tap.sh
make=$BUILD/tests/make_stream
model=$dir/model.h5
man=$PWD/man
cd "$dir" || exit 1
"$BUILD/tests/make_model" model.h5 || exit 1
for k in wave pair mel track; do "$make" $k 1 >$k.sjt || exit 1; done
"$make" wave 1 i16 >wave.other && "$make" mel 1 f16 >mel.other && "$make" track 1 f16 >track.other || exit 1
echo "hello, world" >text
: >empty

# The rows: program; kind of stream that it reads, "any", or "-"; its arguments, for a whole run on that stream.
rows="
sj-view|any|-o -
sj-mel|wave|-j 1
sj-embed|mel|-m $model -j 1
sj-predict|token|-m $model -j 1 --class bass
"
"$bin/sj-embed" -m "$model" -j 1 mel.sjt >token.sjt && "$bin/sj-embed" -m "$model" -j 1 --layer 1 mel.sjt >token.other || exit 1

# quiet STATUS COMMAND...: whether it exits so, with nothing on standard error but, when it fails, one line.
quiet() {
    local want=$1 got
    shift
    "$@" 2>said
    got=$?
    [ "$got" -eq "$want" ] && [ "$(wc -l <said)" -eq $((want != 0)) ] && return 0
    echo "status $got, want $want, and $(wc -l <said) lines of messages: $*" >&2
    cat said >&2
    return 1
}
# The options of a program by its --help, and by its manual.
by_help() { "$1" --help | sed -n 's/^  \(-.,\|   \) --\([a-z0-9-]*\).*/\2/p' | sort -u; }
by_manual() { grep '^\.It ' "$1" | grep -o 'Fl Fl [a-z0-9-]*' | sed 's/Fl Fl //' | sort -u; }

every_program() {
    local p=$bin/$1
    ok "$1 --help" quiet 0 "$p" --help
    is "$(head -n 1 out | cut -d: -f1)" "$1" "$1 --help names it"
    ok "$1 --version" quiet 0 "$p" --version
    is "$(sed 's/[0-9.]*$//' out)" "$1 (sj) " "$1 --version says which"
    ok "$1 refuses an unknown option" quiet 2 "$p" --no-such-option
    ok "$1 refuses an abbreviation" quiet 2 "$p" --versio
    ok "$1 notices a full device" quiet 4 sh -c 'exec "$0" --help >/dev/full' "$p"
    is "$(by_manual "$man/$1.1" | tr '\n' ' ')" "$(by_help "$p" | tr '\n' ' ')" "$1 and its manual have the same options"
}

# run_on INPUT OUTPUT: the program p with its args.
run_on() {
    # shellcheck disable=SC2086  # words
    "$p" $args "$1" >"$2"
}
# Every cut of $1 ends in status 3 and no whole stream.
cuts_fail() {
    local at d size tried=0
    size=$(wc -c <"$1")
    for at in $("$BUILD/tests/frames" "$1"); do
        for d in -1 0 1; do
            [ $((at + d)) -ge 0 ] && [ $((at + d)) -lt "$size" ] || continue
            head -c $((at + d)) "$1" >cut.sjt
            quiet 3 run_on cut.sjt cut.out || { echo "cut after $((at + d)) bytes" >&2; return 1; }
            quiet 3 "$bin/sj-view" --check cut.out || { echo "cut after $((at + d)) bytes: whole output" >&2; return 1; }
            tried=$((tried + 1))
        done
    done
    [ "$tried" -gt 8 ]
}
records() { "$bin/sj-view" "$1" | grep -vc '^#'; } # and the line of names

filter() { # program kind arguments
    local kind=$2 file=$2.sjt k
    p=$bin/$1 args=$3
    [ "$kind" = any ] && file=track.sjt
    ok "$1 reads $file" quiet 0 run_on "$file" whole.out
    ok "$1 writes a whole stream" "$bin/sj-view" --check whole.out
    # shellcheck disable=SC2086
    ok "$1 reads standard input" quiet 0 sh -c 'exec "$0" "$@" <"$FILE" >stdin.out' "$p" $args
    ok "$1 writes the same" cmp whole.out stdin.out
    ok "$1 ends with an error where $file is cut" cuts_fail "$file"
    cat "$file" "$file" >two.sjt
    ok "$1 reads two streams as one" quiet 0 run_on two.sjt two.out
    is $(($(records two.out) - 1)) $((2 * ($(records whole.out) - 1))) "$1 writes the records of both"
    cat "$file" "${file%.sjt}.other" >unequal.sjt
    ok "$1 refuses unequal heads" quiet 3 run_on unequal.sjt unequal.out
    is "$(grep -c "does not go with" said)" 1 "$1 names both"
    for k in wave mel track token; do
        [ "$kind" != any ] && [ "$kind" != $k ] && ok "$1 refuses $k" quiet 3 run_on $k.sjt wrong.out
    done
    ok "$1 refuses a text" quiet 3 run_on text text.out
    ok "$1 refuses an empty file" quiet 3 run_on empty empty.out
    ok "$1 refuses a folder" quiet 3 run_on . folder.out
    ok "$1 misses a file" quiet 4 run_on nowhere nowhere.out
    ok "$1 notices a full device" quiet 4 run_on "$file" /dev/full
    { sleep 0.1; run_on "$file" /dev/stdout 2>pipe.err; echo $? >status; } | true
    is "$(cat status pipe.err)" 141 "$1 ends quietly when nobody reads"
}

for p in "$bin"/sj-*; do
    every_program "${p##*/}"
    count=$((count + 1))
    if [[ $rows == *$'\n'"${p##*/}|"* ]]; then
        echo "ok $count - ${p##*/} has a row"
    else
        echo "not ok $count - ${p##*/} has a row in this table"
        failed=$((failed + 1))
    fi
done
while IFS='|' read -r program kind arguments; do
    [ -n "$program" ] && [ "$kind" != - ] || continue
    export FILE=$kind.sjt
    [ "$kind" = any ] && FILE=track.sjt
    filter "$program" "$kind" "$arguments"
done <<<"$rows"
finish
