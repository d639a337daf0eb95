#!/bin/bash
# The paper's experiments from end to end on made-up pieces and tiny models; killed and resumed; with broken songs; on other
# hosts; and the annotations of the data sets.
# shellcheck disable=SC2015,SC2016  # a && b || c is meant; $ is for an inner shell
. tests/tap.sh
for p in parallel gnuplot rsvg-convert; do
    command -v $p >/dev/null || { skip "the experiments" "$p is not installed"; finish; }
done
work=$dir/work
mkdir "$work" && cd "$work" || exit 1
export PARALLEL_HOME=$work HOME=$work
unset MAKEFLAGS MAKELEVEL
unset SJ_MODEL KEEP_GOING SSHLOGINS

sj() { "$bin/$1" "${@:2}"; }
"$bin/sj-synth" -q --seed 5 -n 4 --seconds 9 --folder songs || exit 1
mv songs/synth-5-000001 "songs/it's 1 & \"two\"" # names may hold anything
tiny="--dim 16 --depth 1 --heads 2 --hidden 16 --layers 2 --trf-dim 16 --trf-depth 1 --trf-heads 2 --batch 2 --log-every 1"
# experiment NAME OUT VARIABLES...
experiment() {
    local name=$1 out=$2
    shift 2
    (cd "$root" && nice make --no-print-directory -f "pipelines/$name.mk" BUILD="$BUILD" OUT="$out" \
        MODELS="$work/models" JOBS=2 "$@")
}
times() { (cd "$1" && find . -type f ! -path ./.make -printf '%T@ %p\n' | sort -k2); }
field() { # TABLE ROW COLUMN
    awk -F '\t' -v row="$2" -v column="$3" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $1 == row { print $at[column]; exit }' "$1"
}

# -- everything, training included
whole() {
    experiment all "$work/out" MUSDB="$work/songs" TRAIN="$work/songs" STEPS=3 SIZE=tiny TRAIN_FLAGS="-q $tiny" \
        AUDIO="$work/songs" LABELS="$work/songs" SYNTH=20 SYNTH_SECONDS=3 TRIALS=4 TRIAL_FLAGS="--seconds 2" CLUSTERS=4 "$@"
}
ok "all experiments" whole
for f in table1.md table1.tsv table1-by-class.tsv figure2.svg figure2.png figure2.md figure4.svg figure4.png \
    figure4.md figure4.html figure5.svg figure5.png figure5-similarity.svg figure5.tsv table3.md table3-more.md listening-test/index.html report.html; do
    ok "makes $f" test -s "out/$f"
done
for v in mlp-cond mlp-nocond transformer; do ok "a model $v" "$bin/sj-view" -q "models/$v.h5"; done
with="MLP w/ cond./EMA/33.0;MLP w/ cond./context/-" without="MLP w/o cond./EMA/28.2;MLP w/o cond./context/-"
is "$(cut -f1,2,10 out/table1.tsv | sed 1d | tr '\t\n' '/;')" \
    "$with;$without;Transformer/EMA/5.2;Transformer/context/-;AutoMashupper/none/1.0;chance/-/-;" \
    "rows of table 1, the paper's values"
is "$(field out/table1.tsv 'Transformer' queries) $(field out/table1.tsv AutoMashupper references)" "16 16" \
    "all queries, all references"
sj sj-chunk --mixes songs | sj sj-mel | sj sj-embed -m models/mlp-cond.h5 |
    sj sj-predict -m models/mlp-cond.h5 --pool track -o queries.h5
sj sj-chunk --stems songs | sj sj-mel | sj sj-embed -m models/mlp-cond.h5 --network target --pool track -o target.h5
sj sj-knn --metrics --query queries.h5 target.h5 -o metrics.tsv
is "$(sed -n 2p metrics.tsv | cut -f2-)" "$(sed -n 2p out/table1.tsv | cut -f3-9)" "values are those of the pipeline by hand"
is "$(field out/table3.tsv 'MLP w/ cond.' GTZAN_percent)" absent "data that are not there are absent"
is "$(field out/table3-more.tsv Transformer synth-style_percent | grep -c '^[0-9.]*$')" 1 "a probe of what is there"

