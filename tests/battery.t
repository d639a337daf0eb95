#!/bin/bash
# What every program must do, whatever else it does: one row per program.
# shellcheck disable=SC2015,SC2016,SC2317  # a && b || c is meant; $ is for an inner shell; functions are called by name
. tests/tap.sh
make=$BUILD/tests/make_stream
model=$dir/model.h5
man=$PWD/man
cd "$dir" || exit 1
"$BUILD/tests/make_model" model.h5 || exit 1
for k in wave melpair mel track; do "$make" $k 1 >$k.sjt || exit 1; done
for k in wave mel track; do "$make" $k 1 i16 >$k.other || exit 1; done
for k in f32 i16; do "$make" track 2 $k >tracks.$k || exit 1; done
mv tracks.f32 tracks.sjt && mv tracks.i16 tracks.other
"$make" mixes 2 >mixes.sjt && "$make" mixes 2 i16 >mixes.other || exit 1
"$bin/sj-linear" -q --fit -o map.h5 --mixes mixes.sjt --stems tracks.sjt || exit 1
printf '%s\n' "key split label" "song0/bass train a" "song0/drums train b" "song1/bass valid a" "song1/drums test b" |
    tr ' ' '\t' >labels.tsv
for k in frame predicted; do "$make" $k 1 >$k.sjt && "$make" $k 1 i16 >$k.other || exit 1; done
cat frame.sjt frame.sjt >frames.sjt # for queries that come twice
echo "hello, world" >text
: >empty

"$make" rest 1 >rest.sjt || exit 1
printf 'query\tclass\tlag_s\tsimilarity\tframes\nsong0/bass\tbass\t0.00\t0.5\t9\nall\t-\t0.00\t0.5\t9\n' >curves.tsv

"$bin/sj-view" --key song0/bass -o one.wav wave.sjt || exit 1
"$bin/sj-embed" -m "$model" -j 1 mel.sjt >token.sjt || exit 1
"$bin/sj-embed" -m "$model" -j 1 --layer 1 mel.sjt >token.other || exit 1

# The rows: program; kind of stream that it reads ("any"; "-": none); what it writes, stream, text, (only with -o) file, or
# lone: a text that begins its lines with the input's name, of keys that come once; its arguments, @ being the input. Where
# a program reads streams in two places it has two rows.
tiny="--dim 16 --depth 1 --heads 2 --hidden 16 --layers 2"
rows="
sj-view|any|stream|@
sj-mel|wave|stream|-j 1 @
sj-embed|mel|stream|-m $model -j 1 @
sj-predict|token|stream|-m $model -j 1 --class bass @
sj-knn|track|text|-j 1 --query track.sjt @
sj-knn|track|text|-j 1 --query @ track.sjt
sj-mash|wave|text|-q -j 1 --query wave.sjt @
sj-mash|wave|text|-q -j 1 --query @ wave.sjt
sj-page|wave|text|--curves curves.tsv rest.sjt @
sj-knn|any|text|-q -j 1 --cluster 2 --restarts 2 @
sj-linear|mixes|stream|-m map.h5 @
sj-linear|mixes|file|-q --fit --stems tracks.sjt --mixes @
sj-align|frame|text|-j 1 --query predicted.sjt @
sj-align|predicted|text|-j 1 --query @ frames.sjt
sj-probe|tracks|lone|-q -j 1 --labels labels.tsv --epochs 1 --rates 1e-3 @
sj-train|melpair|file|-q -j 1 $tiny --steps 1 --batch 2 @
sj-ratings|csv|text|@
sj-cooccur|clusters|text|-q --labels labels @
sj-trials|tsv|folder|-q -j 1 -n 1 --retrieved @ songs
sj-chunk|-|stream|-j 1 one.wav
sj-synth|-|stream|-j 1 -n 1 --seconds 2
sj-render|-|stream|-q -j 1 --soundfont font.sf2 --seconds 2 songs-midi
sj-facts|audio|text|one.wav
sj-index|audio|none|-q -j 1 shelf
sj-match|audio|text|-j 1 shelf one.wav
"
mkdir shelf && cp one.wav shelf/bass.wav && "$bin/sj-index" -q -j 1 -m "$model" shelf || exit 1

