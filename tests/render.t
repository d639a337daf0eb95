#!/bin/sh
# sj-render: stems of MIDI files and modules, their sum, splits, and files that are no music.
. tests/tap.sh
render=$bin/sj-render
view=$bin/sj-view
python=/usr/bin/python3
$python tests/render_make.py "$dir" || exit 1
cd "$dir" || exit 1
keys() { "$view" "$1" | grep -v '^#' | sed 1d | cut -f1 | uniq | tr '\n' ' '; }
play() { "$render" -q -j 1 --soundfont font.sf2 "$@"; }

# -- folders, and the sum of the stems
ok "folders of stems, with the full render" play --folder f --mix songs
is "$(find f -name '*.wav' | sed 's/\.[0-9a-f]*\//:/; s/f\///; s/\.wav//' | sort | tr '\n' ' ')" \
    "Anna - One:bass Anna - One:drums Anna - One:mixture Anna - One:other Anna - One:vocals Three:bass Three:drums \
Three:mixture Three:other Two (live):bass Two (live):drums Two (live):mixture Two (live):other Two (live):vocals " \
    "have the classes that sound, also a tune without a name"
ok "a module" play --instruments modules.tsv --folder f --mix modules
cat >sum.py <<'E1'
import glob, wave
import numpy as np
def read(path):
    w = wave.open(path)
    assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (16000, 1, 2)
    return np.frombuffer(w.readframes(w.getnframes()), "<i2") / 32768
mixtures = glob.glob("f/*/mixture.wav")
assert len(mixtures) == 4
for path in mixtures:
    full = read(path)
    stems = [read(p) for p in glob.glob(glob.escape(path[:-11]) + "*.wav") if not p.endswith("mixture.wav")]
    assert len(stems) >= 3 and all(abs(s).max() > 0.05 for s in stems)
    assert np.corrcoef(sum(stems), full)[0, 1] > 0.9999, path
    assert abs(sum(stems) - full).max() < 0.02, path
    assert 0.88 < max(abs(x).max() for x in [full, sum(stems), *stems]) < 0.92
    for i, a in enumerate(stems):
        for b in stems[i + 1:]:
            assert abs(np.corrcoef(a, b)[0, 1]) < 0.3, path
E1
ok "the stems differ, their sum is the full render" $python sum.py
cp -r f before
ok "once more, on two threads" sh -c "'$render' -q -j 2 --soundfont font.sf2 --folder f --mix songs"
ok "the same files" diff -r before f
ok "a layout that sj-chunk knows" sh -c "'$bin/sj-chunk' --stems f | '$view' --check"

# -- streams
ok "the mixes" play -o mix.sjt songs
is "$(keys mix.sjt | sed 's/\.[0-9a-f]* / /g')" "Anna - One Three Two (live) " "in the order of the folder"
ok "stems and the sums of the others" play --stems --mixes -o both.sjt songs/Three.mid
is "$(keys both.sjt | sed 's/\.[0-9a-f]*\//\//g')" \
    "Three/bass Three/drums Three/other Three/bass Three/drums Three/other " "of every class"
ok "a whole stream" "$view" --check both.sjt

# -- training sets
ok "a set" play --augment --seed 3 --takes 2 --dataset set.h5 songs
is "$(play --augment --seed 3 --takes 2 --dataset set.h5 songs && "$view" set.h5 | grep -c /audio)" 6 \
    "of two takes, and nothing more when it is made again"
ok "extended by another seed" sh -c "'$render' --soundfont font.sf2 --augment --seed 4 --dataset set.h5 songs 2>&1 |
    grep -q 'has 9 tracks, 3 of them new'"
