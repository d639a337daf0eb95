#!/bin/sh
# sj-knn: lists, metrics and confusion against NumPy in double precision; filters, shards, memory, refusals.
. tests/tap.sh
knn=$bin/sj-knn
view=$bin/sj-view
python=/usr/bin/python3
cd "$dir" || exit 1

# Files of embeddings as schemas/embeddings.md describes them, and what NumPy makes of them.
cat >set.py <<'E'
import json
import h5py
import numpy as np

CLASSES = ["bass", "drums", "other", "vocals"]
SONGS, WIDTH = 40, 70

def write(path, x, keys, classes, role, names=CLASSES, model="m"):
    n = len(keys)
    head = {"kind": "embed/1", "dims": ["vector"], "dtype": "f32", "classes": names, "params": {"model_id": model},
            "provenance": []}
    with h5py.File(path, "w") as f:
        f.attrs["head"] = json.dumps(head)
        f["embedding"] = np.asarray(x, np.float32)
        f.create_dataset("key", data=keys, dtype=h5py.string_dtype())
        f["class"] = np.asarray(classes, np.int32)
        f["role"] = np.full(n, role, np.uint8)
        f["position"] = np.zeros(n, np.int64)
        f["part"] = np.zeros(n, np.int64)
        f["last"] = np.ones(n, np.uint8)
        f["class_name"], f["role_name"] = [names or [b""]][0], ["mix", "stem", "rest", "prediction"]

def make():
    rng = np.random.default_rng(5)
    song, kind = rng.standard_normal((SONGS, 1, WIDTH)), rng.standard_normal((1, 4, WIDTH))
    ref = (0.7 * song + kind + rng.standard_normal((SONGS, 4, WIDTH))).reshape(-1, WIDTH).astype(np.float32)
    ref[17], ref[33], ref[90] = 2 * ref[16], ref[16], ref[34]        # exact ties, one of them scaled
    query = (ref + 3 * rng.standard_normal(ref.shape)).astype(np.float32)
    query[16] = ref[16]
    query[60:64] = 3 + 1e-4 * query[60:64]                           # far from 0
    names = [f"song {s}/{c}" for s in range(SONGS) for c in CLASSES]
    return query, ref, names, np.tile(np.arange(4), SONGS)

def distances(query, ref):
    def unit(x):
        x = x.astype(float)
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    q, r = unit(query), unit(ref)
    return np.round(np.sqrt(((q[:, None] - r[None]) ** 2).sum(-1)), 9)
E
cat >make.py <<'E'
from set import *
query, ref, keys, classes = make()
write("q.h5", query, keys, classes, 3)
write("r.h5", ref, keys, classes, 1)
write("r1.h5", ref[:50], keys[:50], classes[:50], 1)
write("r2.h5", ref[50:51], keys[50:51], classes[50:51], 1)
write("r3.h5", ref[51:], keys[51:], classes[51:], 1)
write("wide.h5", np.ones((3, WIDTH + 1)), keys[:3], classes[:3], 1)
write("flute.h5", ref, keys, classes, 1, CLASSES[:3] + ["flute"])
write("model.h5", ref, keys, classes, 1, CLASSES, "another")
write("twice.h5", np.concatenate([ref, ref[:1]]), keys + keys[:1], np.concatenate([classes, classes[:1]]), 1)
write("less.h5", ref[1:], keys[1:], classes[1:], 1)
query[3, 7] = np.nan
write("nan.h5", query, keys, classes, 1)
write("odd.h5", ref[:2], ["tab\there", "back\\slash\nline"], [-1, 0], 0)
E
ok "sets are made" "$python" make.py
[ "$failed" -eq 0 ] || finish

# -- lists
cat >lists.py <<'E'
# lists.py FILE K [same-class] [exclude] [class ...]: FILE holds the K nearest of each query
import sys
from set import *
query, ref, keys, classes = make()
flags, k = sys.argv[3:], int(sys.argv[2])
d = distances(query, ref)
allowed = np.ones(d.shape, bool)
song = np.arange(len(keys)) // 4
if "same-class" in flags:
    allowed &= classes[:, None] == classes[None]
if "exclude" in flags:
    allowed &= song[:, None] != song[None]
chosen = [CLASSES.index(f) for f in flags if f in CLASSES]
if chosen:
    allowed &= np.isin(classes, chosen)[None]
