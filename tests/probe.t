#!/bin/sh
# sj-probe: measures against scikit-learn and the definition of the weighted score; what can be learned is, what cannot
# is not; every form of embeddings; tables that agree with each other; refusals.
. tests/tap.sh
probe=$bin/sj-probe
view=$bin/sj-view
measure=$BUILD/tests/measure
python=/usr/bin/python3
cd "$dir" || exit 1

# -- measures
cat >keys.py <<'E'
# The weighted score as mir_eval documents it: 1 same key; 0.5 estimate a perfect fifth above, same mode; 0.3 relative
# major or minor (same signature); 0.2 parallel (same tonic); else 0.
import random
import subprocess
import sys
NAMES = {"c": 0, "c#": 1, "db": 1, "d": 2, "d#": 3, "eb": 3, "e": 4, "f": 5, "f#": 6, "gb": 6, "g": 7, "g#": 8, "ab": 8,
         "a": 9, "a#": 10, "bb": 10, "b": 11}
MODES = {"major": ["major", "maj", "Major"], "minor": ["minor", "min", "m"]}

def score(reference, estimate):
    (a, of_a), (b, of_b) = reference, estimate
    signature = lambda tonic, mode: (tonic + (3 if mode == "minor" else 0)) % 12
    if (a, of_a) == (b, of_b):
        return 1
    if of_a == of_b:
        return 0.5 if b == (a + 7) % 12 else 0
    return 0.3 if signature(a, of_a) == signature(b, of_b) else 0.2 if a == b else 0

random.seed(3)
text, want = "", []
for i in range(4000):
    pair = []
    for k in range(2):
        name, mode = random.choice(list(NAMES)), random.choice(list(MODES))
        pair.append((NAMES[name], mode))
        text += name[0].upper() + name[1:] + random.choice([" ", ":"]) + random.choice(MODES[mode]) + "\t\n"[k]
    want.append(score(*pair))
got = subprocess.run([sys.argv[1], "key"], input=text, text=True, capture_output=True, check=True).stdout.split()
assert [float(g) for g in got] == want and len(set(want)) == 5
E
ok "4000 pairs of keys have the weighted score" "$python" keys.py "$measure"
cat >sklearn_same.py <<'E'
import math
import subprocess
import sys
import warnings
import numpy as np
from sklearn.metrics import average_precision_score, mean_squared_error, r2_score, roc_auc_score
warnings.simplefilter("ignore")

def measured(what, score, truth):
    text = f"{score.shape[0]} {score.shape[1]}\n" + " ".join(f"{v:.9g}" for a in (score, truth) for v in a.ravel())
    got = subprocess.run([sys.argv[1], what], input=text, text=True, capture_output=True, check=True).stdout
    return [tuple(map(float, line.split())) for line in got.splitlines()]

def same(a, b):
    return abs(a - b) <= 1e-12 or (math.isnan(a) and math.isnan(b))

def tags(score, truth):
    score = score.astype(np.float32)
    for c, (auc, ap) in enumerate(measured("tags", score, truth)):
        positive = truth[:, c].sum()
        want_auc = roc_auc_score(truth[:, c], score[:, c]) if 0 < positive < len(truth) else math.nan
        want_ap = average_precision_score(truth[:, c], score[:, c]) if positive else math.nan
        assert same(auc, want_auc) and same(ap, want_ap), (c, auc, want_auc, ap, want_ap)

def values(estimate, truth):
    estimate, truth = estimate.astype(np.float32), truth.astype(np.float32)
    for c, (r2, rms) in enumerate(measured("value", estimate, truth)):
        y, f = truth[:, c].astype(float), estimate[:, c].astype(float)
        assert same(r2, r2_score(y, f)) or abs(r2 / r2_score(y, f) - 1) < 1e-9, (c, r2, r2_score(y, f))
        assert abs(rms - math.sqrt(mean_squared_error(y, f))) < 1e-6 * (1 + rms)

