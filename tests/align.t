#!/bin/sh
# sj-align: curves against NumPy, pairs in any order and of any length, shifts that are known, recordings, refusals.
. tests/tap.sh
align=$bin/sj-align
view=$bin/sj-view
python=/usr/bin/python3
cd "$dir" || exit 1
"$BUILD/tests/make_model" model.h5 && "$bin/sj-synth" -q --seed 3 -n 3 --seconds 25 --folder songs || exit 1
export SJ_MODEL="$dir/model.h5"
frames() { # what of the folder $2, chunks of $3 frames
    if [ "$1" = stems ]; then
        "$bin/sj-chunk" --chunk-frames "$3" --stems "$2" | "$bin/sj-mel" | "$bin/sj-embed" --network target --pool frame
    else
        "$bin/sj-chunk" --chunk-frames "$3" --mixes "$2" | "$bin/sj-mel" | "$bin/sj-embed" | "$bin/sj-predict" --pool frame
    fi
}
frames stems songs 800 >stems.sjt && frames mixes songs 800 >predictions.sjt || exit 1
"$view" -o stems.h5 stems.sjt && "$view" -o predictions.h5 predictions.sjt || exit 1

# -- the definition (SPEC 8.4), written out
cat >direct.py <<'E1'
# direct.py PREDICTIONS STEMS CURVES MAXLAG REMOVE: the curves are those of the definition
import sys
import h5py
import numpy as np

def load(path):
    with h5py.File(path) as f:
        x, rows, at, out = f["embedding"][:].astype(float), f["dims"][:, 0], 0, {}
        for key, c, n in zip(f["key"].asstr()[:], f["class"][:], rows):
            out.setdefault((key, c), []).append(x[at:at + n])
            at += n
        names = f["class_name"].asstr()[:]
    return {k: np.concatenate(v) for k, v in out.items()}, names

def frames(x, remove):
    x = x.copy()
    for first in range({"none": 0, "mean": 1, "place": 50}[remove]):
        period = 1 if remove == "mean" else 50
        x[first::period] -= x[first::period].mean(0) if len(x[first::period]) else 0
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)

(queries, names), (stems, _) = load(sys.argv[1]), load(sys.argv[2])
lags, remove = int(float(sys.argv[4]) / 0.16 + 1e-9), sys.argv[5]
want, total = [], {}
for (key, c), p in queries.items():
    p, z = frames(p, remove), frames(stems[key, c], remove)
    for j in range(-lags, lags + 1):
        dots = [z[i + j] @ p[i] for i in range(len(p)) if 0 <= i + j < len(z)]
        if dots:
            want.append((key, names[c], j, np.mean(dots), len(dots)))
            s, n = total.get(j, (0, 0))
            total[j] = s + sum(dots), n + len(dots)
want += [("all", "-", j, s / n, n) for j, (s, n) in sorted(total.items())]
lines = [line.rstrip("\n").split("\t") for line in open(sys.argv[3])]
assert lines[0] == ["query", "class", "lag_s", "similarity", "frames"], lines[0]
assert len(lines) == len(want) + 2, (len(lines), len(want))
worst = 0
for got, (key, name, j, s, n) in zip(lines[1:], want):
    assert got[:2] == [key, name] and abs(float(got[2]) - 0.16 * j) < 1e-6 and int(got[4]) == n, (got, key, name, j, n)
    worst = max(worst, abs(float(got[3]) - s))
assert worst < 1e-5, worst
assert lines[-1][:3] == ["random", "-", "-"], lines[-1]

# the random level estimates the mean over all frames of other tracks
rows = lambda sets, song: np.concatenate([frames(x, remove) for (k, _), x in sets.items() if (k.split("/")[0] == song)])
songs = sorted({k.split("/")[0] for k, _ in queries})
dots = [(rows(queries, a) @ rows(stems, b).T).ravel() for a in songs for b in songs if a != b]
dots = np.concatenate(dots)
n = int(lines[-1][4])
assert n == 1000 and abs(float(lines[-1][3]) - dots.mean()) < 5 * dots.std() / n ** 0.5 + 1e-6, (lines[-1], dots.mean())
E1
for remove in none mean place; do
    ok "curves, less $remove" "$align" --curve --max-lag 9 --remove $remove --query predictions.h5 -o $remove.tsv stems.h5
    ok "are the definition's" "$python" direct.py predictions.h5 stems.h5 $remove.tsv 9 $remove
