#!/bin/sh
# sj-mash: songs that go together and songs that do not; key shifts, chunks, what cannot be compared, refusals.
. tests/tap.sh
mash=$bin/sj-mash
python=/usr/bin/python3
cd "$dir" || exit 1

# Songs of one tempo and length, each with a progression of its own: roots, triads and clicks on every beat. Song 5 is
# song 0 three semitones higher.
cat >make.py <<'E'
import os
import wave
import numpy as np

RATE, BEAT, BEATS = 16000, 8000, 24
rng = np.random.default_rng(4)

def tone(midi, n=BEAT):
    t = np.arange(n) / RATE
    f = 440 * 2 ** ((midi - 69) / 12)
    return sum(np.sin(2 * np.pi * f * h * t) / h for h in (1, 2, 3)) * np.exp(-4 * t) * np.minimum(1, 200 * t)

def save(path, x):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with wave.open(path, "wb") as f:
        f.setnchannels(1), f.setsampwidth(2), f.setframerate(RATE)
        f.writeframes((3000 * x).clip(-32767, 32767).astype("<i2").tobytes())

click = rng.standard_normal(BEAT) * np.exp(-np.arange(BEAT) / 200)
roots = rng.integers(0, 12, (5, BEATS))
for song, row in enumerate(list(roots) + [roots[0] + 3]):
    save(f"songs/{song}/bass.wav", np.concatenate([tone(36 + r) for r in row]))
    save(f"songs/{song}/other.wav", np.concatenate([tone(60 + r) + tone(64 + r) + tone(67 + r) for r in row]))
    save(f"songs/{song}/drums.wav", np.tile(click, BEATS))
save("odd/short.wav", tone(60, BEAT * (BEATS - 1)))
save("odd/silent.wav", np.zeros(BEAT * BEATS))
save("tiny/tiny.wav", tone(60, 2 * RATE))
E
ok "songs are made" "$python" make.py
"$bin/sj-chunk" -q --stems songs -o stems.sjt
"$bin/sj-chunk" -q --mixes songs -o mixes.sjt
ok "queries and references" "$mash" --key-shifts 0 --query mixes.sjt -o r0.tsv stems.sjt
is "$(cat err)" "sj-mash: 18 queries, 18 references, key shifts of up to 0 semitones" "it is said what was compared"
is "$(head -n 1 r0.tsv)" "query	query_class	rank	reference	class	distance	more" "the names of sj-knn"
is "$(wc -l <r0.tsv)" $((1 + 18 * 18)) "all references"
ok "sj-knn reads the lists and writes the same" sh -c "'$bin/sj-knn' --merge -k 18 r0.tsv | cmp - r0.tsv"
ok "and measures them" "$bin/sj-knn" --merge --metrics --per-class r0.tsv
ok "queries from a pipe" sh -c "'$mash' -q --key-shifts 0 stems.sjt <mixes.sjt | cmp - r0.tsv"
for j in 1 3; do
    ok "-j$j" sh -c "'$mash' -q -j$j --key-shifts 0 --query mixes.sjt stems.sjt | cmp - r0.tsv"
done
ok "JSON" sh -c "'$mash' -q --json --key-shifts 0 --query mixes.sjt stems.sjt |
    '$bin/sj-knn' --merge -k 18 - | cmp - r0.tsv"
ok "the best two" sh -c "'$mash' -q -k 2 --key-shifts 0 --query mixes.sjt stems.sjt >a.tsv
    awk 'NR == 1 || \$3 < 3' r0.tsv | cut -f 1-6 >want && cut -f 1-6 a.tsv | cmp - want"
ok "chunks of another size" sh -c "'$bin/sj-chunk' -q --stems --chunk-frames 160 songs |
    '$mash' -q --key-shifts 0 --query mixes.sjt - | cmp - r0.tsv"
"$mash" -q --query mixes.sjt -o r6.tsv stems.sjt
ok "any key by default" sh -c "'$mash' -q --key-shifts 6 --query mixes.sjt stems.sjt | cmp - r6.tsv"

# lists.py FILE: distance[query, query class][reference, class]
cat >lists.py <<'E'
import collections
def read(path):
    lists = collections.defaultdict(dict)
    for line in open(path).read().splitlines()[1:]:
        query, query_class, rank, reference, kind, distance, more = line.split("\t")
        lists[query, query_class][reference, kind] = float(distance)
        assert int(rank) == len(lists[query, query_class])
    for near in lists.values():
        assert sorted(near.values()) == list(near.values()) and 0 <= min(near.values()) and max(near.values()) <= 1.2
    return lists