rng = np.random.default_rng(4)
for n in 2, 3, 17, 300:
    truth = (rng.random((n, 40)) < rng.random(40)).astype(int)
    tags(rng.standard_normal(truth.shape) + truth, truth)          # as they come
    tags(rng.integers(0, 3, truth.shape), truth)                   # many ties
    tags(np.zeros(truth.shape), truth)                             # constant
    tags(truth, truth), tags(-truth, truth)                        # perfect, upside down
    truth[:, 0], truth[:, 1] = 0, 1                                # absent, everywhere
    tags(rng.standard_normal(truth.shape), truth)
    y = rng.standard_normal((n, 5))
    values(y + rng.standard_normal(y.shape), y)
    values(y, y), values(np.zeros(y.shape), y)
    y[:, 0] = 0.1
    values(y, y), values(y + 1, y)
assert all(math.isnan(auc) and math.isnan(ap) for auc, ap in measured("tags", np.ones((5, 1)), np.zeros((5, 1))))
E
ok "areas, average precisions and R2 are scikit-learn's, also of ties, constants and absent tags" \
    "$python" sklearn_same.py "$measure"

# -- learning
cat >make.py <<'E'
# Files of one set: 5 classes that a plane tells from each other, and noise.
import json
import h5py
import numpy as np
rng = np.random.default_rng(1)
N, D, C = 300, 48, 5
KEYS = ["C", "G:maj", "A minor", "F# min", "Bb major"]
y = rng.integers(0, C, N)
x = (rng.standard_normal((N, D)) + 3 * rng.standard_normal((C, D))[y]).astype(np.float32)
noise = rng.standard_normal((N, D)).astype(np.float32)
split = np.where(np.arange(N) % 5 == 1, "valid", np.where(np.arange(N) % 5 == 2, "test", "train"))
names = [f"track {i}/mix" for i in range(N)]
shuffled = rng.permutation(y)
w = rng.standard_normal((D, 2))
with open("labels.tsv", "w") as f:
    print("note", "key", "split", "label", "shuffled", "tonality", "tags", "a", "b", sep="\t", file=f)
    for i in range(N):
        tags = ",".join(t for t, on in zip(["rock", "slow", "sung"], [y[i] < 2, y[i] % 2, x[i, 0] > 0]) if on)
        a, b = x[i] @ w
        print("?", names[i], split[i], f"c{y[i]}", f"c{shuffled[i]}", KEYS[y[i]], tags, f"{a:.6f}",
              f"{100 * b + 1000:.4f}", sep="\t", file=f)

def embeddings(path, x, names):
    head = {"kind": "embed/1", "dims": ["vector"], "dtype": "f32", "classes": [], "params": {"model_id": "m"},
            "provenance": []}
    n = len(names)
    with h5py.File(path, "w") as f:
        f.attrs["head"] = json.dumps(head)
        f["embedding"] = np.asarray(x, np.float32)
        f.create_dataset("key", data=names, dtype=h5py.string_dtype())
        f["class"], f["role"], f["last"] = np.full(n, -1, np.int32), np.zeros(n, np.uint8), np.ones(n, np.uint8)
        f["position"], f["part"] = np.zeros(n, np.int64), np.zeros(n, np.int64)
        f["class_name"], f["role_name"] = [b""], ["mix", "stem", "rest", "prediction"]

order = rng.permutation(N)
embeddings("x.h5", x[order], [names[i] for i in order])
embeddings("more.h5", np.concatenate([noise[:7], x]), [f"other {i}" for i in range(7)] + names)
embeddings("less.h5", x[:-3], names[:-3])
embeddings("noise.h5", noise, names)
np.save("x.npy", x), np.save("x64.npy", x.astype(float)), np.save("short.npy", x[:-1])
np.save("cube.npy", x.reshape(N, 6, 8))
embeddings("twice.h5", np.concatenate([x, x[:1]]), names + names[:1])
bad = x.copy()
bad[7, 3] = np.nan
embeddings("nan.h5", bad, names), np.save("nan.npy", bad)
bad[7, 3] = np.inf
np.save("inf.npy", bad)
with h5py.File("any.h5", "w") as f:
    f["deep/er/x"] = x
    f["turned"] = x[::-1].astype(np.float64)
    f["cube"], f["short"] = x.reshape(N, 6, 8), x[:-1]
    f.create_dataset("packed", data=x, chunks=(7, 11), compression="gzip")
with open("labels.tsv") as f, open("rows.tsv", "w") as g:
    for i, line in enumerate(f):
        print(line.rstrip("\n"), "row" if not i else N - i, sep="\t", file=g)