done
ok "curves longer than the tracks" "$align" --curve --max-lag 40 --query predictions.h5 -o long.tsv stems.h5
ok "end where nothing overlaps" "$python" direct.py predictions.h5 stems.h5 long.tsv 40 none
ok "other chunks" sh -c "'$bin/sj-chunk' --stems --chunk-frames 320 songs | '$bin/sj-mel' | '$bin/sj-embed' --pool frame \
    >other.sjt && '$view' -o other.h5 other.sjt"
ok "are joined by their places" sh -c "'$align' --curve --max-lag 9 --query predictions.h5 -o other.tsv other.h5 &&
    '$python' direct.py predictions.h5 other.h5 other.tsv 9 none"
ok "from a pipe" sh -c "'$align' --curve --max-lag 9 stems.h5 <predictions.sjt | cmp - none.tsv"
ok "stems from a pipe" sh -c "'$align' --curve --max-lag 9 --query predictions.h5 - <stems.sjt | cmp - none.tsv"
ok "on three threads" sh -c "'$align' -j3 --curve --max-lag 9 --query predictions.sjt stems.h5 | cmp - none.tsv"

# -- pairs
for s in 2 0 1; do "$view" --key "synth-3-00000$s/*" -o part$s.sjt stems.sjt; done
ok "stems in another order" sh -c "cat part2.sjt part0.sjt part1.sjt | '$align' --curve --max-lag 9 --query predictions.sjt - |
    cmp - none.tsv"
"$view" --key "*/drums" -o drums.sjt predictions.sjt
ok "stems that nobody asks for" "$align" --query drums.sjt --random 0 stems.sjt
is "$(cut -f2,9 out | tr '\t\n' '  ')" "class random_level drums - drums - drums - - - " "are passed over"
is "$("$align" --query predictions.sjt part0.sjt 2>&1)" \
    "sj-align: 'predictions.sjt': 'synth-3-000001/bass' of the class 'bass' has no stem" "a prediction needs its stem"
"$view" --key "nobody" -o none.sjt predictions.sjt
fails 3 "holds no prediction" "no predictions" "$align" --query none.sjt stems.sjt
"$view" --key "*0/*" -o one.sjt predictions.sjt
ok "one track" "$align" --query one.sjt stems.sjt
is "$(tail -n 1 out | cut -f1,2,9)" "all	-	-" "has no random level"
ok "the same seed" sh -c "'$align' --seed 5 --query predictions.sjt stems.sjt >a.tsv && '$align' --seed 5 --query predictions.sjt \
    stems.sjt | cmp - a.tsv"
ok "JSON" "$align" --seed 5 --json --query predictions.sjt -o a.json stems.sjt
ok "says the same" "$python" -c '
import json
lines = [line.rstrip("\n").split("\t") for line in open("a.tsv")]
for want, line in zip(lines[1:], open("a.json"), strict=True):
    got = json.loads(line)
    assert [got.get(k, "-") for k in lines[0][:2]] == want[:2], (got, want)
    assert all(abs(got[k] - float(w)) < 1e-6 for k, w in zip(lines[0][2:], want[2:])), (got, want)'

# -- refusals
fails 3 "does not hold frames: use --pool frame" "stems pooled by track" sh -c \
    "'$bin/sj-chunk' --stems songs | '$bin/sj-mel' | '$bin/sj-embed' --pool track >track.sjt && '$align' --query predictions.sjt track.sjt"
fails 3 "carries 'mel/1' where" "spectrograms" sh -c "'$BUILD/tests/make_stream' mel >mel.sjt; '$align' --query predictions.sjt mel.sjt"
fails 3 "is no prediction: use sj-predict" "stems as queries" "$align" --query stems.sjt stems.sjt
fails 3 "is a prediction where a stem is wanted" "predictions as stems" "$align" --query predictions.sjt predictions.sjt
fails 3 "model" "another model's stems" sh -c "'$BUILD/tests/make_model' other.h5 transformer; '$bin/sj-chunk' --stems songs |
    '$bin/sj-mel' | '$bin/sj-embed' -m other.h5 --pool frame >other.sjt && '$align' --query predictions.sjt other.sjt"
"$BUILD/tests/make_stream" predicted 1 >query.sjt
"$BUILD/tests/make_stream" frame 1 f32 nan >nan.sjt
fails 3 "'nan.sjt': 'song1/bass' holds a value that is not finite" "a stem that is no number" "$align" --query query.sjt nan.sjt
"$BUILD/tests/make_stream" predicted 1 f32 inf >inf.sjt
fails 3 "'inf.sjt': 'song1/bass' holds a value that is not finite" "a prediction that is none" sh -c \
    "'$BUILD/tests/make_stream' frame 2 >two.sjt; '$align' --query inf.sjt two.sjt"