mkdir names
sed 's/drums/lead vocals/' out/figure2.tsv >names/outcomes && sed 's/drums/lead vocals/' out/figure2-confusion.tsv >names/confusion
ok "figure 2 of classes with blanks in their names" gnuplot -e \
    "outcomes='names/outcomes'; confusion='names/confusion'; out='names/figure.svg'" "$root/pipelines/figure2.gp"
is "$(grep -o 'lead vocals' names/figure.svg | wc -l)" 3 "shows them whole"
fails_with() { # TEXT COMMAND...: that it fails, saying so
    ! "${@:2}" >said 2>&1 && grep -qF -e "$1" said
}
mkdir no-models
for e in figure2 figure4 figure5 listening-test; do
    ok "$e of a model that is not there" fails_with "no model 'nosuch': '$work/models/nosuch.h5' is not there" \
        experiment $e "$work/nosuch" MUSDB="$work/songs" AUDIO="$work/songs" LABELS="$work/songs" MODEL=nosuch
    ok "$e without any model" fails_with "no model 'mlp-cond': '$work/no-models/mlp-cond.h5' is not there and TRAIN is not given" \
        experiment $e "$work/nosuch" MUSDB="$work/songs" AUDIO="$work/songs" LABELS="$work/songs" MODELS="$work/no-models"
done

times out >before
ok "again" whole
times out >after
ok "does nothing" cmp before after

# -- killed in the middle
setsid bash -c 'cd "$1" && exec make -f pipelines/table1.mk BUILD="$2" OUT="$3/killed" MODELS="$3/models" JOBS=1 \
    MUSDB="$3/songs" MASH=0' - "$root" "$BUILD" "$work" >killed.log 2>&1 &
group=$!
for _ in $(seq 600); do
    set -- killed/musdb/mlp-nocond/target.sjt.parts/.running/*.sjt
    [ $# -ge 2 ] && break
    sleep 0.05
done
ok "no two runs at once" fails_with "another run is at work in '$work/killed'" experiment table1 "$work/killed" \
    MUSDB="$work/songs"
kill -KILL -- -$group
wait $group 2>/dev/null
ok "killed before the end" test ! -e killed/table1.tsv
touch killed/musdb/mlp-cond/target.metrics.tsv.tmpAb3dE6
(cd killed && find . -type f ! -path '*/.*' ! -name '*.new' ! -name '*.tmp??????' -printf '%T@ %p\n' | sort -k2) >before
ok "goes on" experiment table1 "$work/killed" MUSDB="$work/songs" MASH=0
is "$(grep -c '^== target.sjt: [0-3] of 4 to do' "$dir/err")" 1 "with what was whole of a stage"
is "$(find killed -name '*.tmp??????')" "" "without what was unfinished"
times killed >after
is "$(comm -23 <(sort before) <(sort after))" "" "makes nothing again"
is "$(grep -v Auto killed/table1.tsv)" "$(grep -v Auto out/table1.tsv)" "with the same result"

# -- what has changed is made anew, though it may be older
mkdir other && cp models/mlp-nocond.h5 other/mlp-cond.h5 && touch -d 2001-01-01 other/mlp-cond.h5
ok "another model of the same name" experiment table1 "$work/killed" MUSDB="$work/songs" MASH=0 MODELS="$work/other"
is "$(grep -c absent killed/table1.tsv) $(grep -o 'id .*' killed/table1.txt | sort -u)" \
    "3 id $("$bin/sj-view" other/mlp-cond.h5 | sed -n 's/.*[^a-z]id[^0-9a-f]*\([0-9a-f]\{16\}\).*/\1/p' | head -n 1)" \
    "is measured, the others are absent"