E
ok "sets are made" "$python" make.py
[ "$failed" -eq 0 ] || finish
quick="--rates 1e-3,5e-3 --epochs 30"
labels="--labels labels.tsv"
column() { sed -n "${2:-2}p" out | cut -f "$(sed -n 1p out | tr '\t' '\n' | grep -nx "$1" | cut -d: -f1)"; }
# shellcheck disable=SC2086  # options
run() { "$probe" -j 2 $quick $labels "$@"; }
within() { "$python" -c 'import sys; low, x, high = map(float, sys.argv[1:]); sys.exit(not low <= x <= high)' "$@"; }

ok "what a plane separates" run x.h5
is "$(column accuracy_percent)" 100.00 "is told from each other without fault"
is "$(column train) $(column valid) $(column test)" "180 60 60" "with all examples counted"
is "$(column width) $(column outputs) $(column measured)" "48 5 5" "and what they are"
ok "also by the other protocol, and from noise" run --protocol evar --rates 1e-3 x.h5 noise.h5
is "$(column accuracy_percent)" 100.00 "without fault"
chance=$(column accuracy_percent 3)
ok "noise: $chance %, as 20 of 100 are by chance" within 3 "$chance" 42
ok "shuffled labels" run --label shuffled x.h5
chance=$(column accuracy_percent)
ok "give chance: $chance %" within 3 "$chance" 42
ok "keys" run -t key --label tonality x.h5
is "$(column mirex_percent) $(column accuracy_percent)" "100.00 100.00" "are found"
is "$(column outputs) $(column measured)" "24 5" "among all"
ok "tags" run -t tags --label tags x.h5 noise.h5
good=$(column roc_auc_percent) chance=$(column roc_auc_percent 3)
ok "are found, $good %, but not in noise, $chance %" within 97 "$good" 100
ok "which gives chance" within 30 "$chance" 70
ok "values" run -t value --label a,b x.h5
good=$(column r2)
ok "in any unit are estimated, R2 $good" within 0.9 "$good" 1

# -- the same for the same seed, whatever the threads and the form of the embeddings
results() { sed 1d | cut -f 2-; }
# shellcheck disable=SC2086  # options
same_as() { want=$1 && shift && "$probe" -j 2 $quick "$@" | results | sed 's/	7	0	/	0	0	/' | cmp - "$want"; }
run --label shuffled x.h5 | results >want
for f in x.h5 x.npy x64.npy any.h5:/deep/er/x any.h5:/packed more.h5; do
    # shellcheck disable=SC2086  # options
    ok "$f: the same result" same_as want $labels --label shuffled $f
done
ok "rows of a matrix by number" same_as want --labels rows.tsv --label shuffled any.h5:/turned
ok "where the keys are those of records, numbers do not count" same_as want --labels rows.tsv --label shuffled x.h5
ok "a stream from a pipe" sh -c "
    '$view' -o - x.h5 | '$probe' $quick $labels --label shuffled - | sed 1d | cut -f 2- | cmp - want"
ok "labels from a pipe" sh -c "
    '$probe' $quick --labels - --label shuffled x.h5 <labels.tsv | sed 1d | cut -f 2- | cmp - want"
for j in 1 3; do
    ok "-j$j" sh -c "'$probe' -j $j $quick $labels --label shuffled x.h5 | sed 1d | cut -f 2- | cmp - want"
done
ok "another seed" run --seed 1 --label shuffled x.h5
is "$(results <out | cmp -s - want; echo $?)" 1 "another result"
ok "several in one call" run --label shuffled x.npy noise.h5
is "$(sed -n 2p out | cut -f 2-)" "$(cat want)" "each by itself"
is "$(cut -f 1 out | tr '\n' ' ')" "embeddings x.npy noise.h5 " "in their order"
"$probe" $quick $labels more.h5 >out
is "$(column unlabelled) $(column missing)" "7 0" "vectors without a label are left out and counted"