"$view" --skip 1 -o hole.sjt stems.sjt
fails 3 "chunk 1 of 'synth-3-000000/bass' stands where chunk 0" "a missing chunk" "$align" --query predictions.sjt hole.sjt
fails 2 "cannot both be read from standard input" "one pipe for two" "$align" -
fails 2 "--class does nothing without --audio" "options for recordings" "$align" --class bass stems.sjt
fails 2 "--remove does nothing with --audio" "options for embeddings" "$align" --audio --remove mean a.wav b.wav
fails 2 "--audio wants two recordings" "one recording" "$align" --audio mix.wav
fails 2 "knows bass, drums, other, vocals" "a class that is unknown" "$align" --audio --class flute songs/*0/bass.wav songs/*0/drums.wav
fails 3 "lasts 0.1 s, 0.32 s are needed" "a click" sh -c "ffmpeg -v error -f lavfi -i sine=d=0.1:r=16000 click.wav;
    '$align' --audio songs/*0/bass.wav click.wav"
fails 3 "'silent.wav' is silent: there is nothing to align" "silence" sh -c "
    ffmpeg -v error -f lavfi -i anullsrc=r=16000:cl=mono -t 4 silent.wav; '$align' --audio songs/*0/bass.wav silent.wav"
faint() { # NAME AMPLITUDE: noise
    ffmpeg -v error -f lavfi -i "anoisesrc=r=16000:d=4:a=$2:seed=1" -c:a pcm_f32le "$1.wav"
}
faint hiss 0.0005 && faint whisper 0.00002 && faint audible 0.01
fails 3 "'hiss.wav' is all but silent (-6" "the noise of a stem in which nothing plays" "$align" --audio songs/*0/bass.wav hiss.wav
fails 3 "'hiss.wav' is all but silent (-6" "a mix of noise" "$align" --audio hiss.wav songs/synth-3-000000/bass.wav
fails 3 "'whisper.wav' is silent" "fainter noise" "$align" --audio songs/*0/bass.wav whisper.wav
ok "what can be heard is aligned" "$align" --audio songs/synth-3-000000/bass.wav audible.wav
fails 4 "nowhere.wav" "a recording that is not there" "$align" --audio nowhere.wav songs/synth-3-000000/bass.wav

# -- a shift that is known: stems of the same sounds, a patch or more earlier and later; what an encoder of random weights makes
# of them stands for the prediction, so the training is left out (pipelines/align-check.mk has it)
cat >shift.py <<'E1'
# shift.py FROM TO SECONDS: FROM, from there on
import sys
import wave
import numpy as np
with wave.open(sys.argv[1]) as f:
    x, rate = np.frombuffer(f.readframes(f.getnframes()), "<i2"), f.getframerate()
n = round(float(sys.argv[3]) * rate)
with wave.open(sys.argv[2], "wb") as f:
    f.setparams((1, 2, rate, 0, "NONE", ""))
    f.writeframes(x[n:n + 15 * rate].tobytes())
E1
cat >claim.py <<'E1'
# claim.py FROM TO: a file of embeddings whose records say that they are predictions
import shutil
import sys
import h5py
shutil.copy(sys.argv[1], sys.argv[2])
with h5py.File(sys.argv[2], "a") as f:
    f["role"][:] = 3
E1
for s in 0 1 2; do
    mkdir -p here/song$s there/song$s
    for c in bass drums other vocals; do
        "$python" shift.py songs/synth-3-00000$s/$c.wav here/song$s/$c.wav 4
        "$python" shift.py songs/synth-3-00000$s/$c.wav there/song$s/$c.wav 2.4
    done
done
embed() { "$bin/sj-chunk" --stems "$1" | "$bin/sj-mel" --mean -9 --std 1 | "$bin/sj-embed" --network target --pool frame -o "$1.h5"; }
"$bin/sj-chunk" -q --dataset set.h5 songs
"$bin/sj-train" -q -j1 --dim 64 --depth 1 --heads 2 --hidden 16 --layers 2 --steps 1 --batch 2 --mean -9 --std 1 -o wide.h5 set.h5
export SJ_MODEL="$dir/wide.h5"
embed here && embed there && "$python" claim.py here.h5 wanted.h5
ok "stems that are 1.6 s late" "$align" --remove mean --query wanted.h5 --max-lag 5 there.h5
is "$(sed 1d out | cut -f3 | sort -u)" 1.600000 "are found to be"
finish