lines = [line.rstrip("\n").split("\t") for line in open(sys.argv[1])]
assert lines.pop(0) == ["query", "query_class", "rank", "reference", "class", "distance", "more"]
assert [line[6:] for line in lines] == [["1"]] * (len(lines) - 1) + [["0"]]
at = 0
for q in range(len(keys)):
    order = [j for j in np.lexsort((np.arange(len(keys)), d[q])) if allowed[q, j]][:k]
    for i, j in enumerate(order):
        want = [keys[q], CLASSES[classes[q]], str(i + 1), keys[j], CLASSES[classes[j]]]
        assert lines[at][:5] == want and abs(float(lines[at][5]) - d[q, j]) < 2e-9, (lines[at], want, d[q, j])
        at += 1
assert at == len(lines)
E
ok "ten nearest" "$knn" --query q.h5 -o all.tsv r.h5
ok "are NumPy's, equal ones by their order" "$python" lists.py all.tsv 10
ok "queries from a pipe" sh -c "'$view' -o - q.h5 | '$knn' -k 3 r.h5 >a.tsv"
ok "three of them" "$python" lists.py a.tsv 3
ok "all of them" "$knn" --query q.h5 -k 1000 -o every.tsv r.h5
ok "in order" "$python" lists.py every.tsv 1000
ok "of two classes" sh -c "'$knn' --query q.h5 -k 4 --class bass,vocals r.h5 >a.tsv"
ok "only" "$python" lists.py a.tsv 4 bass vocals
ok "of the own class and of other tracks" sh -c "'$knn' --query q.h5 --same-class --exclude-same-track r.h5 >a.tsv"
ok "only" "$python" lists.py a.tsv 10 same-class exclude
ok "by key" sh -c "'$knn' --query q.h5 --key 'song [12]/*' -k 100 r.h5 >a.tsv"
is "$(sed 1d a.tsv | cut -f4 | sort -u | wc -l)" 8 "those that match"
ok "no reference of a role" "$knn" --query q.h5 --role mix -k 2 r.h5
is "$(sed -n 2p out)" "song 0/bass	bass	0	-	-	-	1" "is said"
is "$(wc -l <out)" 161 "once for each query"
for j in 1 3; do
    ok "-j$j" sh -c "'$knn' --query q.h5 -j$j r.h5 | cmp - all.tsv"
done
ok "the reference back end agrees" sh -c "'$knn' --query q.h5 --backend cpu:reference r.h5 | cmp - all.tsv"
ok "JSON" "$knn" --query q.h5 --json -o all.json r.h5
cat >same.py <<'E'
import json
tsv = [line.rstrip("\n").split("\t") for line in open("all.tsv")]
for want, line in zip(tsv[1:], open("all.json"), strict=True):
    got = json.loads(line)
    assert [str(got[k]) for k in tsv[0][:5]] == want[:5] and got["distance"] == float(want[5]), (got, want)
    assert got["more"] == int(want[6]), (got, want)
E
ok "says the same" "$python" same.py
ok "odd keys" "$knn" --query odd.h5 --json -k 1 odd.h5
is "$(grep -c '"query":"tab\\there"' out)" 1 "stay whole in JSON"
"$knn" --query odd.h5 -k 1 odd.h5 >odd.tsv
is "$(sed -n 3p odd.tsv)" 'back\\slash\nline	bass	1	back\\slash\nline	bass	0.000000000	0' "and are escaped in text"
ok "also when merged" sh -c "'$knn' --merge -k 1 odd.tsv | cmp - odd.tsv"

# -- progress: the last line drawn, without its rate
drawn() { tr '\r' '\n' <err | tail -n 1 | sed 's/.*searching/searching/; s/comparisons, .*/comparisons/'; }
full="searching [########################] 100% 25600/25600 comparisons"
ok "no progress off a terminal" "$knn" --query q.h5 -o a.tsv r.h5
is "$(cat err)" "" "nor a word"
ok "progress where it is asked for" "$knn" --query q.h5 --progress always -o a.tsv r.h5
is "$(drawn)" "$full" "of queries times references"
is "$(wc -l <err)" 1 "on a line of its own"
ok "changes nothing" cmp a.tsv all.tsv
ok "with queries from a pipe" sh -c "'$view' -o - q.h5 | '$knn' --progress always -o a.tsv r.h5"
is "$(drawn)" "$full" "the same"
ok "with references from a pipe" sh -c "'$view' -o - r.h5 | '$knn' --progress always --query q.h5 -o a.tsv -"
is "$(drawn | sed 's/ [0-9]* / N /')" "searching N comparisons" "the end is not known"
ok "of metrics" "$knn" --metrics --query q.h5 --progress always -o a.tsv r1.h5 r2.h5 r3.h5
is "$(drawn)" "$full" "all files together"
ok "quiet" "$knn" -q --query q.h5 --progress always -o a.tsv r.h5
is "$(cat err)" "" "without any"