# -- how training goes
ok "told" run -v x.h5 2>/dev/null
is "$(grep -c 'sj-probe: x.h5: rate 0.00[15]: [0-9.]* in epoch [0-9]* of [0-9]*$' err)" 2 "for each rate"
run --patience 4 -v noise.h5 >out 2>err
is "$(sed -n 's/.*rate 0.001.*epoch \([0-9]*\) of \([0-9]*\)/\1 \2/p' err | awk '{ print $2 - $1 }')" 4 \
    "a training ends after its patience"
best=$(sed -n 's/.*rate \([0-9.]*\): \([0-9.]*\) in.*/\2 \1/p' err | sort -rn | head -n 1 | cut -d' ' -f2)
is "$(column rate)" "$best" "the rate is the best"
long="--patience 60 --epochs 60"
# shellcheck disable=SC2086  # options
ok "a rate of nothing that is changed after every other epoch" run $long --rates 1e-9 --plateau 1 x.h5
ok "does not grow" within 3 "$(column accuracy_percent)" 60
for p in 1 1000; do
    # shellcheck disable=SC2086
    run $long --rates 1e-2 --plateau $p -t value --label a x.h5 >out
    column valid_r2 >r2.$p
done
is "$(cmp -s r2.1 r2.1000; echo $?)" 1 "a rate that is halved learns otherwise than one that is not"
ok "rates that diverge" "$probe" -q $quick $labels --rates 10,1e-3 -t value --label a x.npy
is "$(column rate)" 0.001 "are not chosen"
for p in marble evar; do
    "$probe" -q $quick $labels --protocol $p --rates 1e-3 x.h5 >want
    ok "$p: a useless rate more" sh -c "'$probe' -q $quick $labels --protocol $p --rates 1e-3,1e-9 x.h5 | cmp - want"
done
ok "progress where it is asked for" run --progress always -o a.tsv x.h5
is "$(tr '\r' '\n' <err | tail -n 1 | sed 's/.*probing/probing/; s/epochs, .*/epochs/')" \
    "probing [########################] 100% 60/60 epochs" "counts epochs"

# -- tables
cat >tables.py <<'E'
# tables.py TEXT JSON TASK: tables with --per-class and, of classes, --confusion agree with each other and in both forms
import json
import sys
import numpy as np
text = [t.strip("\n").split("\n") for t in open(sys.argv[1]).read().split("\n\n")]
tables = [[dict(zip(t[0].split("\t"), line.split("\t"))) for line in t[1:]] for t in text]
kinds = ["result", "label", "confusion"]
for line, (kind, row) in zip(open(sys.argv[2]), [(k, r) for k, t in zip(kinds, tables) for r in t], strict=True):
    got = json.loads(line)
    assert got.pop("table") == kind
    if kind == "confusion":
        got.update(got.pop("predicted"))
    assert set(got) == {k for k, v in row.items() if v != "-"}, (got, row)
    for k, v in got.items():
        assert row[k] == str(v) if isinstance(v, (str, int)) else abs(float(row[k]) - v) <= 0.00501, (k, row[k], v)
task, near = sys.argv[3], lambda a, b: abs(float(a) - b) <= 0.0051
for result in tables[0]:
    mine = [[r for r in t if r["embeddings"] == result["embeddings"]] for t in tables[1:]]
    defined = lambda k: [float(r[k]) for r in mine[0] if r[k] != "-"]
    assert ("always" in result) == (task in ("class", "key"))
    if task in ("class", "key"):
        most = max(range(len(mine[0])), key=lambda c: int(mine[0][c]["train"])) # the first of equal ones
        # of keys also what is near: the truth of which it is the fifth, its relative and its parallel key
        worth = {most: 1}
        if task == "key":
            tonic, minor = most % 12, most // 12
            other = 12 * (1 - minor)
            worth[12 * minor + (tonic + 5) % 12] = 0.5
            worth[other + (tonic + (3 if minor else 9)) % 12] = 0.3
            worth[other + tonic] = 0.2
        always = sum(100 * v * int(mine[0][c]["test"]) for c, v in worth.items()) / int(result["test"])
        assert result["always"] == mine[0][most]["label"] and near(result["always_percent"], always), (result, always)
        m = np.array([[int(v) for v in list(r.values())[2:]] for r in mine[1]])
        assert m.sum() == int(result["test"]) and near(result["accuracy_percent"], 100 * m.trace() / m.sum())
        for i, r in enumerate(mine[0]):
            assert (int(r["test"]), int(r["predicted"])) == (m[i].sum(), m[:, i].sum())
            assert near(r["recall_percent"], 100 * m[i, i] / m[i].sum()) if m[i].sum() else r["recall_percent"] == "-"
            p, guesses = r["precision_percent"], m[:, i].sum()
            assert near(p, 100 * m[i, i] / guesses) if guesses else p == "-"
        for k in "train", "valid", "test":
            assert sum(int(r[k]) for r in mine[0]) == int(result[k])
    if task == "key":
        weight = sum(float(r["mirex_percent"]) * int(r["test"]) for r in mine[0] if r["mirex_percent"] != "-")
        assert abs(weight / int(result["test"]) - float(result["mirex_percent"])) < 0.02
    if task == "tags":
        for k in "roc_auc_percent", "average_precision_percent":
            assert abs(np.mean(defined(k)) - float(result[k])) < 0.011
        assert len(defined("roc_auc_percent")) == int(result["measured"])
    if task == "value":
        assert abs(np.mean(defined("r2")) - float(result["r2"])) < 2e-4
