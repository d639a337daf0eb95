#!/bin/sh
# sj-mel: values, order, padding, statistics, refusals, memory.
. tests/tap.sh
mel=$bin/sj-mel
view=$bin/sj-view
make=$BUILD/tests/make_stream
python=/usr/bin/python3
cd "$dir" || exit 1
"$make" wave 3 >wave.sjt && "$make" wave 3 i16 >pcm.sjt || exit 1
"$make" pair >pair.sjt && "$make" pair 1 f32 nan >nan.sjt || exit 1

# -- values
cat >log_mel.py <<'E'
import math, sys
import numpy as np

def filters():
    to_mel = lambda f: f / (200 / 3) if f < 1000 else 15 + 27 * math.log(f / 1000) / math.log(6.4)
    to_hz = lambda m: m * 200 / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27)
    edge = [to_hz(m) for m in np.linspace(to_mel(50), to_mel(8000), 82)]
    f = np.arange(201) * 40.0
    return np.array([np.maximum(0, np.minimum((f - a) / (b - a), (c - f) / (c - b))) * 2 / (c - a)
                     for a, b, c in zip(edge, edge[1:], edge[2:])])

def log_mel(wave, mean, std):
    frames = np.lib.stride_tricks.sliding_window_view(wave.astype(float), 400)[::160]
    power = np.abs(np.fft.rfft(frames * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)))) ** 2
    return ((np.log(power @ filters().T + 2.0 ** -23) - mean) / std).T