# -- parts of the references
for i in 1 2 3; do
    "$knn" --query q.h5 -o $i.tsv r$i.h5
    "$knn" --query q.h5 --json -o $i.json r$i.h5
done
ok "three parts merged" sh -c "'$knn' --merge 1.tsv 2.tsv 3.tsv | cmp - all.tsv"
ok "in JSON" sh -c "'$knn' --merge --json 1.json 2.json 3.json | cmp - all.json"
ok "from JSON and text to text" sh -c "'$knn' --merge 1.json 2.tsv 3.json | cmp - all.tsv"
for i in 1 2 3; do sed 's/$/\r/' $i.tsv >crlf$i.tsv; done
ok "lines that end in CR LF" sh -c "'$knn' --merge crlf1.tsv 2.tsv crlf3.tsv | cmp - all.tsv"
sed '2,$s/^/{/' all.tsv >braces.tsv
ok "keys that begin like JSON" sh -c "'$knn' --merge braces.tsv | cmp - braces.tsv"
ok "three files searched as one" sh -c "'$knn' --query q.h5 r1.h5 r2.h5 r3.h5 | cmp - all.tsv"
"$view" -o r2.sjt r2.h5
ok "a stream among them" sh -c "'$knn' --query q.h5 r1.h5 r2.sjt r3.h5 | cmp - all.tsv"
ok "references from a pipe" sh -c "'$view' -o - r.h5 | '$knn' --query q.h5 - | cmp - all.tsv"
for i in 1 2 3; do "$knn" --query q.h5 --class bass -o bass$i.tsv r$i.h5; done
"$knn" --query q.h5 --class bass -o bass.tsv r.h5
ok "parts without any reference" sh -c "'$knn' --merge bass1.tsv bass2.tsv bass3.tsv | cmp - bass.tsv"
sed '4s/1$/0/; 5,$d' 1.tsv >short.tsv
fails 3 "do not list the same queries" "a part that lacks queries" "$knn" --merge 1.tsv short.tsv
sed 12d 1.tsv >hole.tsv
fails 3 "line 12 does not" "a list with a hole" "$knn" --merge 2.tsv hole.tsv
printf %s "$(cat 1.tsv)" >cut.tsv # no end of its last line
fails 3 "is cut short" "a line cut short" "$knn" --merge cut.tsv 2.tsv
fails 3 "has not the fields of neighbours" "a text of another kind" "$knn" --merge set.py

# -- lists that were cut
"$knn" --query q.h5 -k 2 --exclude-same-track -o whole.tsv r1.h5
"$knn" --query q.h5 -k 2 --exclude-same-track --json -o whole.json r1.h5
ok "whole lists" "$knn" --merge -k 2 whole.tsv whole.json
cat >cuts.py <<'E'
# cuts.py KNN FILE: at every end of a line and around it, and at every byte of the first and the last lines
import subprocess
import sys
knn, path = sys.argv[1:]
text = open(path, "rb").read()
ends = [i + 1 for i, c in enumerate(text) if c == 10]
places = set(range(200)) | set(range(len(text) - 120, len(text))) | set(ends)
places |= {i + d for i in ends[::20] for d in (-2, -1, 1)}
for at in sorted(p for p in places if p < len(text)):
    open("cut", "wb").write(text[:at])
    for flags in ["-k", "2"], ["--confusion"]:
        r = subprocess.run([knn, "--merge", *flags, "cut"], capture_output=True, text=True)
        assert r.returncode == 3 and r.stderr.count("\n") == 1 and "'cut'" in r.stderr, (at, flags, r)