E
for task in "class label" "key tonality" "tags tags" "value a,b"; do
    name=${task% *} more=
    case $name in class | key) more=--confusion ;; esac
    # shellcheck disable=SC2086  # options
    ok "$name: all tables" run -t $name --label ${task#* } --per-class $more -o t.tsv x.npy noise.h5
    # shellcheck disable=SC2086
    ok "$name: as JSON" run -t $name --label ${task#* } --per-class $more --json -o t.json x.npy noise.h5
    ok "$name: they agree" "$python" tables.py t.tsv t.json $name
done

# -- one key by two names: each of them is rarer than others, both together are not
awk -F'\t' -v OFS='\t' 'BEGIN { split("Db,C# major,Db:maj", name, ",") }
    NR > 1 && $6 ~ /^(C|G:maj)$/ { $6 = name[1 + n++ % 3] } { print }' labels.tsv >names.tsv
ok "keys by several names" "$probe" $quick --labels names.tsv -t key --label tonality x.npy
is "$(column always) $(column always_percent)" "C#:major $(awk -F'\t' '$3 == "test" { n++; of += $6 ~ /^[CD]/ }
    END { printf "%.2f", 100 * of / n }' names.tsv)" "the one that is most frequent is told by what it is"

# -- tags that are absent where they are measured
awk -F'\t' -v OFS='\t' 'NR > 1 && $3 == "train" && NR < 30 { $7 = $7 ($7 ? "," : "") "rare" } { print }' \
    labels.tsv >rare.tsv
ok "a tag that the test lacks" "$probe" $quick --labels rare.tsv -t tags --label tags --per-class x.npy
is "$(column outputs) $(column measured)" "4 3" "is learned but not measured"
is "$(grep -P '\trare\t' out | cut -f 4-)" "0	0	-	-" "and has no value"

# -- labels that are off
off() { # TEXT NAME AWK [OPTIONS]: the labels as AWK changes them are refused
    awk -F'\t' -v OFS='\t' "$3" labels.tsv >off.tsv
    text=$1 name=$2
    shift 3
    # shellcheck disable=SC2086
    fails 3 "$text" "$name" "$probe" $quick --labels off.tsv "$@" x.npy
}
off "line 3 has the split 'dev'" "an unknown split" 'NR == 3 { $3 = "dev" } { print }'
off "no example of the split 'valid'" "an empty split" '$3 == "valid" { $3 = "test" } { print }'
off "line 4 has no label" "no label" 'NR == 4 { $4 = "" } { print }'
off "line 4 has no key" "no key" 'NR == 4 { $2 = "" } { print }'
off "'Q' is no key" "no such key" 'NR == 4 { $6 = "Q" } { print }' -t key --label tonality
off "'a' may be a major or a minor key" "a key that may be two" 'NR == 4 { $6 = "a" } { print }' -t key --label tonality
off "line 4: '1.5x' is no number" "no number" 'NR == 4 { $8 = "1.5x" } { print }' -t value --label a
off "line 4: 'nan' is no number" "not a number" 'NR == 4 { $8 = "nan" } { print }' -t value --label a
off "line 4 has an empty name between commas" "an empty tag" \
    'NR == 4 { $7 = "rock,,sung" } { print }' -t tags --label tags
off "line 5 has 8 fields" "a field too few" 'NR == 5 { NF = 8 } { print }'
off "no column 'split'" "no splits" 'NR == 1 { $3 = "fold" } { print }'
off "no column 'genre'" "no such labels" 1 --label genre
off "two lines of the key 'track 1/mix'" "a key twice" 'NR == 9 { $2 = "track 1/mix" } { print }'
off "all training examples have the same label" "one class only" 'NR > 1 { $4 = "c1" } { print }'
off "all training examples have the same label" "tags of all alike" \
    'NR > 1 { $7 = "rock" } { print }' -t tags --label tags
off "all training examples have the same label" "no tags" 'NR > 1 { $7 = "" } { print }' -t tags --label tags
off "no tag has positive and negative examples in the split 'valid'" "tags that cannot choose" \
    '$3 == "valid" { $7 = "" } { print }' -t tags --label tags
: >off.tsv
fails 3 "is empty" "no labels at all" "$probe" --labels off.tsv x.npy
fails 4 "nowhere" "a file that is not there" "$probe" --labels nowhere x.npy
awk -F'\t' -v OFS='\t' 'NR == 9 { $10 = 5 } { print }' rows.tsv >off.tsv
fails 3 "two lines of the row 5" "a row twice" "$probe" --labels off.tsv x.npy
awk -F'\t' -v OFS='\t' 'NR == 9 { $10 = 300 } { print }' rows.tsv >off.tsv
fails 3 "'x.npy' has 300 rows, the labels speak of row 300" "a row too far" "$probe" --labels off.tsv x.npy
awk -F'\t' -v OFS='\t' 'NR == 9 { $10 = -1 } { print }' rows.tsv >off.tsv
fails 3 "line 9" "a row before the first" "$probe" --labels off.tsv x.npy

# -- embeddings that are off
# shellcheck disable=SC2086
refuses() { fails 3 "$1" "$2" "$probe" $quick $labels "$3"; }
refuses "'less.h5' lacks 3 of 300 keys that have labels, 'track 298/mix' for one" "keys without a vector" less.h5
refuses "'twice.h5' holds two vectors of the key 'track 0/mix'" "two vectors of a key" twice.h5
for f in nan.h5 nan.npy inf.npy; do
    refuses "'$f': 'track 7/mix' holds a value that is not finite" "$f" $f
done
refuses "'short.npy' has 299 rows, there are 300 labels" "a row too few" short.npy
refuses "'any.h5:/short' has 299 rows" "in a dataset" any.h5:/short
refuses "'cube.npy' is no matrix" "three dimensions" cube.npy
refuses "'any.h5:/cube' is no matrix" "in a dataset" any.h5:/cube
refuses "nothing" "a dataset that is not there" any.h5:/nothing
refuses "'any.h5' is no file of embeddings" "a file of another kind" any.h5
"$BUILD/tests/make_stream" frame >frame.sjt
refuses "more than one vector in a record" "frames" frame.sjt
# shellcheck disable=SC2086
fails 1 "3 labels without an embedding were left out" "keys without a vector under --keep-going" \
    "$probe" $quick $labels --keep-going -o left.tsv less.h5
cp left.tsv out
is "$(column missing) $(column train) $(column valid) $(column test)" "3 178 60 59" "are left out and counted"
is "$(column accuracy_percent)" 100.00 "and the rest probed"

# -- the command line
# shellcheck disable=SC2086
fails 2 "the column 'a' is named twice" "a column named twice" run -t value --label a,b,a x.h5
usage() { name=$1 && shift && fails 2 "" "$name" "$probe" "$@"; }
usage "no labels" x.npy
usage "no embeddings" $labels
usage "confusion of tags" $labels -t tags --confusion x.npy
usage "several columns of classes" $labels --label a,b x.npy
usage "two inputs from a pipe" --labels - -
usage "no such task" $labels -t taste x.npy
usage "no such protocol" $labels --protocol fast x.npy
usage "rates that are none" $labels --rates 1e-3,fast x.npy
usage "too many rates" $labels --rates 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 x.npy
usage "no epochs" $labels --epochs 0 x.npy
finish