cp -r songs changed && cp -r killed changed-out
first=$(find changed -name drums.wav | head -n 1)
ok "before a stem changes" experiment table1 "$work/changed-out" MUSDB="$work/changed" MASH=0
cp changed-out/musdb/mlp-cond/target.sjt before.sjt
sleep 1.1
cat "${first%/*}/bass.wav" >"$first"
ok "a stem changes where it lies" experiment table1 "$work/changed-out" MUSDB="$work/changed" MASH=0
is "$(cmp -s before.sjt changed-out/musdb/mlp-cond/target.sjt; echo $?)" 1 "and is read again"
cp changed-out/musdb/mlp-cond/target.sjt before.sjt
cp "${first%/*}/other.wav" older.wav && touch -d 2001-01-01 older.wav && mv older.wav "${first%/*}/bass.wav"
ok "an older file takes its place" experiment table1 "$work/changed-out" MUSDB="$work/changed" MASH=0
is "$(cmp -s before.sjt changed-out/musdb/mlp-cond/target.sjt; echo $?)" 1 "and is read, too"

# -- tracks without annotations; one song; a name that ends in a blank
cp -r songs few && rm few/synth-5-000003/*.lab
figure5() { experiment figure5 "$work/labels-out" AUDIO="$work/few" LABELS="$work/few" CLUSTERS=4 "$@"; }
ok "a track without annotations stops figure 5" fails_with "has no annotation" figure5
ok "with KEEP_GOING it does not" figure5 KEEP_GOING=1
is "$(grep -c '^left out: 1 tracks* without annotations$' labels-out/figure5.txt)" 1 "and is counted"
ok "without it, it does again" fails_with "has no annotation" figure5
ok "and as often as it is tried" fails_with "has no annotation" figure5
cp songs/synth-5-000003/*.lab few/synth-5-000003
ok "with its annotations" figure5
is "$(grep -c 'left out' labels-out/figure5.txt)" 0 "it counts"
# remade VARIABLES...: what another run of figure 5 makes again, of its embeddings, its clusters and its table
remade() {
    local made
    touch mark && sleep 0.02 && figure5 "$@" >remade.log 2>&1 || { echo "failed: $(cat remade.log)"; return; }
    for made in figure5/tokens.sjt figure5/clusters.tsv figure5.tsv; do
        if [ labels-out/$made -nt mark ]; then echo "$made"; fi
    done
}
is "$(remade | xargs)" "" "figure 5 again: nothing is made again"
is "$(remade COOCCUR_FLAGS='--chords triads' | xargs)" figure5.tsv "chords counted otherwise: the table alone"
is "$(remade CLUSTERS=3 | xargs)" "figure5/clusters.tsv figure5.tsv" "other clusters: they and the table, not the embeddings"
is "$(grep -c 'in 3 clusters$' labels-out/figure5.txt)" 1 "the note says how many"
sed -i 's/Key.*/Key C/' few/synth-5-000003/key.lab
is "$(remade CLUSTERS=3 | xargs)" figure5.tsv "annotations that were edited: the table alone"
ok "figure 4 of one song" experiment figure4 "$work/one-out" MUSDB="$work/songs" FIGURE4_SONGS=1
is "$(grep -c 'no random pairs' one-out/figure4.txt out/figure4.txt)" "one-out/figure4.txt:1
out/figure4.txt:0" "says that there are no random pairs, and of several does not"
mkdir blank && cp -r songs/synth-5-000003 "blank/ends in a blank "
ok "a song whose name ends in a blank" experiment table1 "$work/blank-out" MUSDB="$work/blank" MASH=0

# -- songs that cannot be listed: nothing at the end of a link; two of one name
cp -r songs unlisted && ln -s nowhere.wav unlisted/lost.stem.mp4
unlisted() { experiment figure4 "$work/unlisted-out" MUSDB="$work/unlisted" "$@"; }
ok "a song that cannot be listed stops figure 4" fails_with "cannot read '$work/unlisted/lost.stem.mp4'" unlisted
ok "KEEP_GOING=1 leaves it out" unlisted KEEP_GOING=1
is "$(head -n 1 unlisted-out/figure4.txt) $(grep -c '^left out: cannot read .*lost.stem.mp4' unlisted-out/figure4.txt)" \
    "4 songs; 1 left out 1" "and counts it"