E
cat >own.py <<'E'
# The stem of the same song before that of every other song.
from lists import read
for (query, kind), near in read("r0.tsv").items():
    for (reference, its), distance in near.items():
        if kind in ("bass", "other") and its == kind and reference != query:
            assert distance > near[query, kind] + 0.01, (query, kind, reference, distance, near[query, kind])
E
ok "the song's own bass and chords before those of others" "$python" own.py
cat >keys.py <<'E'
# Song 5 goes with song 0 once 3 semitones are allowed; nothing gets worse by more keys.
from lists import read
r = [read(f"r{n}.tsv") for n in (0, 2, 3, 6)]
away = [x["0/other", "other"]["5/other", "other"] - x["0/other", "other"]["0/other", "other"] for x in r]
assert away[0] > 0.02 and away[1] > 0.02 and abs(away[2]) < 0.02 and abs(away[3]) < 0.02, away
for few, many in zip(r, r[1:]):
    assert all(many[q][s] <= few[q][s] for q in few for s in few[q])
E
for n in 2 3; do "$mash" -q --key-shifts $n --query mixes.sjt -o r$n.tsv stems.sjt; done
ok "key shifts" "$python" keys.py

# -- what cannot be compared
"$bin/sj-chunk" -q --stems odd/*.wav -o odd.sjt
"$bin/sj-chunk" -q songs/0/other.wav -o one.sjt
ok "a shorter one and silence" "$mash" --query one.sjt odd.sjt
is "$(sed 1d out | cut -f 3,4,6 | sed 's/1\.0[0-9]*$/less/')" "1	silent	less
2	short	inf" "the shorter one ranks last"
is "$(sed 1d err)" "sj-mash: 1 of 3 tracks show no beats: they have a grid of 120 beats a minute" \
    "silence has no beats: it is said"
"$bin/sj-chunk" -q tiny/*.wav -o tiny.sjt
ok "less than 3 s" "$mash" -q --query tiny.sjt tiny.sjt
is "$(sed 1d out | cut -f 6)" inf "goes with nothing"
"$bin/sj-synth" -q -n 3 --seconds 2 --folder brief
"$bin/sj-chunk" -q --stems brief -o brief.sjt
"$bin/sj-chunk" -q --mixes brief | "$mash" -q -o brief.tsv brief.sjt
ok "songs of 2 s" "$bin/sj-knn" --merge --metrics brief.tsv
is "$(sed 1d out | cut -f 4-8)" "0.00	0.00	0.00	100.00	100.00" "find nothing: all true stems rank last"
cp out want
"$bin/sj-chunk" -q --mixes brief | "$mash" -q --json -o brief.json brief.sjt
ok "also from JSON" sh -c "'$bin/sj-knn' --merge --metrics brief.json | cmp - want"
sed '$d' brief.tsv >cut.tsv
fails 3 "'cut.tsv' ends early" "without the last line" "$bin/sj-knn" --merge --metrics cut.tsv
ok "and into JSON" sh -c "'$bin/sj-knn' --merge -k 100 --json brief.tsv | cmp - brief.json"
"$bin/sj-synth" -q -n 0 -o none.sjt
ok "no references" "$mash" -q --query one.sjt none.sjt
is "$(sed 1d out | cut -f 2-)" "-	0	-	-	-	0" "are said as sj-knn says it"
ok "no queries" "$mash" -q --query none.sjt one.sjt
is "$(wc -l <out)" 1 "have no lists"

# -- refusals
"$BUILD/tests/make_stream" pair >pairs.sjt
fails 3 "'pairs.sjt' holds training pairs" "training pairs" "$mash" --query one.sjt pairs.sjt
"$bin/sj-chunk" -q --chunk-frames 160 songs/0/other.wav -o small.sjt
"$bin/sj-view" --take 1 -o first.sjt small.sjt
"$bin/sj-view" --skip 2 -o third.sjt small.sjt
fails 3 "'third.sjt': 'other': the chunk at frame 320 came where frame 160 is due" "a track that lacks a chunk" \
    "$mash" --query one.sjt first.sjt third.sjt
fails 2 "would replace 'one.sjt'" "results over the queries" "$mash" --query one.sjt -o one.sjt stems.sjt
fails 2 "would replace 'stems.sjt'" "results over the references" "$mash" --query one.sjt -o stems.sjt stems.sjt
fails 2 "cannot both be read" "both from a pipe" "$mash" -
fails 2 "key-shifts" "seven semitones" "$mash" --key-shifts 7 --query one.sjt one.sjt
finish
