#!/bin/sh
# sj-linear: ridge regression and its leave-one-out choice against numpy, a planted relation, partial maps, refusals.
. tests/tap.sh
linear=$bin/sj-linear
view=$bin/sj-view
python=/usr/bin/python3
cd "$dir" || exit 1

# -- made-up vectors, as files of embeddings
cat >make.py <<'E'
import json, h5py
import numpy as np
ROLES = ["mix", "stem", "rest", "prediction"]

def write(path, x, keys, classes, role, names=("bass", "drums", "vocals"), model="m", dims=("vector",)):
    """role: one for all, or one of each."""
    roles = [role] * len(x) if isinstance(role, str) else role
    head = {"kind": "embed/1", "dims": list(dims), "dtype": "f32", "classes": list(names), "params": {"model_id": model},
            "provenance": []}
    with h5py.File(path, "w") as f:
        text = h5py.string_dtype()
        f.attrs["head"] = json.dumps(head)
        f["embedding"] = np.asarray(x, "f4")
        f.create_dataset("key", data=keys, dtype=text)
        f["class"] = np.asarray(classes, "i4")
        f["role"] = np.asarray([ROLES.index(r) for r in roles], "u1")
        f["position"] = np.zeros(len(x), "i8")
        f["part"] = np.zeros(len(x), "i8")
        f["last"] = np.ones(len(x), "u1")
        f.create_dataset("class_name", data=list(names), dtype=text)
        f.create_dataset("role_name", data=ROLES, dtype=text)
E
cat >data.py <<'E'
import numpy as np
from make import write
rng = np.random.default_rng(1)
P, Q, N = 12, 7, 40

def labels(n, classes=(0, 1)):
    names = ["bass", "drums", "vocals"]
    return [f"song{i}/{names[c]}" for i in range(n) for c in classes], [c for i in range(n) for c in classes]

def mix(n):
    x = rng.normal(size=(n, P)) * rng.uniform(0.1, 30, P) + rng.normal(size=P) * 5
    x[:, 3] = 0.1  # does not vary
    x[:, 5] = 2 * x[:, 4] - 1  # depends on another
    return x

# a noisy relation, another for each class; the stems in another order and some without a mix
keys, classes = labels(N)
x = mix(2 * N)
W = rng.normal(size=(2, P, Q)) / 20
y = np.array([a @ W[c] + 3 for a, c in zip(x, classes)]) + rng.normal(size=(2 * N, Q)) * 3
write("mixes.h5", x, keys, classes, "rest")
order = rng.permutation(2 * N)
write("stems.h5", np.concatenate([y[order], y[:1]]), [keys[i] for i in order] + ["other/bass"],
      [classes[i] for i in order] + [0], "stem", model="s")
# both in one file
write("both.h5", np.concatenate([x[:, :Q], y]), keys * 2, classes * 2, ["rest"] * len(x) + ["stem"] * len(x), model="s")
# few pairs of many values
write("few.mixes.h5", x[:10], keys[:10], classes[:10], "rest")
write("few.stems.h5", y[:10], keys[:10], classes[:10], "stem", model="s")
# a planted relation, and mixes that were not learnt from
W = rng.normal(size=(2, P, Q))
for name, n in ("plant", 60), ("new", 50):
    keys, classes = labels(n)
    x = rng.normal(size=(2 * n, P))
    y = np.array([a @ W[c] + c for a, c in zip(x, classes)])
    write(f"{name}.mixes.h5", x, keys, classes, "rest")
    write(f"{name}.stems.h5", y, keys, classes, "stem")
# what is refused
k, c = labels(4)
z = rng.normal(size=(8, P))
write("mix.h5", z, k, c, "mix")
write("narrow.h5", z[:, :5], k, c, "rest")
write("names.h5", z, k, c, "rest", names=("bass", "drums", "guitar"))
write("model.h5", z, k, c, "rest", model="n")
write("nan.h5", np.where(np.arange(P) == 2, np.nan, z), k, c, "rest")
write("huge.h5", np.full((8, P), 3e38) * np.sign(z), k, c, "rest")
write("none.h5", z, k, [-1] * 8, "rest")
write("twice.h5", z, k[:4] * 2, c[:4] * 2, "rest")
write("strange.h5", z, ["no/song"] * 1 + k[1:], c, "rest")
write("vocals.h5", z, *labels(4, (0, 2)), "rest")
write("only.h5", z[:4], *labels(4, (2,)), "rest")
write("single.h5", z[:2], *labels(1), "rest")
write("frames.h5", z, k, c, "rest", dims=("time", "vector"))
E
ok "made-up vectors" "$python" data.py