mkdir unlisted/more && cp -r songs/synth-5-000002 unlisted/more
ok "so it does with two songs of one name" unlisted KEEP_GOING=1
is "$(head -n 1 unlisted-out/figure4.txt)" "3 songs; 3 left out" "and counts both"
rm -r unlisted/more unlisted/lost.stem.mp4
ok "once all can be listed" unlisted
is "$(head -n 1 unlisted-out/figure4.txt)" "4 songs" "they are there"

# -- a training that is interrupted goes on
mkdir -p stopped
setsid bash -c 'cd "$1" && exec make -f pipelines/table1.mk BUILD="$2" OUT="$3/stopped" MODELS="$3/stopped" \
    TRAIN="$3/out/train.h5" SIZE=tiny STEPS=200 TRAIN_FLAGS="-q --checkpoint-every 0 $4" "$3/stopped/mlp-cond.h5"' - \
    "$root" "$BUILD" "$work" "$tiny" >stopped.log 2>&1 &
group=$!
for _ in $(seq 600); do
    [ -s stopped/mlp-cond.h5.checkpoint ] && break
    sleep 0.05
done
kill -KILL -- -$group
wait $group 2>/dev/null
ok "a training leaves a checkpoint" test -s stopped/mlp-cond.h5.checkpoint
steps_before=$(wc -l <stopped/mlp-cond.log.ndjson)
ok "and goes on" experiment table1 "$work/stopped" MODELS="$work/stopped" TRAIN="$work/out/train.h5" SIZE=tiny STEPS=200 \
    TRAIN_FLAGS="-q $tiny" "$work/stopped/mlp-cond.h5"
next=$(sed -n "$((steps_before + 1))s/.*\"step\": *\([0-9]*\).*/\1/p" stopped/mlp-cond.log.ndjson)
ok "from there" test "$next" -gt 1

# -- a broken song
cp -r songs broken
head -c 20000 songs/synth-5-000002/drums.wav >broken/synth-5-000002/drums.wav
stops() { ! experiment table1 "$work/b" MUSDB="$work/broken"; }
ok "a broken song stops everything" stops
is "$(grep -c "drums.wav' is cut short" "$dir/err")$(grep -c "KEEP_GOING=1 leaves out" "$dir/err")" 11 "with the reason"
ok "and no table" test ! -e b/table1.tsv
ok "KEEP_GOING=1 leaves it out" experiment table1 "$work/b" MUSDB="$work/broken" KEEP_GOING=1
is "$(head -n 1 b/table1.txt)" "3 songs; 1 left out" "and counts it"
is "$(grep -c "^left out: synth-5-000002: .*cut short" b/table1.md)" 1 "and says why"
is "$(field b/table1.tsv 'MLP w/ cond.' queries) $(field b/table1.tsv AutoMashupper queries)" "12 12" "the table is of the others"
times b >before
ok "the same again" experiment table1 "$work/b" MUSDB="$work/broken" KEEP_GOING=1
times b >after
ok "does nothing" cmp before after
ok "without it everything stops again" stops
cp songs/synth-5-000002/drums.wav broken/synth-5-000002/new && mv broken/synth-5-000002/new broken/synth-5-000002/drums.wav
ok "once it is mended, in a table without AutoMashupper" experiment table1 "$work/b" MUSDB="$work/broken" MASH=0
is "$(head -n 1 b/table1.txt)" "4 songs" "what only others left out is not counted"
ok "it is there" experiment table1 "$work/b" MUSDB="$work/broken"
is "$(head -n 1 b/table1.txt) $(cmp b/table1.tsv out/table1.tsv)" "4 songs " "as if nothing had been"

