#!/bin/sh
# sj-knn --cluster, --assign: blobs, Lloyd in NumPy, the same bytes however it is run, interrupted and resumed.
. tests/tap.sh
knn=$bin/sj-knn
view=$bin/sj-view
python=/usr/bin/python3
cd "$dir" || exit 1

cat >set.py <<'E'
import json
import h5py
import numpy as np

CLASSES = ["bass", "drums", "other", "vocals"]

def write(path, x, keys, classes, dims=("vector",), shape=None, position=None, model="m"):
    n = len(keys)
    head = {"kind": "embed/1", "dims": list(dims), "dtype": "f32", "classes": CLASSES, "params": {"model_id": model},
            "provenance": []}
    with h5py.File(path, "w") as f:
        f.attrs["head"] = json.dumps(head)
        f["embedding"] = np.asarray(x, np.float32)
        f.create_dataset("key", data=keys, dtype=h5py.string_dtype())
        f["class"] = np.asarray(classes, np.int32)
        f["role"] = np.ones(n, np.uint8)
        f["position"] = np.zeros(n, np.int64) if position is None else np.asarray(position, np.int64)
        f["part"] = np.zeros(n, np.int64)
        f["last"] = np.ones(n, np.uint8)
        if shape is not None:
            f["dims"] = np.asarray(shape, np.int64)
        f["class_name"], f["role_name"] = CLASSES, ["mix", "stem", "rest", "prediction"]

def blobs():
    """7 balls of 5 to 65 vectors, far from each other and from 0, mixed up"""
    rng = np.random.default_rng(3)
    which = rng.permutation(np.repeat(np.arange(7), np.arange(5, 70, 10)))
    x = 1000 + 20 * rng.standard_normal((7, 19))[which] + 0.1 * rng.standard_normal((len(which), 19))
    return x.astype(np.float32), which

def loose():
    """vectors that do not fall into clusters"""
    return np.random.default_rng(4).standard_normal((3000, 33)).astype(np.float32)

def table(path):
    lines = [line.rstrip("\n").split("\t") for line in open(path)]
    return lines[0], lines[1:]
E
cat >make.py <<'E'
from set import *
x, _ = blobs()
write("blobs.h5", x, [f"s{i}/bass" for i in range(len(x))], np.arange(len(x)) % 5 - 1)
x = loose()
keys, classes = [f"s{i}/bass" for i in range(3000)], np.zeros(3000)
write("loose.h5", x, keys, classes)
write("a.h5", x[:1000], keys[:1000], classes[:1000])
write("b.h5", x[1000:1007], keys[1000:1007], classes[1000:1007])
write("c.h5", x[1007:], keys[1007:], classes[1007:])
write("same.h5", np.repeat(x[:3], 20, 0), keys[:60], classes[:60])
write("few.h5", x[:3], keys[:3], classes[:3])
write("model.h5", x[:20], keys[:20], classes[:20], model="another")
write("wide.h5", np.ones((20, 34)), keys[:20], classes[:20])
x[1234, 5] = np.inf
write("inf.h5", x, keys, classes)
# two chunks of frames and two of tokens of the same track, and another track
f = np.arange(17 * 6).reshape(17, 6) % 11
write("frame.h5", f, ["t/bass", "t/bass", "u/drums"], [0, 0, 1], ["time", "vector"], [[8, 6], [4, 6], [5, 6]],
      [0, 800, 0])
write("token.h5", f[:16], ["t/bass", "u/drums"], [0, 1], ["frequency", "time", "dim"], [[2, 5, 6], [2, 3, 6]],
      [1600, 0])
E
ok "sets are made" "$python" make.py
[ "$failed" -eq 0 ] || finish

