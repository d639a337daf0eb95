#!/bin/sh
# sj-cooccur: made-up and real annotations, against an independent count in Python; refusals.
. tests/tap.sh
cooccur=$bin/sj-cooccur
python=/usr/bin/python3
annotations=${SJ_SHARED:-$root/../shared}/data/annotations/beatles.tar.xz
cd "$dir" || exit 1

# -- by hand: two clusters, three combinations
mkdir -p hand/song hand/keys hand/chords
printf '0 10 Key\tC\n10\t20\tKey\tA:minor\n20 30 Silence\n' >hand/song/key.lab
printf '0\t5\tC\n5 15 F:maj/3\n15 40 N\n' >hand/song/chords.lab
printf '# a comment\n0.0\tSilence\n1.5\tA:minor\n\n30\tG\n' >hand/keys/other.keys
printf '0 N\n2 F:(1,3,5)\r\n4 X\n' >hand/chords/other.lab
# in cluster 0: C:major C:maj twice, C:major F:maj once; in 1: C:major F:maj 2, A:minor F:maj 3
{
    printf 'key\tclass\tstart_s\tend_s\tcluster\tdistance\n'
    for t in 0:0 1:0 6:0 7:1 8:1 12:1 13:1 16:1 25:0 99:1; do
        printf 'song/bass\tbass\t%s\t%s.32\t%s\t1\n' "${t%:*}" "${t%:*}" "${t#*:}"
    done
    printf 'other\t-\t3.90\t4.06\t1\t1\nother\t-\t3.94\t4.10\t0\t1\nother\t-\t2.00\t2.16\t1\t1\n'
} >hand.tsv
# 3.90..4.06 has its middle before 4, where F sounds; 3.94..4.10 after it, where X is
ok "by hand" "$cooccur" --labels hand -o a.tsv hand.tsv
is "$(cat err)" "sj-cooccur: 9 of 13 vectors have a key and a chord; 3 combinations" "how many count"
cat >want.tsv <<'E'
row	column	key	chord	other_key	other_chord	cooccurrences	similarity
1	1	A:minor	F:maj	A:minor	F:maj	16	1.000000
1	2	A:minor	F:maj	C:major	F:maj	8	0.894427
1	3	A:minor	F:maj	C:major	C:maj	0	0.000000
2	1	C:major	F:maj	A:minor	F:maj	8	0.894427
2	2	C:major	F:maj	C:major	F:maj	5	1.000000
2	3	C:major	F:maj	C:major	C:maj	2	0.447214
3	1	C:major	C:maj	A:minor	F:maj	0	0.000000
3	2	C:major	C:maj	C:major	F:maj	2	0.447214
3	3	C:major	C:maj	C:major	C:maj	4	1.000000
E
ok "products" cmp a.tsv want.tsv
ok "the smaller" "$cooccur" -q --labels hand --count minimum hand.tsv
is "$(cut -f7 out | tr '\n' ' ')" "cooccurrences 4 2 0 2 3 1 0 1 2 " "ones"
ok "as a matrix" "$cooccur" -q --labels hand --matrix cooccurrences hand.tsv
is "$(head -n 2 out)" "combination	A:minor F:maj	C:major F:maj	C:major C:maj
A:minor F:maj	16	8	0" "with names on two sides"
ok "of similarities, two of them" "$cooccur" -q --labels hand --matrix similarity -n 2 hand.tsv
is "$(sed 1d out)" "A:minor F:maj	1.000000	0.894427
C:major F:maj	0.894427	1.000000" "the most frequent ones"
ok "as they are" "$cooccur" -q --labels hand --keys full --chords full hand.tsv
is "$(sed 1d out | cut -f3,4 | sort -u | tr '\t\n' ' ,')" "A:minor F:(1,3,5),A:minor F:maj/3,C C,C F:maj/3," "labels"
fails 3 "'standard input': none of 1 vectors has a key and a chord" "nothing that sounds" sh -c "sed '1p;/song.bass.bass.99/!d' hand.tsv | '$cooccur' -q --labels hand"
fails 3 "'none.tsv': none of 0 vectors" "an empty table" sh -c "sed 1q hand.tsv >none.tsv; '$cooccur' --labels hand none.tsv"
"$cooccur" -q --labels hand -o lf.tsv hand.tsv
ok "lines that end in CR LF" sh -c "sed 's/\$/\r/' hand.tsv | '$cooccur' -q --labels hand | cmp - lf.tsv"