# -- what cannot be
ok "models that are absent" experiment table1 "$work/absent" MUSDB="$work/songs" MODELS="$work/no-models"
is "$(field absent/table1.tsv Transformer encoder)$(field absent/table1.tsv Transformer queries)" "absent-" "have rows that say so"
experiment table1 "$work/no" >no.log 2>&1
ok "without songs nothing begins" grep -F "MUSDB=... must be given, as in: make table1 MUSDB=musdb18/ MODELS=models/ $(
    )(see the head of pipelines/table1.mk)" no.log
experiment figure5 "$work/no" AUDIO="$work/songs" >no.log 2>&1
ok "nor without labels" grep -F "LABELS=... must be given, as in: make figure5 AUDIO=beatles/ LABELS=isophonics/ $(
    )MODELS=models/ (see the head of pipelines/figure5.mk)" no.log
experiment pop909 "$work/no" >no.log 2>&1
ok "nor POP909 without itself" grep -F "POP909=... must be given, as in: make pop909 POP909=pop909.tar.xz (" no.log
for v in "table1 MUSDB" "table1 MODELS" "table3 GTZAN" "figure5 LABELS" "pop909 POP909"; do
    ok "nor where $v is not there" fails_with "${v#* }=$work/nowhere: there is no such file or folder" \
        experiment "${v% *}" "$work/no" AUDIO="$work/songs" LABELS="$work/songs" MUSDB="$work/songs" "${v#* }=$work/nowhere"
done
ok "nor with less than ten made-up pieces" fails_with "SYNTH=9: 10 at least, or 0 for none" experiment table3 "$work/no" SYNTH=9
ok "nor without any" fails_with "POP909 are not given, and SYNTH is 0" experiment table3 "$work/no" SYNTH=0
ok "nor models without songs" fails_with "no models in '$work/no-models', and TRAIN is not given" \
    make -C "$root" --no-print-directory -f pipelines/table1.mk models BUILD="$BUILD" OUT="$work/no" MODELS="$work/no-models"

# -- other hosts: their shell has the programs on its PATH
mkdir stand-in
cat >stand-in/ssh <<'E1'
#!/bin/bash
export SHELL=/bin/bash
while [[ $1 == -* ]]; do shift; done
echo "$1" >>"$HOME/hosts-used"
shift
[ "$1" = -- ] && shift
exec bash -c "$*"
E1
chmod +x stand-in/ssh
on_hosts() { PATH="$work/stand-in:$bin:$PATH" experiment figure2 "$work/hosts" MUSDB="$work/songs" JOBS=1 SSHLOGINS=one,two; }
ok "other hosts" on_hosts
is "$(sort -u hosts-used | tr '\n' ' ')" "one two " "both work"
ok "with the same result" cmp hosts/figure2.tsv out/figure2.tsv
if command -v rsync >/dev/null && unshare -m true 2>/dev/null; then
    # a host that has no songs: what is brought there stays out of sight here
    unshare -m sh -c 'mount -t tmpfs none "$1" && touch "$2" && exec sleep 1000' - "$work/songs" "$work/host-is-up" &
    host=$!
    while [ ! -e host-is-up ] && kill -0 $host 2>/dev/null; do sleep 0.05; done
    find songs -type f | sort >before
    sed -i '/^while/c while [[ $1 == -* ]]; do [[ $1 == -l ]] \&\& shift; shift; done' stand-in/ssh # as rsync calls it
    sed -i "s|^exec bash|exec nsenter -t $host -m bash|; s|\"\$\*\"|\"cd / \&\& \$*\"|" stand-in/ssh
    bring() {
        PATH="$work/stand-in:$bin:$PATH" experiment figure2 "$work/brought" MUSDB="$work/songs" JOBS=1 SSHLOGINS=three \
            PARALLEL_FLAGS='--transferfile {2} --cleanup'
    }
    ok "songs are brought to a host that has none" bring
    ok "with the same result" cmp brought/figure2.tsv out/figure2.tsv
    find songs -type f | sort >after
    ok "the songs stay here" cmp before after
    kill $host