# -- the solution
cat >ridge.py <<'E'
import sys, h5py
import numpy as np

def read(path):
    with h5py.File(path) as f:
        return f["embedding"][:].astype(float), list(zip(f["key"].asstr()[:], f["class"][:])), f["role"][:]

def solve(z, y, ridge, n):  # the intercept is not penalised
    a = np.concatenate([np.ones((len(z), 1)), z], 1)
    penalty = ridge * n * np.eye(a.shape[1])
    penalty[0, 0] = 0
    return np.linalg.solve(a.T @ a + penalty, a.T @ y)

def predict(z, b):
    return b[0] + z @ b[1:]

mixes, stems, given = sys.argv[2], sys.argv[3], float(sys.argv[4]) if len(sys.argv) > 4 else None
x, x_label, _ = read(mixes)
y, y_label, _ = read(stems)
where = {label: i for i, label in enumerate(y_label)}
with h5py.File(sys.argv[1]) as f:
    assert f.attrs["kind"] == "sj-linear/1" and list(f["class_name"].asstr()) == ["bass", "drums", "vocals"]
    m = {k: f[k][:] for k in ("pairs", "ridge", "error", "variance", "mean", "scale", "offset", "weight")}
assert m["pairs"][2] == 0
for c in 0, 1:
    own = [i for i, l in enumerate(x_label) if l[1] == c]
    X, Y = x[own], y[[where[x_label[i]] for i in own]]
    n = len(own)
    scale = X.std(0)
    scale[scale < 1e-12] = 1
    Z = (X - X.mean(0)) / scale
    def loo(ridge):
        return np.mean([(Y[i] - predict(Z[i], solve(np.delete(Z, i, 0), np.delete(Y, i, 0), ridge, n))) ** 2
                        for i in range(n)])
    if given is None:
        grid = 10.0 ** (np.arange(-12, 7) / 2)
        errors = [loo(r) for r in grid]
        want = grid[int(np.argmin(errors))]
        assert 0 < np.argmin(errors) < len(grid) - 1, "a choice within the grid"
    else:
        want = given
    near = lambda a, b: np.max(np.abs(a - b)) <= 1e-6 * max(1, np.max(np.abs(b)))
    b = solve(Z, Y, want, n)
    assert m["pairs"][c] == n and near(m["ridge"][c], want), (m["ridge"][c], want)
    assert near(m["mean"][c], X.mean(0)) and near(m["scale"][c], scale)
    assert near(m["offset"][c], b[0]) and near(m["weight"][c], b[1:])
    assert near(m["error"][c], loo(want)), (m["error"][c], loo(want))
    assert near(m["variance"][c], Y.var(0).mean())
print("agree")
E
fit() { "$linear" -q --fit -o "$1" --mixes "$2" --stems "$3"; }
ok "a map of each class" "$linear" --fit -o map.h5 --mixes mixes.h5 --stems stems.h5
is "$(sed 's/[0-9.e-]* of the var/X of the var/; s/ridge [0-9.e+-]*/ridge X/' err)" \
    "sj-linear: bass: 40 pairs, ridge X, leave-one-out error X of the variance
sj-linear: drums: 40 pairs, ridge X, leave-one-out error X of the variance
sj-linear: vocals: not learnt, it has less than 2 pairs" "says how good they are"
ok "solution, choice and leave-one-out error are numpy's" "$python" ridge.py map.h5 mixes.h5 stems.h5
ok "with a ridge that is given" "$linear" -q --fit --ridge 0.25 -o own.h5 --mixes mixes.h5 --stems stems.h5
ok "too" "$python" ridge.py own.h5 mixes.h5 stems.h5 0.25
ok "fewer pairs than values" "$linear" -q --fit --ridge 0.01 -o few.h5 --mixes few.mixes.h5 --stems few.stems.h5
ok "too" "$python" ridge.py few.h5 few.mixes.h5 few.stems.h5 0.01
ok "again" fit again.h5 mixes.h5 stems.h5
ok "is the same file" cmp again.h5 map.h5
"$view" -o mixes.sjt mixes.h5 && "$view" -o stems.sjt stems.h5
ok "from streams" fit streamed.h5 mixes.sjt stems.sjt
ok "it is, too" cmp streamed.h5 map.h5
ok "from standard input" sh -c "'$linear' -q --fit -o piped.h5 --mixes - --stems stems.h5 <mixes.sjt && cmp piped.h5 map.h5"
ok "mixes and stems in one file" fit one.h5 both.h5 both.h5