# -- real and made-up annotations: what Python counts
cat >count.py <<'E'
# count.py LABELS CLUSTERS CHORDS KEYS N HOW ORDER: prints the long table
import os, re, sys
from collections import Counter, defaultdict
labels, clusters, chords, keys, most, how, order = sys.argv[1:]
PITCH = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
NAME = "C C# D D# E F F# G G# A A# B".split()
def pitch(note):
    return (PITCH[note[0]] + note.count("#") - note.count("b")) % 12
def chord(c):
    if c in "NX":
        return None
    if chords == "full":
        return c
    m = re.fullmatch(r"([A-G][#b]*)(?::([a-z]*\d*[a-z]*\d*))?(?:\((.*)\))?(?:/[#b]*\d+)?", c)
    root, quality, degrees = m.groups()
    quality = "maj" if quality is None else quality
    third = 3 if re.match(r"(min|dim|hdim)", quality) else None if re.match("sus|5|1$", quality) or quality == "" else 4
    fifth = 6 if "dim" in quality else 8 if quality == "aug" else None if quality in ("", "1") else 7
    fourths = {2} if quality.startswith("sus2") else {5} if quality.startswith("sus") else set()
    tones = {third, fifth} | fourths
    for d in filter(None, (degrees or "").split(",")):
        number = int(re.search(r"\d+", d)[0])
        tone = [0, 2, 4, 5, 7, 9, 11][(number - 1) % 7] + d.count("#") - d.count("b")
        if d[0] == "*":
            tones.discard(tone % 12)
        elif number < 8:
            tones.add(tone % 12)
    name = NAME[pitch(root)] + ":"
    if chords == "majmin":
        return name + "maj" if 4 in tones else name + "min" if 3 in tones else None
    if 4 in tones:
        return name + ("aug" if 8 in tones and 7 not in tones else "maj")
    if 3 in tones:
        return name + ("dim" if 6 in tones and 7 not in tones else "min")
    return name + ("sus4" if 5 in tones else "sus2" if 2 in tones else "5" if 7 in tones else "1")
def key(k):
    if k == "Silence" or keys == "full":
        return None if k == "Silence" else k
    tonic, _, mode = k.partition(":")
    if mode == "modal":
        return None
    minor = mode in ("minor", "min", "dorian", "aeolian", "phrygian")
    return NAME[pitch(tonic)] + (":minor" if minor else ":major")
def read(paths, reduce):
    path = next(p for p in paths if os.path.exists(p))
    rows = [line.split() for line in open(path) if line.strip()]
    if not rows:
        return []
    if len(rows[0]) == 2:
        ends = [float(r[0]) for r in rows[1:]] + [float("inf")]
        return [(float(r[0]), e, reduce(r[1])) for r, e in zip(rows, ends)]
    return [(float(r[0]), float(r[1]), reduce(r[-1])) for r in rows]
def at(parts, t):
    found = [label for start, end, label in parts if start <= t < end]
    return found[-1] if found else None
tracks, counts, total = {}, defaultdict(Counter), Counter()
lines = [line.rstrip("\n").split("\t") for line in open(clusters)]
column = {n: i for i, n in enumerate(lines[0])}
for l in lines[1:]:
    name = l[column["key"]]
    if name not in tracks:
        track = name.rpartition("/")[0] or name
        tracks[name] = (read([f"{labels}/{track}/key.lab", f"{labels}/keys/{track}.keys"], key),
                        read([f"{labels}/{track}/chords.lab", f"{labels}/chords/{track}.chords"], chord))
    t = (float(l[column["start_s"]]) + float(l[column["end_s"]])) / 2
    pair = at(tracks[name][0], t), at(tracks[name][1], t)
    if None not in pair:
        total[pair] += 1                       # in the order of appearance
        counts[int(l[column["cluster"]])][pair] += 1