else
    skip "songs are brought to a host that has none" "no rsync, or not root"
fi

# -- ratings
mkdir ratings
for l in 1 2 3; do
    awk -v l=$l 'BEGIN {
        print "test,listener,trial,class,condition,rating"; split("bass drums", c, " "); split("true retrieved random", d, " ")
        for (i = 1; i <= 4; i++) for (j = 1; j <= 3; j++)
            printf "t,l%d,%02d,%s,%s,%d\n", l, i, c[1 + i % 2], d[j], 80 - 20 * j + 7 * (l * i % 3) }' >ratings/$l.csv
done
ok "the analysis of ratings" experiment listening-test "$work/out" RATINGS="$work/ratings/*.csv" listening-test-analysis
is "$(awk -F '\t' '$1 == "all" && $2 == "true" { print $3, $4 }' out/figure3.tsv)" "12 3" "of all listeners"
ok "box plots" grep -q "retrieved" out/figure3.svg

# -- a data set that lacks audio: two genres, of each two pieces to learn from, one to choose by and one to test
for i in 1 2 3 4; do
    for g in blues jazz; do
        mkdir -p some/$g && cp "songs/synth-5-00000$((i % 3 == 1 ? 2 : 3))/drums.wav" some/$g/$g.0000$i.wav
        echo $g/$g.0000$i.wav
    done
done >names-of-some
sed -n 1,4p names-of-some >some/train_filtered.txt
sed -n 5,6p names-of-some >some/valid_filtered.txt
sed -n 7,8p names-of-some >some/test_filtered.txt
mv some/jazz/jazz.00004.wav lost.wav
gtzan() {
    experiment table3 "$work/some-out" MODELS="$work/other" SYNTH=0 GTZAN="$work/some" PROBE_FLAGS="--epochs 2" "$@"
}
ok "labels without audio are left out with KEEP_GOING" gtzan KEEP_GOING=1
is "$(grep '^gtzan' some-out/table3.txt | cut -d';' -f1,2)" \
    "gtzan: 4 examples to learn, 2 to choose, 1 to test; 1 left out, 1 of them without audio" "and counted"
times some-out >before
ok "the same again" gtzan KEEP_GOING=1
times some-out >after
ok "does nothing" cmp before after
ok "without it they stop the run" fails_with 'the first is "jazz.00004"' gtzan
mv lost.wav some/jazz/jazz.00004.wav
ok "with the audio" gtzan KEEP_GOING=1
is "$(grep '^gtzan' some-out/table3.txt | cut -d';' -f1,2)" \
    "gtzan: 4 examples to learn, 2 to choose, 2 to test; always \"blues\": 50.00%" "nothing is"
sed -i 2d some/test_filtered.txt
ok "with a list that is shorter" gtzan
is "$(grep '^gtzan' some-out/table3.txt | cut -d';' -f1)" "gtzan: 4 examples to learn, 2 to choose, 1 to test" "it is read again"

# -- annotations of the data sets; only names count here
touch_all() { for f; do mkdir -p "$(dirname "$f")" && : >"$f"; done; }
labels() { (cd "$root" && sh pipelines/labels.sh "$@") | sed "s|$work/||" | tr '\t\n' ' ;'; }
touch_all gtzan/genres/blues/blues.0000{1,2}.wav gtzan/genres/jazz/jazz.00003.wav
echo blues/blues.00001.wav >gtzan/train_filtered.txt
echo blues/blues.00002.wav >gtzan/valid_filtered.txt
echo jazz/jazz.00003.wav >gtzan/test_filtered.txt
is "$(labels gtzan "$work/gtzan" | sed 's|gtzan/genres/[a-z]*/||g')" \
    "key split label path;blues.00001 train blues blues.00001.wav;blues.00002 valid blues blues.00002.wav;$(
    )jazz.00003 test jazz jazz.00003.wav;" "GTZAN"