printf 'test,listener,trial,class,condition,rating\nt,anna,01,bass,true,70\nt,anna,01,bass,random,20\n' >ok.csv
"$bin/sj-synth" -q -n 3 --seconds 1 --folder songs || exit 1
/usr/bin/python3 "$root/tests/render_make.py" played && mv played/font.sf2 . && mv played/songs songs-midi || exit 1
printf 'synth-0-000000/bass\tbass\t1\tsynth-0-000001/bass\tbass\t0.5\t0\n' >ok.tsv
mkdir -p labels/song
printf '0\t9\tKey\tC\n' >labels/song/key.lab && printf '0\t9\tG:7\n' >labels/song/chords.lab
printf 'key\tclass\tstart_s\tend_s\tcluster\tdistance\nsong/bass\tbass\t0.00\t0.16\t3\t1.5\n' >ok.clusters

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
by_help() { "$1" --help | sed -n 's/^  \(-.,\|   \) --\([a-z0-9-]*\).*/\2/p' | sort -u | tr '\n' ' '; }
by_manual() { grep '^\.It ' "$1" | grep -o 'Fl Fl [a-z0-9-]*' | sed 's/Fl Fl //' | sort -u | tr '\n' ' '; }

every_program() {
    local p=$bin/$1
    ok "$1 --help" quiet 0 "$p" --help
    is "$(head -n 1 out | cut -d: -f1)" "$1" "$1 --help names it"
    ok "$1 --version" quiet 0 "$p" --version
    is "$(sed 's/[0-9.]*$//' out)" "$1 (sj) " "$1 --version says which"
    ok "$1 refuses an unknown option" quiet 2 "$p" --no-such-option
    ok "$1 refuses an abbreviation" quiet 2 "$p" --versio
    ok "$1 notices a full device" quiet 4 sh -c 'exec "$0" --help >/dev/full' "$p"
    is "$(by_manual "$man/$1.1")" "$(by_help "$p")" "$1 and its manual have the same options"
}