# -- blobs
cat >blobs.py <<'E'
from set import *
x, which = blobs()
names, lines = table("blobs.tsv")
assert names == ["key", "class", "start_s", "end_s", "cluster", "distance"]
got = np.array([int(l[4]) for l in lines])
assert len(set(zip(which, got))) == 7 == len(set(got)), (which, got)
with h5py.File("k.h5") as f:
    c, size, inertia, moves = (f[n][:] for n in ("centroid", "size", "inertia", "moves"))
    best = f.attrs["best"]
    assert f.attrs["complete"] == 1 and f.attrs["clusters"] == 7 and f.attrs["vectors"] == len(x)
d = np.linalg.norm(x.astype(float) - c[got].astype(float), axis=1)
for i, l in enumerate(lines):
    cls = CLASSES[i % 5 - 1] if i % 5 else "-"
    assert l[:4] == [f"s{i}/bass", cls, "-", "-"] and abs(float(l[5]) - d[i]) < 1e-6 * (1 + d[i]), (l, d[i])
assert (size == np.bincount(got, minlength=7)).all() and len(inertia) == len(moves) == 10
assert abs(inertia[best] - (d ** 2).sum()) < 1e-9 * inertia[best] and inertia[best] == inertia.min()
assert np.abs(c - [x[got == i].astype(float).mean(0) for i in range(7)]).max() < 1e-4
E
ok "seven blobs" "$knn" --cluster 7 --centroids k.h5 -o blobs.tsv blobs.h5
is "$(wc -l <err)" 1 "a line about it"
ok "are found exactly" "$python" blobs.py
ok "one cluster" "$knn" -q --cluster 1 --centroids one.h5 blobs.h5
ok "is the mean" "$python" -c '
from set import *
c = h5py.File("one.h5")["centroid"][:]
assert np.abs(c - blobs()[0].astype(float).mean(0)).max() < 1e-4'
ok "as many clusters as vectors" "$knn" -q --cluster 3 few.h5
is "$(sed 1d out | cut -f5 | sort -u | wc -l) $(sed 1d out | cut -f6 | sort -u)" "3 0" "hold one each"
ok "more clusters than different vectors" "$knn" -q --cluster 5 --centroids same.c.h5 same.h5
is "$(sed 1d out | cut -f6 | sort -u)" 0 "are at each of them"
is "$("$python" -c 'import h5py; print(*sorted(h5py.File("same.c.h5")["size"]))')" "0 0 20 20 20" "and some are empty"

# -- Lloyd, by NumPy from where one iteration has come to
cat >lloyd.py <<'E'
from set import *
x = loose().astype(float)
c, last, steps = h5py.File("first.h5")["centroid"][:], None, 1
while True:
    d = ((x[:, None] - c[None]) ** 2).sum(-1)
    own, inertia = d.argmin(1), d.min(1).sum()
    if last is not None and inertia >= last:
        break
    last, steps = inertia, steps + 1
    c = np.stack([x[own == i].mean(0) for i in range(12)])
with h5py.File("lloyd.h5") as f:
    assert np.abs(f["centroid"][:] - c).max() < 1e-5, np.abs(f["centroid"][:] - c).max()
    moves = f["moves"][0]
    assert abs(f["inertia"][0] - inertia) < 1e-6 * inertia and moves in (steps, steps - 1), (moves, steps)
assert (np.array([int(l[4]) for l in table("lloyd.tsv")[1]]) == own).all()
E
lloyd() { "$knn" -q --cluster 12 --restarts 1 --tolerance 0 --seed 5 "$@" loose.h5; }
ok "one iteration" lloyd --iterations 1 --centroids first.h5
ok "all of them" lloyd --centroids lloyd.h5 -o lloyd.tsv
ok "are NumPy's" "$python" lloyd.py
for i in 1 2 3 4 5 6 8 11 15 20; do lloyd --iterations $i --centroids $i.i.h5 >out; done
ok "the inertia falls with each" "$python" -c '
from set import *
i = [h5py.File(f"{i}.i.h5")["inertia"][0] for i in (1, 2, 3, 4, 5, 6, 8, 11, 15, 20)]
assert (np.diff(i) < 0).all(), i'
cat >best.py <<'E'
from set import *
from sklearn.cluster import KMeans
ours = h5py.File("loose.c.h5")["inertia"][:]
theirs = [KMeans(12, n_init=1, random_state=i, tol=0).fit(loose()).inertia_ for i in range(10)]
assert ours.min() < min(theirs) * 1.003 and ours.mean() < np.mean(theirs) * 1.003, (ours, theirs)
E