wave, mel = np.load(sys.argv[1]), np.load(sys.argv[2])
mean, std = map(float, sys.argv[3:5])
wave, mel = wave.reshape(-1, wave.shape[-1]), mel.reshape(-1, *mel.shape[-2:])
assert len(wave) == len(mel) and mel.shape[1] == 80
for x, y in zip(wave, mel):
    want = log_mel(x, mean, std)
    T = want.shape[1]
    assert y.shape[1] == -(-T // 16) * 16, (T, y.shape)
    assert np.abs(y[:, :T] - want).max() <= 1e-4 and not y[:, T:].any(), np.abs(y[:, :T] - want).max()
    print(T, y.shape[1])
E
# compare WAVES MELS MEAN STD SELECTION...: the records selected of both
# shellcheck disable=SC2317
compare() {
    waves=$1 mels=$2 mean=$3 std=$4
    shift 4
    rm -f w.npy m.npy
    "$view" -o w.npy "$@" "$waves" && "$view" -o m.npy "$@" "$mels" && "$python" log_mel.py w.npy m.npy "$mean" "$std"
}
ok "spectrograms" "$mel" -o mel.sjt wave.sjt
ok "of whole chunks are right" compare wave.sjt mel.sjt -9.453 3.569 --take 1
is "$(cat out)" "800 800" "with a frame each 10 ms"
ok "of last chunks are right" compare wave.sjt mel.sjt -9.453 3.569 --skip 1 --take 1
is "$(cat out)" "9 16" "and padded with zeros"
ok "of pairs" "$mel" -o pm.sjt pair.sjt
ok "are right" compare pair.sjt pm.sjt -9.453 3.569
ok "of i16" "$mel" -o pcm.mel pcm.sjt
records() { "$view" --json --values "$1" | sed 1d; }
is "$(records pcm.mel | cksum)" "$(records mel.sjt | cksum)" "are those of f32 (the test's values fit 16 bits)"
ok "another normalisation" "$mel" --mean 1.5 --std 0.5 -o other.sjt wave.sjt
ok "is used" compare wave.sjt other.sjt 1.5 0.5 --take 1
ok "and said" sh -c "'$view' --json --take 1 other.sjt | grep '\"mel_mean\":1.5,.*\"mel_std\":0.5'"

# -- order, threads, pipes
for j in 1 2 5; do
    ok "-j$j" "$mel" -j$j -o j.sjt wave.sjt
    ok "gives the same bytes" cmp j.sjt mel.sjt
done
labels() { "$view" --json "$1" | sed 1d | grep -o '"\(class\|key\|last\|part\|position\|role\)":[^,}]*'; }
is "$(labels wave.sjt | wc -l)" 72 "six labels of twelve records"
is "$(labels mel.sjt)" "$(labels wave.sjt)" "stay as they are"
ok "from a pipe into a pipe" sh -c "cat wave.sjt | '$mel' | cat >piped.sjt && cmp piped.sjt mel.sjt"
ok "two inputs" "$mel" -o two.sjt wave.sjt wave.sjt
is "$("$view" --check two.sjt | cut -f3)" "24 records" "are one"

# -- statistics
cat >stats.py <<'E'
import json
import numpy as np
names, values = (line.rstrip("\n").split("\t") for line in open("stats.txt"))
got = dict(zip(names, map(float, values)))
assert got == {k: round(v, 6) for k, v in json.load(open("stats.json")).items()}
chunks = [np.load(f"{i}.npy").astype(float)[0] for i in range(4)]
every = np.concatenate([c[:, :800 if c.shape[1] == 800 else 9].ravel() for c in chunks]) * 3.569 - 9.453
assert abs(every.mean() - got["mean"]) < 1e-4 and abs(every.std() - got["std"]) < 1e-4, (every.mean(), every.std(), got)
assert got["frames"] == 2 * 809
E
"$make" wave 1 >one.sjt
for i in 0 1 2 3; do "$mel" one.sjt | "$view" -o $i.npy --skip $i --take 1; done
ok "statistics" sh -c "'$mel' --stats one.sjt >stats.txt && '$mel' --stats --json one.sjt >stats.json"
is "$(head -n 1 stats.txt)" "mean	std	frames" "have names"
ok "are of all frames but padding, before normalisation" "$python" stats.py
ok "the same for any -j" sh -c "'$mel' --stats -j1 wave.sjt >a && '$mel' --stats -j3 -o b wave.sjt && cmp a b"

# -- statistics of tracks
cat >pool.py <<'E'
import h5py
import numpy as np
with h5py.File("pool.h5") as f:
    x, keys, classes = f["embedding"][:].astype(float), list(f["key"].asstr()), list(f["class"])
assert x.shape == (2, 160) and keys == ["song0/bass", "song0/drums"] and classes == [0, 1], (x.shape, keys, classes)
chunks = [np.load(f"{i}.npy").astype(float)[0] for i in range(4)]
for i, got in enumerate(x):
    every = np.concatenate([chunks[2 * i][:, :800], chunks[2 * i + 1][:, :9]], 1)
    want = np.concatenate([every.mean(1), every.std(1)])
    assert np.abs(got - want).max() < 1e-6, np.abs(got - want).max()
E
ok "a vector of each track" "$mel" --pool statistics -o pool.h5 one.sjt
ok "is mean and deviation of each band over all its frames" "$python" pool.py
ok "the same for any -j" sh -c "'$mel' --pool statistics -j1 wave.sjt >a && '$mel' --pool statistics -j3 -o b wave.sjt && cmp a b"
is "$("$view" --json a | sed 1d | grep -c '"last":true.*"part":0,"position":0,"role":"stem"')" 6 "labelled as the track"
is "$("$view" --json a | head -n 1 | grep -o '"model_id":"[^"]*"')" '"model_id":"statistics, mean -9.453, std 3.569"' \
    "comparable by how it was normalised"
"$mel" --pool statistics --mean 1 one.sjt >other.stat
fails 3 "statistics, mean 1, std 3.569" "others are not compared" "$bin/sj-knn" --query other.stat a
"$view" --take 1 -o begun.sjt one.sjt && "$view" --skip 1 -o middle.sjt one.sjt && "$view" --take 3 -o three.sjt one.sjt
fails 3 "'song0/bass' ends without its last chunk" "a track without its end" "$mel" --pool statistics -o x.sjt begun.sjt
fails 3 "'song0/drums' ends without its last chunk" "the last of several" "$mel" --pool statistics -o x.sjt three.sjt
fails 3 "chunk 1 of 'song0/bass' comes out of order" "a track without its beginning" "$mel" --pool statistics -o x.sjt middle.sjt
fails 3 "chunk 0 of 'song0/bass' comes out of order" "a beginning twice" "$mel" --pool statistics -o x.sjt begun.sjt one.sjt
fails 3 "holds training pairs" "pairs" "$mel" --pool statistics -o x.sjt pair.sjt
fails 3 "ends early" "a stream that is cut" sh -c "head -c 900000 wave.sjt | '$mel' --pool statistics -o x.sjt"
ok "of these nothing appears" test ! -e x.sjt
fails 2 "--pool does nothing" "with --stats" "$mel" --pool statistics --stats one.sjt
fails 2 "--pool" "another pooling" "$mel" --pool track one.sjt

# -- refusals
fails 3 "'nan.sjt': 'song1/bass': the audio holds a value that is not finite" "NaN" "$mel" -o x.sjt nan.sjt
"$python" -c '
import struct
x = struct.pack("<8000f", *([0] * 7999 + [1e25]))
fmt = struct.pack("<HHIIHH", 3, 1, 16000, 64000, 4, 32)
open("loud.wav", "wb").write(b"RIFF" + struct.pack("<I", 36 + len(x)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt +
                             b"data" + struct.pack("<I", len(x)) + x)'
"$bin/sj-chunk" loud.wav -o loud.sjt
fails 3 "'loud.sjt': 'loud': its spectrogram has values that are not finite" "power beyond float32" "$mel" -o x.sjt loud.sjt
fails 3 "'mel.sjt' carries 'mel/1' where 'wave/1' is wanted" "another kind" "$mel" -o x.sjt mel.sjt
head -c 900000 wave.sjt >cut.sjt
ok "a back end that computes whole spectrograms" sh -c "'$mel' --backend cpu:reference wave.sjt -o own.sjt && '$mel' wave.sjt -o host.sjt"
ok "gives the same" "$BUILD/tests/near" host.sjt own.sjt 1e-4
ok "of pairs too" sh -c "'$mel' --backend cpu:reference pair.sjt -o own.sjt && '$mel' pair.sjt -o host.sjt && '$BUILD/tests/near' host.sjt own.sjt 1e-4"
fails 3 "not finite" "NaN there" "$mel" --backend cpu:reference -o x.sjt nan.sjt
fails 2 "cpu:nonsense" "an unknown one" "$mel" --backend cpu:nonsense -o x.sjt wave.sjt
fails 3 "ends early" "a cut file" "$mel" -o x.sjt cut.sjt
ok "nothing appears" test ! -e x.sjt
"$mel" -j1 cut.sjt >cut.mel 2>err
ok "what a pipe got of it" test -s cut.mel
fails 3 "ends early" "is a cut stream" "$view" --check cut.mel
fails 2 "--std is '0', must be" "a deviation of 0" "$mel" --std 0 wave.sjt
fails 2 "--mean" "a mean beyond what is sensible" "$mel" --mean 1e300 wave.sjt
fails 2 "do nothing with --stats" "statistics after a mean" "$mel" --stats --mean 1 wave.sjt
fails 2 "do nothing with --stats" "statistics after a deviation" "$mel" --stats --std 3.569 wave.sjt
fails 2 "--json is for --stats" "JSON without statistics" "$mel" --json wave.sjt
fails 4 "No space left" "a full device" sh -c "'$mel' wave.sjt >/dev/full"
"$make" wave 0 >none.sjt
ok "no records" sh -c "'$mel' none.sjt | '$view' --check - | grep '0 records'"
fails 3 "no records" "have no statistics" "$mel" --stats none.sjt

# -- memory does not grow with the stream
cat >peak.py <<'E'
import os, subprocess, sys
def peak(n):
    few_kept = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1")
    p = subprocess.Popen([sys.argv[1], "-j2", "-o", "/dev/null", "-"], stdin=subprocess.PIPE, env=few_kept)
    data = open("wave.sjt", "rb").read()
    for _ in range(n):
        p.stdin.write(data)
    p.stdin.close()
    _, status, usage = os.wait4(p.pid, 0)
    assert status == 0
    return usage.ru_maxrss
few, many = peak(2), peak(40)
print(few, many)
assert many < few * 1.1, (few, many)
E
ok "memory does not grow" "$python" peak.py "$mel"
finish