# run_on INPUT OUTPUT: the program p with its args.
run_on() {
    # shellcheck disable=SC2086  # words
    "$p" ${args//@/$1} -o "$2"
}
# Every cut of $1 ends in status 3, no file, and, on standard output, no whole stream.
cuts_fail() {
    local at d size tried=0
    size=$(wc -c <"$1")
    for at in $("$BUILD/tests/frames" "$1"); do
        for d in -1 0 1; do
            [ $((at + d)) -ge 0 ] && [ $((at + d)) -lt "$size" ] || continue
            head -c $((at + d)) "$1" >cut.sjt
            tried=$((tried + 1))
            quiet 3 run_on cut.sjt cut.out.sjt && [ ! -e cut.out.sjt ] ||
                { echo "cut after $((at + d)) bytes" >&2; return 1; }
            [ "$writes" = stream ] && [ "$d" -eq 0 ] || continue
            quiet 3 run_on cut.sjt - >piped.sjt && quiet 3 "$bin/sj-view" --check piped.sjt ||
                { echo "cut after $((at + d)) bytes, standard output" >&2; return 1; }
        done
    done
    [ "$tried" -gt 8 ]
}
records() { "$bin/sj-view" "$1" | grep -v '^#' | sed 1d | wc -l; }
stdin_to() { run_on - "$2" <"$1"; }
to_full() { run_on "$1" - >/dev/full; }

reads_streams() { # program kind writes arguments
    local file=$2.sjt label="$1 $4" k
    p=$bin/$1 writes=$3 args=$4
    label=${label//$dir\//}
    [ "$2" = any ] && file=track.sjt
    ok "$label: reads $file" quiet 0 run_on "$file" whole.sjt
    ok "$label: standard input" quiet 0 stdin_to "$file" stdin.sjt
    [ "$writes" = lone ] && sed -i 's/^[^\t]*//' whole.sjt stdin.sjt # it names its input
    ok "$label: gives the same" cmp whole.sjt stdin.sjt
    ok "$label: fails where $file is cut" cuts_fail "$file"
    cat "$file" "$file" >two.sjt
    [ "$writes" = lone ] && ok "$label: refuses the same keys again" quiet 3 run_on two.sjt x.sjt
    if [ "$writes" = stream ] || [ "$writes" = text ]; then
        cat "$file" "${file%.sjt}.other" >unequal.sjt
        ok "$label: two streams as one" quiet 0 run_on two.sjt two.out.sjt
        ok "$label: refuses unequal heads" quiet 3 run_on unequal.sjt x.sjt
        is "$(grep -c "does not go with" said)" 1 "$label: names both"
    fi
    if [ "$writes" = stream ]; then
        ok "$label: writes a whole stream" "$bin/sj-view" --check whole.sjt
        is "$(records two.out.sjt)" $((2 * $(records whole.sjt))) "$label: the records of both"
    fi
    for k in wave mel track token; do
        [ "$2" != any ] && [ "$2" != $k ] && ok "$label: refuses $k" quiet 3 run_on $k.sjt x.sjt
    done
    ok "$label: refuses a text" quiet 3 run_on text x.sjt
    ok "$label: refuses an empty file" quiet 3 run_on empty x.sjt
    ok "$label: refuses a folder" quiet 3 run_on . x.sjt
    ok "$label: misses a file" quiet 4 run_on nowhere x.sjt
    ok "$label: of all these nothing appears" test ! -e x.sjt
    ok "$label: misses a folder" quiet 4 run_on "$file" /nowhere/x.sjt
    [ "$writes" = file ] || outputs_fail "$label" "$file"
}
reads_texts() { # program ending writes arguments
    local file=ok.$2 label="$1 $4"
    p=$bin/$1 writes=$3 args=$4
    ok "$label: reads $file" quiet 0 run_on "$file" made
    ok "$label: standard input" quiet 0 stdin_to "$file" stdin.made
    ok "$label: gives the same" diff -r made stdin.made
    ok "$label: refuses another text" quiet 3 run_on text x
    ok "$label: refuses a stream" quiet 3 run_on wave.sjt x
    ok "$label: refuses an empty file" quiet 3 run_on empty x
    ok "$label: refuses a folder" quiet 3 run_on . x
    ok "$label: misses a file" quiet 4 run_on nowhere x
    ok "$label: of all these nothing appears" test ! -e x
    ok "$label: misses a folder" quiet 4 run_on "$file" /nowhere/x
    [ "$writes" = folder ] || outputs_fail "$label" "$file"
    rm -r made stdin.made
}
outputs_fail() { # name input
    ok "$1: notices a full device" quiet 4 run_on "$2" /dev/full
    ok "$1: standard output, too" quiet 4 to_full "$2"
    { sleep 0.1; run_on "$2" - 2>pipe.err; echo $? >status; } | true
    is "$(cat status pipe.err)" 141 "$1: ends quietly when nobody reads"
}
makes_streams() { # program arguments
    p=$bin/$1 args=$2
    ok "$1 $2: runs" quiet 0 run_on - whole.sjt
    ok "$1 $2: writes a whole stream" "$bin/sj-view" --check whole.sjt
    ok "$1 $2: again" quiet 0 run_on - again.sjt
    ok "$1 $2: the same" cmp whole.sjt again.sjt
    outputs_fail "$1 $2" -
}

reads_sounds() { # program writes arguments
    local label="$1 $3" words
    p=$bin/$1 args=$3
    read -ra words <<<"$3"
    ok "$label: runs" quiet 0 "$p" "${words[@]}"
    cp out once
    ok "$label: again" quiet 0 "$p" "${words[@]}"
    cp out twice
    ok "$label: the same" cmp once twice
    words[-1]=nowhere
    ok "$label: misses what it reads" quiet 4 "$p" "${words[@]}"
    [ "$2" = none ] || outputs_fail "$label" -
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
while IFS='|' read -r program kind writes arguments; do
    case $kind in
    '') ;;
    csv | tsv | clusters) reads_texts "$program" "$kind" "$writes" "$arguments" ;;
    audio) reads_sounds "$program" "$writes" "$arguments" ;;
    -) makes_streams "$program" "$arguments" ;;
    *) reads_streams "$program" "$kind" "$writes" "$arguments" ;;
    esac
done <<<"$rows"
finish