rm gtzan/genres/jazz/jazz.00003.wav
fails 3 'gtzan: 1 of 3 files are not there, the first is "jazz.00003"' "a file that is missing" \
    env -C "$root" sh pipelines/labels.sh gtzan "$work/gtzan"
mkdir no-pieces
fails 3 "synth: no pieces in 'no-pieces'" "no made-up pieces" sh "$root/pipelines/labels.sh" synth no-pieces 4
touch_all nsynth/nsynth-{train,valid,test}/audio/{synth_lead_synthetic_001-021-127,guitar_acoustic_010-060-100}.wav
is "$(labels nsynth "$work/nsynth" | tr ';' '\n' | cut -d' ' -f2,3 | sort | tr '\n' ';')" \
    "split label;test guitar;test synth_lead;train guitar;train synth_lead;valid guitar;valid synth_lead;" "NSynth"
touch_all mtat/a/one.mp3 mtat/b/two.mp3 mtat/b/three.mp3
for s in train:a/one valid:b/two test:b/three; do
    printf "(lp1\nS'%s.npy'\np2\na." "${s#*:}" >mtat/${s%:*}_list_pub.cP
done
printf 'guitar\nslow\n' >mtat/top50_tags.txt
printf '"%s"\t"%s"\t"%s"\t"%s"\t"%s"\n' clip_id guitar weird slow mp3_path 1 1 1 1 a/one.mp3 2 0 1 1 b/two.mp3 \
    3 1 0 0 b/three.mp3 >mtat/annotations_final.csv
is "$(labels mtt "$work/mtat" | cut -d';' -f2-)" \
    "one train guitar,slow mtat/a/one.mp3;two valid slow mtat/b/two.mp3;three test guitar mtat/b/three.mp3;" "MagnaTagATune"
touch_all gs/test/audio/11.LOFI.mp3 gs/mtg/audio/2{0,1,2,3,4,5,6,7,8,9}.LOFI.mp3
mkdir gs/keys && printf 'D minor' >gs/keys/11.LOFI.key
{
    printf 'ID\tMANUAL KEY\tC\r\n'
    for i in 0 1 2 3 4 5 6 7 8 9; do printf '2%d\tF# major\t2\r\n' $i; done
    printf '30\tA minor\t1\n31\tA minor / C major\t2\n'
} >gs/annotations.txt
is "$(labels gs "$work/gs" | tr ';' '\n' | cut -d' ' -f2-4 | sort | uniq -c | tr -s ' \n' ' ;')" \
    " 1 split label path; 1 test D minor; 9 train F# major; 1 valid F# major;" "GiantSteps"

# -- POP909
if command -v fluidsynth >/dev/null && [ -f /usr/share/sounds/sf2/FluidR3_GM.sf2 ]; then
    for n in 001 002; do
        mkdir -p pop/$n
        printf 'MThd\0\0\0\6\0\0\0\1\0\140MTrk\0\0\0\24\0\300\0\0\220\74\144\203\0\200\74\0\0\377\57\0' >pop/$n/$n.mid
        printf '0.5\t1.0\tGb:maj\n' >pop/$n/key_audio.txt
        printf '0.0\t0.5\tN\n0.5\t1.0\tB:min7\n' >pop/$n/chord_midi.txt
    done
    tar -C pop -cf pop.tar ./001 ./002
    ok "songs of POP909" experiment pop909 "$work/pop-out" POP909="$work/pop.tar"
    is "$(cd pop-out/pop909/labels && cat 001/key.lab 002/chords.lab | tr '\t\n' ' ;')" \
        "0.5 1.0 Key Gb:major;0.0 0.5 N;0.5 1.0 B:min7;" "their labels"
    ok "their sound" sh -c '"$2/sj-chunk" "$1" | "$2/sj-view" --check' - pop-out/pop909/audio/002.flac "$bin"
    times pop-out >before
    experiment pop909 "$work/pop-out" POP909="$work/pop.tar" >/dev/null
    times pop-out >after
    ok "once" cmp before after
else
    skip "songs of POP909" "fluidsynth or its sound font is not installed"
fi
finish