# -- the same bytes
all() { "$knn" -q --cluster 12 --seed 7 "$@"; }
ok "ten restarts" all --centroids loose.c.h5 -o loose.tsv loose.h5
if "$python" -c 'import sklearn' 2>/dev/null; then
    ok "are as good as sklearn's" "$python" best.py
else
    skip "are as good as sklearn's" "no sklearn"
fi
same() {
    ok "the same: $*" all --centroids x.h5 -o x.tsv "$@"
    ok "centroids" cmp x.h5 loose.c.h5
    ok "clusters" cmp x.tsv loose.tsv
    rm -f x.h5 x.tsv
}
same -j1 loose.h5
same -j3 loose.h5
same --memory 1 -j1 a.h5 b.h5 c.h5
same --backend cpu:reference loose.h5
same --backend cpu:portable a.h5 b.h5 c.h5
"$view" -o loose.sjt loose.h5
same loose.sjt
same a.h5 b.h5 c.h5
ok "from a pipe" sh -c "'$knn' -q --cluster 12 --seed 7 - <loose.sjt | cmp - loose.tsv"
"$view" -o big.sjt loose.h5 loose.h5 loose.h5
"$knn" -q --cluster 5 --restarts 2 -o big.tsv big.sjt
ok "more than memory" "$knn" -q --cluster 5 --restarts 2 --memory 1 -o x.tsv a.h5 b.h5 c.h5 loose.h5 loose.h5
ok "is the same" cmp x.tsv big.tsv
ok "a stream of more" "$knn" -q --cluster 5 --restarts 2 --memory 1 -o x.tsv big.sjt
ok "too" cmp x.tsv big.tsv
ok "from a pipe" sh -c "cat big.sjt | '$knn' -q --cluster 5 --restarts 2 --memory 1 - | cmp - big.tsv"
ok "another seed" all --seed 8 -o x.tsv loose.h5
ok "is another clustering" sh -c '! cmp -s x.tsv loose.tsv'
ok "JSON" all --json -o loose.json loose.h5
ok "says the same" "$python" -c '
from set import *
names, lines = table("loose.tsv")
for l, j in zip(lines, open("loose.json"), strict=True):
    j = json.loads(j)
    assert [j["key"], j["class"], str(j["cluster"])] == [l[0], l[1], l[4]] and abs(j["distance"] - float(l[5])) < 1e-7
    assert j.keys() == {"key", "class", "cluster", "distance"}'

# -- interrupted and resumed
slow() { all --save-every 0 --centroids r.h5 -o r.tsv "$@" loose.h5; }
# Ends by the signal so long after a state is there.
interrupt() { # SIGNAL SECONDS ARGUMENTS
    signal=$1 seconds=$2
    shift 2
    "$knn" -q --cluster 12 --seed 7 --save-every 0 --centroids r.h5 -o r.tsv "$@" loose.h5 2>said &
    while [ ! -e r.h5 ] && kill -0 $! 2>/dev/null; do sleep 0.01; done
    sleep "$seconds"
    kill "-$signal" $!
    wait $! 2>/dev/null
}
interrupt KILL 0
is $? 137 "killed"
fails 2 "is not finished: --resume continues it" "an unfinished file is not overwritten" slow
fails 3 "is not finished" "nor used" "$knn" --assign r.h5 loose.h5
for s in 0.05 0.1 0.15; do
    interrupt KILL $s --resume
    is $? 137 "and killed"