E
for i in whole.tsv whole.json; do ok "$i cut anywhere" "$python" cuts.py "$knn" $i; done
head -n -45 1.tsv >cut.tsv
fails 3 "'cut.tsv' ends early: line 1556 says that another follows" "cut between two lines" "$knn" --merge cut.tsv 2.tsv
fails 3 "'cut.tsv'" "also as the second part" "$knn" --merge -o x.tsv 2.tsv cut.tsv
ok "no file appears" test ! -e x.tsv
fails 3 "'standard input' ends early: it lists no query" "nothing at all" sh -c "'$knn' --merge - </dev/null"
cat 1.tsv >twice.tsv && sed 1d 1.tsv >>twice.tsv
fails 3 "line 1602 follows the one that says it is the last" "one list after another" "$knn" --merge twice.tsv
lacks="lacks the field 'more', without which a cut list looks whole: rank again"
cut -f 1-6 1.tsv >plain.tsv
fails 3 "'plain.tsv': line 2 $lacks" "lists without the field" "$knn" --merge plain.tsv 2.tsv 3.tsv
sed 's/,"more":[01]//' 1.json >plain.json
fails 3 "'plain.json': line 1 $lacks" "in JSON" "$knn" --merge 2.tsv plain.json
fails 3 "'plain.tsv': line 2 $lacks" "metrics of them" "$knn" --merge --metrics plain.tsv
sed '9s/	1$//' 1.tsv >odd9.tsv
fails 3 "line 9 $lacks" "one line without it" "$knn" --merge odd9.tsv
sed '9s/	1$/	2/' 1.tsv >odd9.tsv
fails 3 "line 9: more is" "another value" "$knn" --merge odd9.tsv

# -- metrics
cat >metrics.py <<'E'
# metrics.py FILE [same-class]: a table with --per-class --baselines
import sys
from set import *
query, ref, keys, classes = make()
d = distances(query, ref)
if "same-class" in sys.argv:
    d[classes[:, None] != classes[None]] = np.inf