top = sorted(total, key=lambda p: -total[p])[:int(most)]   # stable
if order == "key":
    first = [p[0] for p in top]
    top = sorted(top, key=lambda p: first.index(p[0]))
f = (lambda a, b: a * b) if how == "product" else min
value = {(a, b): sum(f(c[a], c[b]) for c in counts.values()) for a in top for b in top}
print("row\tcolumn\tkey\tchord\tother_key\tother_chord\tcooccurrences\tsimilarity")
for i, a in enumerate(top):
    for j, b in enumerate(top):
        s = value[a, b] / (value[a, a] * value[b, b]) ** 0.5
        print(i + 1, j + 1, *a, *b, value[a, b], f"{s:.6f}", sep="\t")
E
compare() { # LABELS CLUSTERS CHORDS KEYS N HOW ORDER
    ok "$*" "$cooccur" -q --labels "$1" --chords "$3" --keys "$4" -n "$5" --count "$6" --order "$7" -o ours.tsv "$2"
    "$python" count.py "$@" >theirs.tsv
    ok "as Python has it" cmp ours.tsv theirs.tsv
}
"$bin/sj-synth" -q -n 4 --seconds 12 --folder songs || exit 1
"$BUILD/tests/make_model" model.h5 || exit 1
ok "tokens of made-up pieces" sh -c "'$bin/sj-chunk' songs | '$bin/sj-mel' | '$bin/sj-embed' -m model.h5 -o tokens.h5"
ok "in clusters" "$bin/sj-knn" -q --cluster 8 --restarts 2 -o clusters.tsv tokens.h5
compare songs clusters.tsv majmin majmin 80 product frequency
compare songs clusters.tsv triads full 10 minimum key
compare songs clusters.tsv full majmin 80 product key
is "$(awk 'NR > 1 { n += $7 } END { print (n > 0) }' theirs.tsv)" 1 "which is not nothing"
ok "JSON" "$cooccur" -q --json --labels songs -n 5 -o a.json clusters.tsv
"$cooccur" -q --labels songs -n 5 -o a.tsv clusters.tsv
ok "says the same" "$python" -c '
import json
names, *rows = (line.rstrip("\n").split("\t") for line in open("a.tsv"))
for row, line in zip(rows, open("a.json"), strict=True):
    o = json.loads(line)
    assert list(map(str, [o[n] for n in names[:7]])) == row[:7] and abs(o["similarity"] - float(row[7])) < 1e-6'
if [ -r "$annotations" ]; then
    tar xf "$annotations"
    "$python" - <<'E'
import os, random
random.seed(1)
with open("beatles.tsv", "w") as f:
    print("key", "class", "start_s", "end_s", "cluster", "distance", "frequency", sep="\t", file=f)
    for name in sorted(os.listdir("beatles/keys")):
        for i in range(400):
            start = 0.48 * i
            times = f"{start:.2f}", f"{start + 0.16:.2f}"
            print(name[:-5], "-", *times, random.randrange(32), 1, i % 5, sep="\t", file=f)
E
    for c in majmin triads full; do compare beatles beatles.tsv $c majmin 80 product frequency; done
    compare beatles beatles.tsv majmin full 80 minimum key
    is "$(sed 1d ours.tsv | wc -l)" 6400 "80 times 80"
else
    skip "annotations of the Beatles" "no $annotations"
fi