ok "and by modules" play --augment --instruments modules.tsv --dataset set.h5 modules
ok "can be trained on" sh -c "'$bin/sj-chunk' --pairs --take 4 set.h5 | '$view' --check"
ok "what a seed gives" play --augment --seed 3 --stems -o a.sjt songs
"$render" -q -j 2 --soundfont font.sf2 --augment --seed 3 --stems -o b.sjt songs
ok "does not depend on threads" cmp a.sjt b.sjt
play --augment --seed 3 --stems -o c.sjt songs/Three.mid
"$view" --key '*Three*' --values a.sjt | grep -v '^#' >of-all
"$view" --values c.sjt | grep -v '^#' >alone
ok "nor on what else is rendered" cmp of-all alone
play --augment --seed 4 --stems -o d.sjt songs
ok "but on the seed" sh -c "! '$view' --values a.sjt | cut -f2- | cmp -s - d.sjt"

# -- lists and splits
ok "a list" "$render" -q --list -o list.tsv songs
is "$(sed 1d list.tsv | cut -f2,4-7 | tr '\t\n' '| ')" \
    "one|11.9|bass,drums,other,vocals|ok|- three|11.9|bass,drums,other|ok|- two|11.9|bass,drums,other,vocals|ok|- " \
    "tells titles, seconds and classes"
mkdir many
for i in $(seq 1 60); do LC_ALL=C sed "s/kit/k$(printf %02d "$i")/" songs/Three.mid >"many/song number$i.mid"; done
for s in train valid test; do "$render" -q --list --held-out 0.2 --split $s many | sed 1d | cut -f1 >$s; done
is "$(cat train valid test | sort -u | wc -l) $(cat train valid test | wc -l)" "60 60" "parts have every file once"
ok "each has some" sh -c '[ -s train ] && [ -s valid ] && [ -s test ] && [ $(wc -l <train) -gt 20 ]'
"$render" -q --list --held-out 0.2 --split test "many/$(basename "$(head -1 test)")" | sed 1d | cut -f1 >alone
is "$(cat alone)" "$(head -1 test)" "the part of a file is its own affair"
mkdir versions
for v in "song number7" "Some One - Song Number7 (live)" "SONG_NUMBER7 v2" "03. song number7 remix"; do
    cp "many/song number7.mid" "versions/$v.mid"
    printf %s "$v" >>"versions/$v.mid"
done
is "$("$render" -q --list versions | sed 1d | cut -f2,3 | sort -u | wc -l)" 1 \
    "versions of a song have one title and one part"

# -- what cannot be rendered
fails 1 "7 of 11 pieces skipped" "bad files among good ones: skipped, counted" sh -c \
    "'$render' -q --soundfont font.sf2 --instruments modules.tsv --folder g songs modules bad"
is "$(find g -mindepth 1 -maxdepth 1 | wc -l)" 4 "the others are rendered"
"$render" --soundfont font.sf2 --folder g bad 2>said
for why in "copy.mid': the same as" "cut.mid': it ends inside track 4 of 4" "empty.mid': neither a MIDI file" \
    "text.mid': neither a MIDI file" "lone.mid': fewer than two classes"; do
    ok "why: $why" grep -qF "$why" said
done
fails 3 "none of the 1 pieces" "nothing but bad files" "$render" -q --folder g bad/cut.mid
fails 3 "none of the 1 pieces" "a module without a table" "$render" -q --folder g modules
fails 4 "no-such" "a file that is not there" "$render" --folder g no-such
fails 3 "font" "no sound font" "$render" --soundfont bad/text.mid --folder g songs
fails 2 "--seed" "a seed that does nothing" "$render" --seed 3 --folder g songs
fails 2 "--mix" "a full render of what is drawn" "$render" --mix --augment --folder g songs
fails 2 "one of" "two kinds of output" "$render" --list --folder g songs

# -- rules
printf 'low\tprogram\t33-40\nhigh\tany\t*\n' >two.tsv
ok "other rules" play --rules two.tsv --list songs/Three.mid -o list.tsv
is "$(sed 1d list.tsv | cut -f5)" "low,high" "other classes"
printf 'low\tpitch\t3\n' >off.tsv
fails 3 "'off.tsv' line 1: 'pitch'" "rules that are off" "$render" --rules off.tsv --list songs
printf 'path\tpiano_inst\nx\t1\n' >off.tsv
fails 3 "'piano'" "instruments of an unknown class" "$render" --instruments off.tsv --list modules
finish