rank = (d < np.diagonal(d)[:, None]).sum(1) + 1
total = np.isfinite(d).sum(1)
lower_median = lambda x: np.sort(x)[(len(x) - 1) // 2]
def row(name, rank, total, recall=None):
    recall = recall or [(rank <= k).mean() for k in (1, 5, 10)]
    values = *recall, (rank / total).mean(), lower_median(rank / total)
    return [name, str(len(rank)), str(total.max())] + [f"{100 * v:.2f}" for v in values]
n, own = total[0], SONGS
want = [row("all", rank, total)] + [row(c, rank[classes == i], total[classes == i]) for i, c in enumerate(CLASSES)]
for name, among in ("chance", n), ("class-oracle", own):
    want.append(row(name, np.full(len(rank), (among + 1) / 2), total, [min(1, k / among) for k in (1, 5, 10)]))
names, *got = (line.rstrip("\n").split("\t") for line in open(sys.argv[1]))
assert names == ["row", "queries", "references", "recall@1_percent", "recall@5_percent", "recall@10_percent",
                 "mean_rank_percent", "median_rank_percent"]
for g, w in zip(got, want, strict=True):
    assert g[:3] == w[:3] and all(abs(float(a) - float(b)) < 0.011 for a, b in zip(g[3:], w[3:])), (g, w)
E
ok "metrics" "$knn" --metrics --per-class --baselines --query q.h5 -o m.tsv r.h5
ok "are NumPy's" "$python" metrics.py m.tsv
ok "within a class" "$knn" --metrics --per-class --baselines --same-class --query q.h5 -o same.tsv r.h5
ok "too" "$python" metrics.py same.tsv same-class
ok "one row" "$knn" --metrics --query q.h5 r.h5
is "$(cat out)" "$(sed -n 1,2p m.tsv)" "without more"
ok "the references in three files" sh -c "
    '$knn' --metrics --per-class --baselines --query q.h5 r1.h5 r2.h5 r3.h5 | cmp - m.tsv"
ok "JSON" "$knn" --metrics --json --query q.h5 r.h5
mean=$("$python" -c 'import json; print("%.2f" % json.load(open("out"))["mean_rank_percent"])')
is "$mean" "$(sed -n 2p m.tsv | cut -f7)" "the same value"
fails 3 "no reference has the key 'song 0/bass' and the class 'bass' of a query" "a true reference that lacks" \
    "$knn" --metrics --query q.h5 less.h5
fails 3 "two references have the key 'song 0/bass' and the class 'bass'" "two true references" \
    "$knn" --metrics --query q.h5 twice.h5
cp q.h5 kept.h5
fails 2 "would replace 'q.h5'" "results over the queries" "$knn" --query q.h5 -o q.h5 r.h5
ok "they stay" cmp q.h5 kept.h5
fails 2 "cannot be read twice" "references from a pipe" sh -c "'$view' -o - r.h5 | '$knn' --metrics --query q.h5 -"

# -- metrics of complete lists
ok "metrics of the lists of all" "$knn" --merge --metrics --per-class --baselines -o a.tsv every.tsv
ok "are those of the search" cmp a.tsv m.tsv
ok "in JSON" sh -c "'$knn' --metrics --per-class --baselines --json --query q.h5 r.h5 >want
    '$knn' --query q.h5 -k 1000 --json r.h5 | '$knn' --merge --metrics --per-class --baselines --json - | cmp - want"
for i in 1 2 3; do "$knn" --query q.h5 -k 1000 -o every$i.tsv r$i.h5; done
ok "of three parts" sh -c "'$knn' --merge --metrics --per-class --baselines every3.tsv every1.tsv every2.tsv | cmp - m.tsv"
# What another program might have made: classes in another order, equal and negative distances.
mark() { awk 'NR > 2 { print line "\t1" } { line = NR == 1 ? $0 "\tmore" : $0 } NR == 1 { print line }
    END { print line "\t0" }'; }
cat >ties <<'E'
query	query_class	rank	reference	class	distance
s1/a	flute	1	s2/a	flute	-3
s1/a	flute	2	s1/b	bass	-1.5
s1/a	flute	3	s1/a	flute	-1.5
s1/a	flute	4	s2/b	bass	700
s1/b	bass	1	s2/a	flute	0
s1/b	bass	2	s2/b	bass	0
s1/b	bass	3	s1/b	bass	0
s1/b	bass	4	s1/a	flute	0
s2/b	bass	1	s1/b	bass	1
s2/b	bass	2	s2/a	flute	2
s2/b	bass	3	s1/a	flute	3
s2/b	bass	4	s2/b	bass	4
E
mark <ties >ties.tsv
ok "ties in lists from elsewhere" "$knn" --merge --metrics --per-class --baselines ties.tsv
is "$(cut -f 1-4,7,8 out)" "row	queries	references	recall@1_percent	mean_rank_percent	median_rank_percent
all	3	4	33.33	58.33	50.00
bass	2	4	50.00	62.50	25.00
flute	1	4	0.00	50.00	50.00
chance	3	4	25.00	62.50	62.50
class-oracle	3	4	50.00	37.50	37.50" "do not count as nearer"
fails 3 "the list of 'song 0/bass' is not complete: it has 10 lines where there are 160 references" "short lists" \
    "$knn" --merge --metrics all.tsv
sed '$d' every.tsv | sed '$s/1$/0/' >less.tsv
fails 3 "the list of 'song 39/vocals' is not complete: it has 159 lines where there are 160" "without the last line" \
    "$knn" --merge --metrics less.tsv
sed 8d ties | mark >less.tsv
fails 3 "line 8 does not follow" "without a line" "$knn" --merge --metrics less.tsv
sed '5s,s2/b,s2/a,; 5s/bass/flute/' ties | mark >less.tsv
fails 3 "the list of 's1/a' is not complete" "with a reference twice, another not at all" \
    "$knn" --merge --metrics less.tsv
sed '2,5s,	s1/a	flute	-,	s3/a	flute	-,; 9s,s1/a,s3/a,; 12s,s1/a,s3/a,' ties | mark >less.tsv
fails 3 "no reference has the key 's1/a' and the class 'flute' of a query" "no true reference" \
    "$knn" --merge --metrics less.tsv
sed 's,s2/a	flute,s1/a	flute,' ties | mark >less.tsv
fails 3 "two references have the key 's1/a' and the class 'flute'" "two true ones" "$knn" --merge --metrics less.tsv
sed '4s/-1.5/-4/' ties | mark >less.tsv
fails 3 "line 4 is nearer than the line before" "a list that is not ranked" "$knn" --merge --metrics less.tsv
sed '5s/700/nan/' ties | mark >less.tsv
fails 3 "line 5: distance is 'nan'" "a distance that is no number" "$knn" --merge --metrics less.tsv
sed '5s/700/inf/' ties | mark >less.tsv
ok "an infinite one" sh -c "'$knn' --merge --metrics less.tsv >a.tsv && '$knn' --merge --metrics ties.tsv | cmp - a.tsv"
sed 's,^\(s2/b.*\)	[34]$,\1	inf,' ties | mark >less.tsv
ok "infinite ones, the true one among them" sh -c "'$knn' --merge --metrics --per-class less.tsv >a.tsv
    '$knn' --merge --metrics --per-class ties.tsv | cmp - a.tsv"
awk 'BEGIN { OFS = FS = "\t" } $1 == "s2/b" && $3 > 2 { t = $3 == 3; $4 = t ? "s2/b" : "s1/a"
    $5 = t ? "bass" : "flute"; $6 = "inf" } 1' ties | mark >less.tsv
ok "before another of them" sh -c "'$knn' --merge --metrics --per-class less.tsv | cmp - a.tsv"
(cat ties; sed 1d ties) | mark >less.tsv
fails 3 "the query 's1/a' of the class 'flute' comes twice" "a query twice" "$knn" --merge --metrics less.tsv
fails 3 "ends early: it lists no query" "no list at all" sh -c "sed 1q ties.tsv | '$knn' --merge --metrics -"
fails 2 "-k is not for --metrics" "metrics of the nearest alone" "$knn" --merge --metrics -k 3 every.tsv

# -- the same by the reference implementation, ties among them
reference=${SJ_SHARED:-$root/../shared}/reference
if [ -f "$reference/stem_jepa.py" ]; then
    cat >reference.py <<'E'
import sys
sys.path[:0] = [sys.argv[1]]
from set import *
import torch
from stem_jepa import retrieval_metrics
query, ref, keys, classes = make()
query, ref, keys, classes = query[8:32], ref[8:32], keys[8:32], classes[8:32]
ref[9], ref[12] = ref[8], ref[8]           # equal to the bit
write("q24.h5", query, keys, classes, 3)
write("r24.h5", ref, keys, classes, 1)
m, rank = retrieval_metrics(torch.tensor(query, dtype=torch.float64), torch.tensor(ref, dtype=torch.float64))
print("\t".join(["all", "24", "24"] + [f"{100 * v:.2f}" for v in m.values()]))
E
    ok "the reference's metrics" sh -c "'$python' reference.py '$reference' >want"
    ok "search" sh -c "'$knn' --metrics --query q24.h5 r24.h5 | sed 1d | cmp - want"
    ok "lists" sh -c "'$knn' -k 24 --query q24.h5 r24.h5 | '$knn' --merge --metrics - | sed 1d | cmp - want"
else
    skip "the reference's metrics" "$reference/stem_jepa.py is not there"
fi

# -- figure 2
cat >confusion.py <<'E'
from set import *
query, ref, keys, classes = make()
near = distances(query, ref).argmin(1)
song = np.arange(len(keys)) // 4
right, same = classes[near] == classes, song[near] == song
text = "class\tqueries\tboth_right_percent\tinstrument_right_percent\tsong_right_percent\tboth_wrong_percent\n"
for name, mine in [(c, classes == i) for i, c in enumerate(CLASSES)] + [("all", classes >= 0)]:
    kinds = right & same, right & ~same, ~right & same, ~right & ~same
    text += f"{name}\t{mine.sum()}" + "".join(f"\t{100 * k[mine].mean():.2f}" for k in kinds) + "\n"
text += "\nclass\t" + "\t".join(CLASSES) + "\t-\n"
for i, c in enumerate(CLASSES):
    text += c + "".join(f"\t{((classes == i) & (classes[near] == k)).sum()}" for k in range(5)) + "\n"
print(text, end="")
E
ok "confusion" "$knn" --confusion --query q.h5 -o c.tsv r.h5
ok "of NumPy" sh -c "'$python' confusion.py >want.tsv"
is "$(cat c.tsv)" "$(cat want.tsv)" "is the same"
ok "JSON" "$knn" --confusion --json --query q.h5 r.h5
is "$(grep -c '"table":"confusion"' out)" 4 "a row a class"
fails 3 "the query 'tab" "a query without a class" "$knn" --confusion --query odd.h5 r.h5
ok "of lists" sh -c "'$knn' --merge --confusion all.tsv | cmp - c.tsv"
ok "in JSON" sh -c "'$knn' --confusion --json --query q.h5 r.h5 >want
    '$knn' --merge --confusion --json all.json | cmp - want"
fails 3 "the query 'tab" "a list of a query without a class" "$knn" --merge --confusion odd.tsv

# -- memory: blocks of queries and of references
cat >large.py <<'E'
from set import *
rng = np.random.default_rng(1)
n, width = 5000, 300
write("big.h5", rng.standard_normal((n, width)), [f"s{i}/bass" for i in range(n)], np.zeros(n), 1)
write("bigq.h5", rng.standard_normal((300, width)), [f"s{i}/bass" for i in range(300)], np.zeros(300), 3)
E
"$python" large.py
ok "a set of 6 MB" sh -c "'$knn' --query bigq.h5 big.h5 >big.tsv"
ok "searched in 1 MiB" sh -c "'$knn' --memory 1 --query bigq.h5 big.h5 | cmp - big.tsv"
ok "with progress" "$knn" --memory 1 --query bigq.h5 --progress always -o a big.h5
is "$(drawn)" "searching [########################] 100% 1500000/1500000 comparisons" "through all blocks"
ok "and measured" sh -c "'$knn' --metrics --query bigq.h5 big.h5 >a
    '$knn' --metrics --memory 1 --query bigq.h5 big.h5 | cmp - a"
fails 2 "cannot be read twice" "but not from a pipe" sh -c "'$view' -o - big.h5 | '$knn' --memory 1 --query bigq.h5 -"

# -- refusals
fails 3 "'q.h5' has vectors of 70 values; 'wide.h5' of 71" "longer vectors" "$knn" --query q.h5 wide.h5
fails 3 "'q.h5' has the classes bass, drums, other, vocals; 'flute.h5' has bass, drums, other, flute" "other classes" \
    "$knn" --query q.h5 flute.h5
fails 3 "'q.h5' comes from the model m; 'model.h5' from another" "another model" "$knn" --query q.h5 model.h5
fails 3 "'r.h5' comes from the model m; 'model.h5' from another" "references of two models" \
    "$knn" --query q.h5 r.h5 model.h5
fails 3 "'nan.h5': 'song 0/vocals' holds a value that is not finite" "a reference with NaN" "$knn" --query q.h5 nan.h5
fails 3 "'nan.h5': 'song 0/vocals' holds a value that is not finite" "a query with NaN" "$knn" --query nan.h5 r.h5
fails 2 "'r.h5' has no class 'flute'" "a class that there is not" "$knn" --query q.h5 --class flute r.h5
fails 2 "'r.h5' has no class 'flute'" "among others" "$knn" --query q.h5 --class bass,flute r.h5
for c in "" "," "bass," ",bass" "bass,,drums"; do
    fails 2 "--class is '$c': a name is empty" "the classes '$c'" "$knn" --query q.h5 --class "$c" nowhere.h5
done
fails 2 "no role" "a role that there is not" "$knn" --query q.h5 --role flute r.h5
for k in frame token; do "$BUILD/tests/make_stream" $k >$k.sjt; done
fails 3 "more than one vector in a record" "frames" "$knn" --query frame.sjt frame.sjt
fails 3 "carries 'mel/1'" "spectrograms" sh -c "'$BUILD/tests/make_stream' mel | '$knn' r.h5"
"$view" -o q.sjt q.h5
head -c 20000 q.sjt >cut.sjt
fails 3 "ends early" "a cut stream" "$knn" -o x.tsv --query cut.sjt r.h5
ok "nothing appears" test ! -e x.tsv
for o in "--metrics --confusion" "--per-class" "--baselines" "--merge --class bass" "--metrics -k 3" \
    "--metrics --exclude-same-track"; do
    # shellcheck disable=SC2086  # two options
    fails 2 "--" "$o" "$knn" $o --query q.h5 r.h5
done
fails 2 "standard input" "both from a pipe" "$knn" -
fails 4 "No space left" "a full device" sh -c "'$knn' --query q.h5 r.h5 >/dev/full"
finish