done
ok "no table appears" test ! -e r.tsv
interrupt TERM 0.1 --resume
is $? 143 "terminated"
ok "resumed" slow --resume -j1 --memory 1
ok "centroids as without" cmp r.h5 loose.c.h5
ok "clusters as without" cmp r.tsv loose.tsv
rm -f r.tsv
ok "resumed when all is done" slow --resume
ok "the same" cmp r.h5 loose.c.h5
ok "and the same" cmp r.tsv loose.tsv
ok "resumed when nothing is there" sh -c "'$knn' --cluster 2 --resume --centroids new.h5 few.h5 2>&1 >/dev/null |
    grep -c \"no 'new.h5': starts from the beginning\""
fails 2 "--seed is 7 there, not 0" "another seed" "$knn" --cluster 12 --resume --centroids r.h5 loose.h5
fails 2 "--cluster is 12 there, not 11" "other clusters" "$knn" --cluster 11 --seed 7 --resume --centroids r.h5 loose.h5
fails 2 "--tolerance is 1e-05 there, not 0.5" "another tolerance" \
    "$knn" --cluster 12 --seed 7 --tolerance 0.5 --resume --centroids r.h5 loose.h5
fails 2 "vectors is 3000 there, not 1000" "fewer vectors" "$knn" --cluster 12 --seed 7 --resume --centroids r.h5 a.h5
fails 2 "checksum" "other vectors" "$knn" --cluster 12 --seed 7 --resume --centroids r.h5 a.h5 c.h5 b.h5

# -- assignment to centroids that are there
ok "assigned" sh -c "'$knn' --assign loose.c.h5 loose.h5 | cmp - loose.tsv"
ok "some of them" sh -c "'$knn' --assign loose.c.h5 --memory 1 -j1 b.h5 >x.tsv
    sed -n '1p;1002,1008p' loose.tsv | cmp - x.tsv"
ok "fewer than there are centroids" sh -c "'$knn' --assign loose.c.h5 few.h5 >x.tsv
    sed -n 1,4p loose.tsv | cmp - x.tsv"
fails 3 "'loose.c.h5' comes from the model m; 'model.h5' from another" "of another model" \
    "$knn" --assign loose.c.h5 model.h5
fails 3 "'loose.c.h5' has vectors of 33 values; 'wide.h5' of 34" "longer ones" "$knn" --assign loose.c.h5 wide.h5
fails 3 "is no file of centroids" "embeddings as centroids" "$knn" --assign loose.h5 loose.h5

# -- chunks of frames and tokens: a vector each, at its time
ok "frames" "$knn" -q --cluster 11 -o frame.tsv frame.h5
ok "tokens" "$knn" -q --cluster 11 -o token.tsv token.h5
cat >times.py <<'E'
from set import *
names, lines = table("frame.tsv")
assert names == ["key", "class", "start_s", "end_s", "cluster", "distance"]
want = [("t/bass", "bass", 0.16 * i) for i in range(8)] + [("t/bass", "bass", 8 + 0.16 * i) for i in range(4)]
want += [("u/drums", "drums", 0.16 * i) for i in range(5)]
for l, (key, cls, start) in zip(lines, want, strict=True):
    assert l[:4] == [key, cls, f"{start:.2f}", f"{start + 0.16:.2f}"], (l, key, start)
names, lines = table("token.tsv")
assert names == ["key", "class", "start_s", "end_s", "cluster", "distance", "frequency"]
want = [("t/bass", "bass", 16 + 0.16 * i, f) for f in range(2) for i in range(5)]
want += [("u/drums", "drums", 0.16 * i, f) for f in range(2) for i in range(3)]
for l, (key, cls, start, f) in zip(lines, want, strict=True):
    assert l[:4] + l[6:] == [key, cls, f"{start:.2f}", f"{start + 0.16:.2f}", str(f)], (l, key, start, f)