# -- predictions
cat >predictions.py <<'E'
import sys, h5py
import numpy as np
with h5py.File(sys.argv[1]) as f, h5py.File(sys.argv[2]) as mixes, h5py.File(sys.argv[3]) as got:
    x, c = mixes["embedding"][:].astype(float), mixes["class"][:]
    if len(sys.argv) > 4:
        c = np.full(len(c), int(sys.argv[4]))
    want = [f["offset"][k] + (a - f["mean"][k]) / f["scale"][k] @ f["weight"][k] for a, k in zip(x, c)]
    assert np.abs(got["embedding"][:] - want).max() < 1e-5 * np.abs(want).max()
    assert list(got["key"]) == list(mixes["key"]) and list(got["class"]) == list(c) and set(got["role"]) == {3}
E
ok "predictions" "$linear" -m map.h5 -o made.h5 mixes.h5
ok "are the map's, of the classes that are lacking" "$python" predictions.py map.h5 mixes.h5 made.h5
is "$("$view" --json made.h5 | head -n 1 | grep -o '"model_id":"[^"]*"')" '"model_id":"s"' "compared with the stems"
ok "from a pipe into a pipe" sh -c "'$linear' -m map.h5 <mixes.sjt >made.sjt && '$view' --check made.sjt"
records() { "$view" --json --values "$1" | sed 1d | cksum; }
is "$(records made.sjt)" "$(records made.h5)" "the same"
"$python" -c '
from make import *
with h5py.File("mixes.h5") as f:
    write("whole.h5", f["embedding"][:10], [f"a{i}" for i in range(10)], [-1] * 10, "mix")'
ok "a class for all" "$linear" -m map.h5 --class drums -o drums.h5 whole.h5
ok "is that" "$python" predictions.py map.h5 whole.h5 drums.h5 1

# -- values that count alike
cat >standard.py <<'E'
import h5py
import numpy as np
read = lambda p: h5py.File(p)["embedding"][:].astype(float)
stems, m = read("stems.h5"), h5py.File("map.h5")
near = lambda a, b: np.abs(a - b).max() < 1e-5
assert near(m["stem_mean"][:], stems.mean(0)) and near(m["stem_scale"][:], stems.std(0))
assert near(read("references.h5"), (stems - stems.mean(0)) / stems.std(0))
assert near(read("standard.h5"), (read("made.h5") - stems.mean(0)) / stems.std(0))
for k in "key", "class", "role":
    assert list(h5py.File("references.h5")[k]) == list(h5py.File("stems.h5")[k])
E
ok "relative predictions" "$linear" -m map.h5 --standard -o standard.h5 mixes.h5
ok "relative stems" "$linear" -m map.h5 --references -o references.h5 stems.h5
ok "are relative to the stems learnt from" "$python" standard.py
ok "and are compared with each other" "$bin/sj-knn" --query standard.h5 references.h5
fails 3 "standardised by" "but not with others" "$bin/sj-knn" --query standard.h5 stems.h5
fails 3 "comes from the model m" "relative mixes" "$linear" -m map.h5 --references -o x.h5 mixes.h5
fails 2 "--class does nothing with --references" "a class of stems" "$linear" -m map.h5 --references --class bass stems.h5
fails 2 "--references is not for --fit" "stems to learn" "$linear" --fit --references -o x.h5 --mixes mixes.h5 --stems stems.h5

# -- what was planted is found
ok "a map of a planted relation" fit plant.h5 plant.mixes.h5 plant.stems.h5
ok "finds the stems of other mixes" sh -c "'$linear' -m plant.h5 new.mixes.h5 | '$bin/sj-knn' -q --metrics new.stems.h5"
is "$(awk -F '\t' '$1 == "all" { print $2, $3, $4 }' out)" "100 100 100.00" "every one"
"$linear" -m plant.h5 --references -o plant.references.h5 new.stems.h5
ok "relative ones" sh -c "'$linear' -m plant.h5 --standard new.mixes.h5 | '$bin/sj-knn' -q --metrics plant.references.h5"
is "$(awk -F '\t' '$1 == "all" { print $2, $3, $4 }' out)" "100 100 100.00" "too"

# -- audio
ok "of audio" sh -c "
    '$bin/sj-synth' -q -n 3 --seconds 2 --folder songs
    '$bin/sj-chunk' -q --stems --mixes songs | '$bin/sj-mel' --pool statistics -o songs.h5
    '$linear' -q --fit -o songs.map.h5 --mixes songs.h5 --stems songs.h5
    '$bin/sj-chunk' -q --mixes songs | '$bin/sj-mel' --pool statistics | '$linear' -m songs.map.h5 |
        '$bin/sj-knn' -q --role stem --metrics songs.h5"
is "$(awk -F '\t' '$1 == "all" { print $2, $3 }' out)" "12 12" "from end to end"

# -- maps of some classes
fails 3 "'song0/vocals': 'vocals' was not learnt by 'map.h5'" "a class that was not learnt" "$linear" -m map.h5 -o x.h5 vocals.h5
fails 1 "4 of 8 mixes left out" "is left out" "$linear" -k -m map.h5 -o part.h5 vocals.h5
is "$("$view" part.h5 | grep -c '	prediction	bass	')" 4 "and the others are there"
fails 3 "learnt none of the classes" "all left out" "$linear" -k -m map.h5 -o x.h5 only.h5
fails 3 "no class has 2 pairs" "a pair alone" fit x.h5 single.h5 stems.h5

# -- refusals
fails 3 "'mix.h5' has no records of the role 'rest'" "mixes that lack nothing" fit x.h5 mix.h5 stems.h5
fails 3 "'mixes.h5' has no records of the role 'stem'" "stems that are none" fit x.h5 mixes.h5 mixes.h5
fails 3 "'names.h5' has the classes bass, drums, guitar" "other classes" fit x.h5 names.h5 stems.h5
fails 3 "'nan.h5': 'song0/bass' holds a value that is not finite" "NaN" fit x.h5 nan.h5 stems.h5
fails 3 "'none.h5': 'song0/bass' has no class" "no class" fit x.h5 none.h5 stems.h5
fails 3 "'song0/bass' of the class 'bass' is there twice" "a mix twice" fit x.h5 twice.h5 stems.h5
fails 3 "'strange.h5': 'no/song' lacks a 'bass' that is not in 'stems.h5'" "a mix without its stem" fit x.h5 strange.h5 stems.h5
fails 3 "'frames.h5'" "more than vectors" fit x.h5 frames.h5 stems.h5
fails 4 "nowhere" "nothing there" fit x.h5 nowhere stems.h5
fails 4 "nowhere" "a folder that is not there" fit nowhere/x.h5 mixes.h5 stems.h5
fails 3 "'narrow.h5': 'song0/bass' has 5 values where 'map.h5' takes 12" "other widths" "$linear" -m map.h5 -o x.h5 narrow.h5
fails 3 "'names.h5' has the classes bass, drums, guitar" "classes that it does not know" "$linear" -m map.h5 -o x.h5 names.h5
fails 3 "'model.h5' comes from the model n; 'map.h5' from m" "vectors from elsewhere" "$linear" -m map.h5 -o x.h5 model.h5
fails 3 "'nan.h5': 'song0/bass' holds a value that is not finite" "NaN" "$linear" -m map.h5 -o x.h5 nan.h5
fails 3 "does not say which class it lacks" "whole mixes" "$linear" -m map.h5 -o x.h5 mix.h5
fails 3 "'frames.h5'" "more than a vector" "$linear" -m map.h5 -o x.h5 frames.h5
fails 3 "'mixes.h5' is no map" "no map" "$linear" -m mixes.h5 -o x.h5 mixes.h5
fails 3 "make.py" "not even HDF5" "$linear" -m make.py -o x.h5 mixes.h5
fails 4 "nowhere" "no map there" "$linear" -m nowhere -o x.h5 mixes.h5
head -c 700 mixes.sjt >cut.sjt
fails 3 "ends early" "mixes that are cut" fit x.h5 cut.sjt stems.h5
head -c 700 stems.sjt >cut.stems.sjt
fails 3 "ends early" "stems that are cut" fit x.h5 mixes.h5 cut.stems.sjt
fails 3 "ends early" "a cut stream" "$linear" -m map.h5 -o x.sjt cut.sjt
fails 3 "ends early" "into a pipe" sh -c "'$linear' -m map.h5 cut.sjt >cut.out"
fails 3 "ends early" "is a cut stream" "$view" --check cut.out
# damaged NAME TEXT CODE: the map after CODE, f being its file
# shellcheck disable=SC2317
damaged() {
    cp map.h5 bad.h5
    "$python" -c "import h5py, numpy as np
with h5py.File('bad.h5', 'r+') as f:
    $3"
    fails 3 "$2" "$1" "$linear" -m bad.h5 -o x.h5 mixes.h5
}
damaged "a map with NaN" "'bad.h5': '/weight' holds a value that is not finite" "f['weight'][1, 2, 3] = np.nan"
damaged "with a scale of 0" "'/scale' holds a value that is not above 0" "f['scale'][0, 0] = 0"
damaged "or one of the stems" "'/stem_scale' holds a value that is not above 0" "f['stem_scale'][0] = -1"
damaged "of other widths" "'/offset' has another shape" "x = f['offset'][:, 1:]; del f['offset']; f['offset'] = x"
damaged "of other types" "'/mean' has another shape or type" "x = f['mean'][:].astype('i4'); del f['mean']; f['mean'] = x"
damaged "without weights" "weight" "del f['weight']"
damaged "with other names" "'/class_name' has other names" "f['class_name'][0] = 'tuba'"
damaged "with a number of pairs that is none" "was learnt from 1 pairs" "f['pairs'][0] = 1"
damaged "of another kind" "its kind is 'sj-linear/2'" "f.attrs['kind'] = 'sj-linear/2'"
damaged "whose head is none" "bad.h5" "f.attrs['head'] = '{'"
head -c 9000 map.h5 >bad.h5
fails 3 "bad.h5" "a map that is cut" "$linear" -m bad.h5 -o x.h5 mixes.h5
is "$(echo x.*)" "x.*" "of all these nothing appears"

# -- the command line
fails 2 "-m FILE must be given" "neither to learn nor a map" "$linear" mixes.h5
fails 2 "--fit wants --mixes and --stems" "nothing to learn from" "$linear" --fit -o x.h5 --mixes mixes.h5
fails 2 "no operands" "operands to learn from" "$linear" --fit -o x.h5 --mixes mixes.h5 --stems stems.h5 mixes.h5
fails 2 "--fit wants -o FILE" "no file for the map" "$linear" --fit --mixes mixes.h5 --stems stems.h5
fails 2 "standard input" "both from a pipe" "$linear" --fit -o x.h5 --mixes - --stems -
fails 2 "--map is not for --fit" "a map to learn" "$linear" --fit -o x.h5 -m map.h5 --mixes mixes.h5 --stems stems.h5
fails 2 "--class is not for --fit" "a class to learn" "$linear" --fit -o x.h5 --class bass --mixes mixes.h5 --stems stems.h5
fails 2 "--ridge is for --fit" "a ridge to predict with" "$linear" -m map.h5 --ridge 1 mixes.h5
fails 2 "--mixes is for --fit" "mixes as an option" "$linear" -m map.h5 --mixes mixes.h5
fails 2 "--ridge" "a ridge of 0" "$linear" --fit --ridge 0 -o x.h5 --mixes mixes.h5 --stems stems.h5
fails 2 "--class is 'tuba', which 'map.h5' does not know" "a class that is none" "$linear" -m map.h5 --class tuba mixes.h5
fails 2 "mixes.h5" "to write over what is read" "$linear" --fit -o mixes.h5 --mixes mixes.h5 --stems stems.h5
ok "vectors as large as they get" sh -c "'$linear' -q --fit -o huge.map.h5 --mixes huge.h5 --stems stems.h5"
finish