# -- what is off
try() { # TEXT KEY-LINES CHORD-LINES NAME
    mkdir -p bad/song
    printf '%b' "$2" >bad/song/key.lab
    printf '%b' "$3" >bad/song/chords.lab
    fails 3 "$1" "$4" "$cooccur" -q --labels bad hand.tsv
}
try "song/key.lab' line 2: 'H' is no key" '0 1 Key C\n1 2 Key H\n' '0 9 C\n' "no key"
try "song/chords.lab' line 1: 'C:mjr' is no chord" '0 1 Key C\n' '0 9 C:mjr\n' "no chord"
try "'C:(1,5' is no chord" '0 1 Key C\n' '0 9 C:(1,5\n' "an open bracket"
try "'C:maj/' is no chord" '0 1 Key C\n' '0 9 C:maj/\n' "no bass"
try "'C:' is no chord" '0 1 Key C\n' '0 9 C:\n' "no quality"
try "line 1: is no start, end and label" '0 1 Key C minor\n' '0 9 C\n' "a field too many"
try "line 1: is no start, end and label" '0 1 Tonic C\n' '0 9 C\n' "another word"
try "line 1: is no start, end and label" '0\n' '0 9 C\n' "no label"
try "line 1: is no start, end and label" '0 1 Key C\n' 'C\n' "no time"
try "line 2: has no end, those before have one" '0 1 Key C\n1 D\n' '0 9 C\n' "an end that lacks"
try "line 2: has an end, those before have none" '0 Key C\n1 2 D\n' '0 9 C\n' "an end too many"
try "line 2: begins before the one above" '5 6 Key C\n1 2 Key D\n' '0 9 C\n' "another order"
try "line 1: ends before it begins" '5 4 Key C\n' '0 9 C\n' "a negative length"
try "line 1: time" '-1 4 Key C\n' '0 9 C\n' "a negative time"
try "line 1: time" 'nan 4 Key C\n' '0 9 C\n' "no number"
try "is no text of labels" '0 9 C\0\n' '0 9 C\n' "no text"
rm bad/song/chords.lab
fails 3 "'song/bass' has no annotation of its chords in 'bad'" "no chords" sh -c "
    printf '0 9 C\n' >bad/song/key.lab; '$cooccur' -q --labels bad hand.tsv"
fails 3 "'other' has no annotation of its key" "a track without annotations" sh -c "
    printf '0 9 C\n' >bad/song/chords.lab; '$cooccur' -q --labels bad hand.tsv"
"$cooccur" --keep-going --labels bad -o a.tsv hand.tsv 2>said
is "$? $(wc -l <said) $(wc -l <a.tsv)" "1 3 2" "passed over"
is "$(tail -n 1 said)" "sj-cooccur: 1 tracks without annotations were passed over" "counted"
awk -F '\t' -v OFS='\t' 'NR == 2 { for (i = 1; i <= NF; i++) if (name[i] == "end_s") $i = -0 } NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i
    } NR == 2 { for (i = 1; i <= NF; i++) if (name[i] == "start_s") $i = 5 } 1' hand.tsv >back.tsv
fails 3 "'back.tsv' line 2: ends before it begins" "a vector of negative length" "$cooccur" -q --labels hand back.tsv
fails 4 "cannot read 'nowhere'" "a folder that is not there" "$cooccur" --labels nowhere hand.tsv
fails 2 "would replace 'hand/song/key.lab'" "results over annotations" \
    "$cooccur" -q --labels hand -o hand/song/key.lab hand.tsv
fails 2 "--labels DIR is wanted" "no folder" "$cooccur" hand.tsv
fails 2 "exclude each other" "a matrix in JSON" "$cooccur" --labels hand --matrix similarity --json hand.tsv
fails 3 "has no column 'cluster'" "another table" sh -c "cut -f1-4 hand.tsv | '$cooccur' -q --labels hand"
fails 3 "'hand.bad' line 2: 'song/bass' has no time: cluster frames or tokens" "whole tracks" sh -c "
    printf 'key\tstart_s\tend_s\tcluster\nsong/bass\t-\t-\t1\n' >hand.bad; '$cooccur' -q --labels hand hand.bad"
fails 3 "line 2: cluster '1.5' is no whole number" "half a cluster" sh -c "
    printf 'key\tstart_s\tend_s\tcluster\nsong/bass\t0\t1\t1.5\n' | '$cooccur' -q --labels hand"
fails 3 "standard input' line 2: start_s" "a time of another kind" sh -c "
    printf 'key\tstart_s\tend_s\tcluster\nsong/bass\tx\t1\t1\n' | '$cooccur' -q --labels hand"
finish