x = np.arange(17 * 6).reshape(17, 6) % 11
rows = {i: [l[4] for l, r in zip(table("frame.tsv")[1], x) if r[0] == i] for i in range(11)}
assert all(len(set(v)) == 1 for v in rows.values()) and len({v[0] for v in rows.values()}) == 11, rows
E
ok "at their times" "$python" times.py
ok "JSON of tokens" "$knn" -q --cluster 2 --json token.h5
is "$(sed -n 6p out | tr ',' '\n' | grep -c '"frequency":1\|"start_s":16.0\|"end_s":16.16')" 3 "has them too"

# -- refusals
fails 3 "3 vectors are too few for 4 clusters" "too few vectors" "$knn" --cluster 4 few.h5
fails 3 "'inf.h5': 's1234/bass' holds a value that is not finite" "infinity" "$knn" --cluster 4 inf.h5
fails 4 "cannot keep anything in '/nowhere'" "no room for what does not fit in memory" \
    env TMPDIR=/nowhere "$knn" --memory 1 --cluster 4 big.sjt
fails 3 "values, those before have" "vectors of two lengths" "$knn" --cluster 4 loose.h5 wide.h5
fails 3 "'loose.h5' comes from the model m; 'model.h5' from another" "of two models" \
    "$knn" --cluster 4 loose.h5 model.h5
"$BUILD/tests/make_stream" mel >mel.sjt
fails 3 "carries 'mel/1'" "spectrograms" "$knn" --cluster 2 mel.sjt
head -c 30000 loose.sjt >cut.sjt
fails 3 "ends early" "a cut stream" "$knn" --cluster 4 -o x.tsv --centroids x.h5 cut.sjt
head -c 3000 loose.c.h5 >cut.h5
fails 3 "cut.h5" "a cut file of centroids" "$knn" --assign cut.h5 loose.h5
cat >damage.py <<'E'
from set import *
import shutil
def change(name, what):
    shutil.copy("loose.c.h5", name)
    with h5py.File(name, "r+") as f:
        what(f)
def nan(f): f["centroid"][3, 3] = np.nan
def short(f):
    c = f["centroid"][:11]
    del f["centroid"]
    f["centroid"] = c
def huge(f): f.attrs["clusters"] = 1 << 50
def negative(f): f.attrs["width"] = -1
def nobest(f): f.attrs["best"] = 10
def state(f):
    f.attrs["complete"], f.attrs["state_restart"], f.attrs["state_chosen"] = 0, 4, 1000000
    f.attrs["state_iteration"], f.attrs["state_before"] = 0, 0.0
for f in (nan, short, huge, negative, nobest, state):
    change(f"bad-{f.__name__}.h5", f)
E
ok "files are damaged" "$python" damage.py
for f in nan short huge negative nobest; do
    fails 3 "bad-$f.h5" "$f" "$knn" --assign bad-$f.h5 loose.h5
done
fails 3 "bad-state.h5" "a state that cannot be" all --resume --centroids bad-state.h5 loose.h5
fails 3 "bad-nan.h5" "a state with NaN" all --resume --centroids bad-nan.h5 loose.h5
for o in "--cluster 3 --metrics" "--cluster 3 --assign loose.c.h5" "--cluster 3 -k 2" "--cluster 3 --class bass" \
    "--restarts 3" "--assign loose.c.h5 --seed 1" "--cluster 3 --resume" "--cluster 3 --save-every 1" \
    "--cluster 3 --query few.h5"; do
    # shellcheck disable=SC2086  # options
    fails 2 "--" "$o" "$knn" $o few.h5
done
fails 2 "few.h5" "centroids over the input" "$knn" --cluster 2 --centroids few.h5 few.h5
fails 2 "x.h5" "table and centroids in one file" "$knn" --cluster 2 --centroids x.h5 -o x.h5 few.h5
fails 4 "nowhere" "a folder that is not there" "$knn" --cluster 2 --centroids nowhere/x.h5 few.h5
fails 4 "No space left" "a full device" sh -c "'$knn' -q --cluster 2 few.h5 >/dev/full"
finish
