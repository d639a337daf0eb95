#!/bin/sh
# sj-view: text, selection, merging, checking, conversion there and back.
. tests/tap.sh
view=$bin/sj-view
make=$BUILD/tests/make_stream
python=/usr/bin/python3
cd "$dir" || exit 1
for k in wave pair mel track frame token; do "$make" $k >$k.sjt || exit 1; done
"$make" track 3 >three.sjt
"$make" track 1 f32 nan >nan.sjt
"$make" wave 1 i16 >pcm.sjt
"$make" mel 2 bf16 >bf16.sjt
bytes=$(wc -c <track.sjt)

# -- text
column() { grep -v '^#' out | sed 1d | cut -f"$1" | tr '\n' ' '; }
ok "lists a stream" "$view" three.sjt
is "$(column 1)" "song0/bass song0/drums song1/bass song1/drums song2/bass song2/drums " "a line a record"
is "$(head -n 1 out)" "# embed/1 f32 (vector)" "the head first"
ok "with -v" "$view" -v three.sjt
is "$(grep -c '^sj-view: [0-9.]* s, of processors [0-9.]* s, at most [0-9]* MiB of memory$' err)" 1 "says what it cost"
ok "lists from a pipe" sh -c "cat three.sjt | '$view'"
ok "JSON" "$view" --json --values --take 1 frame.sjt
is "$(wc -l <out)" 2 "head and record"
cat >look.py <<'E'
import json, sys
head, record = map(json.loads, open(sys.argv[1]))
assert head["head"]["kind"] == "embed/1" and head["head"]["dims"] == ["time", "vector"], head
v = record["values"]
assert record["key"] == "song0/bass" and record["class"] == "bass" and record["last"] is True
assert record["dims"] == [6, 80]
assert len(v) == 6 and all(len(r) == 80 for r in v) and abs(sum(map(sum, v)) / 480 - record["mean"]) < 1e-12
E
cp out json.txt
ok "which Python understands" "$python" look.py json.txt
ok "values as text" "$view" --values --take 1 frame.sjt
is "$(grep -c '^	' out)" 6 "a line for each row"
ok "NaN" "$view" --json nan.sjt
is "$(grep -c '"mean":null,"min":null,"nan":80' out)" 1 "is counted, and null in JSON"
ok "any HDF5 file" "$view" -o e.h5 token.sjt
"$python" -c 'import h5py
with h5py.File("other.h5", "w") as f:
    f["a/b"] = [[1.5, 2]]
    f.attrs["answer"] = 42'
ok "is listed" "$view" other.h5
is "$(tr '\n\t' ',:' <out)" "@answer:42,/a/b:f64:1x2," "with its attributes"

# -- selection
ok "by key" "$view" --key '*/drums' three.sjt
is "$(column 1)" "song0/drums song1/drums song2/drums " "those that match"
ok "by class" "$view" --class bass --skip 1 three.sjt
is "$(column 1)" "song1/bass song2/bass " "then skipping"
ok "by role" "$view" --role mix three.sjt
is "$(column 1)" "" "none of another role"
ok "some of them" "$view" --skip 2 --take 3 three.sjt
is "$(column 1)" "song1/bass song1/drums song2/bass " "in the middle"
fails 2 "no class 'flute'; there are bass, drums, other, vocals" "an unknown class" "$view" --class flute three.sjt
fails 2 "is no role" "an unknown role" "$view" --role flute three.sjt
fails 2 "--check reads everything" "selecting from what is checked" "$view" --check --take 1 three.sjt
fails 2 "text" "JSON into a file" "$view" --json -o x.sjt three.sjt

# -- merging
ok "two streams" "$view" -o both.sjt track.sjt three.sjt
ok "as one" "$view" --check both.sjt
is "$(cat out)" "both.sjt	embed/1	10 records	6 keys	800 values" "of all records, a key that comes again counted once"
ok "the same as their bytes" sh -c "cat track.sjt three.sjt | '$view' -o both2.sjt && cmp both.sjt both2.sjt"
fails 3 "'frame.sjt' does not go with 'track.sjt': dims is" "heads that differ" "$view" -o x.sjt track.sjt frame.sjt
ok "nothing appears" test ! -e x.sjt
ok "parts are the whole again" sh -c "'$view' -o 1.sjt --take 2 track.sjt; '$view' -o 2.sjt --skip 2 track.sjt
    '$view' -o 3.sjt 1.sjt 2.sjt; cmp 3.sjt track.sjt"

# -- checking
ok "good files" "$view" --check wave.sjt pair.sjt mel.sjt track.sjt frame.sjt token.sjt bf16.sjt e.h5
is "$(wc -l <out)" 8 "a line each"
fails 3 "'nan.sjt': 80 of 240 values are not finite" "NaN" "$view" --check nan.sjt
head -c $((bytes - 1)) track.sjt >cut.sjt
fails 3 "'cut.sjt' ends early: no END mark after record 4" "a cut file" "$view" --check cut.sjt
fails 3 "ends early" "also when shown" "$view" cut.sjt
fails 3 "ends early" "or converted" "$view" -o x.h5 cut.sjt
ok "to nothing" test ! -e x.h5
fails 3 "is a directory" "a folder" "$view" .
fails 3 "is empty" "an empty file" "$view" /dev/null
fails 3 "it looks like text" "a text" "$view" look.py
for m in classes/four:"class map	4" classes/moisesdb:"class map	11" render/gm:"rules of sj-render	4"; do
    file=$root/schemas/${m%%:*}.tsv
    for o in "" --check; do is "$("$view" ${o:+$o} "$file")" "$file	${m#*:} classes" "what ${m%%:*} is $o"; done
done
is "$("$view" --json "$file" | cut -d, -f1,2)" '{"classes":4,"kind":"rules of sj-render"' "in JSON"
fails 2 "has no records to select" "records of a map" "$view" --take 1 "$file"
printf 'a\tb\tc\n' >three.tsv
fails 3 "it looks like text" "a table that is no map" "$view" three.tsv
fails 4 "No space left" "a map to a full device" sh -c "'$view' '$file' >/dev/full"
fails 4 "No such file" "no file" "$view" nowhere
fails 4 "No space left" "text to a full device" sh -c "'$view' track.sjt >/dev/full"
fails 4 "No space left" "a stream to a full device" sh -c "'$view' -o - track.sjt >/dev/full"
ln -s /dev/full full.sjt
fails 4 "No space left" "-o to a full device" "$view" -o full.sjt track.sjt

# -- conversion
for k in track frame token; do
    ok "$k to HDF5" "$view" -o $k.h5 $k.sjt
    ok "$k and back" sh -c "'$view' -o back.sjt $k.h5 && cmp back.sjt $k.sjt"
    ok "$k to NPY" "$view" -o $k.npy $k.sjt
    ok "$k from NPY" sh -c "'$view' -o back.sjt $k.npy && '$view' -o back.npy back.sjt && cmp back.npy $k.npy"
done
ok "bf16 to NPY" "$view" -o bf16.npy bf16.sjt
cat >arrays.py <<'E'
import h5py, json, numpy as np
n = np.load("token.npy")
assert n.shape == (4, 5, 6, 16) and n.dtype == np.float32
with h5py.File("token.h5") as f:
    assert (f["embedding"][:].reshape(n.shape) == n).all() and f["key"].asstr()[0] == "song0/bass"
assert np.load("bf16.npy").shape == (4, 80, 48) and np.load("bf16.npy").dtype == np.float32
np.save("f8.npy", np.load("track.npy").astype(np.float64))
E
ok "NumPy and h5py agree" "$python" arrays.py
ok "doubles of NumPy" sh -c "'$view' -o back.npy f8.npy && cmp back.npy track.npy"
fails 3 "an array cannot hold 'song0/bass': dimension 0 is 1680, was 128240" "unequal records" "$view" -o x.npy wave.sjt
fails 2 "does not end in" "an unknown ending" "$view" -o x.mp3 wave.sjt
fails 2 "cannot hold 'mel/1'" "spectrograms as embeddings" "$view" -o x.h5 mel.sjt
fails 2 "'mel/1' is no sound" "spectrograms as sound" "$view" -o x.wav mel.sjt
fails 2 "cannot hold both 'song0/bass' and 'song0/drums'" "two tracks in one file" "$view" -o x.wav wave.sjt
ok "nothing appears of all that" sh -c '! ls x.*'

ok "one track to WAV" "$view" -o one.wav --key song1/drums wave.sjt
ok "all tracks to a folder" "$view" -o all/ wave.sjt
ok "i16 to WAV" "$view" -o pcm/ pcm.sjt
ok "pairs to WAV" "$view" -o pairs/ pair.sjt
fails 2 "is there already" "nothing is written over" "$view" -o all wave.sjt
is "$(cat err)" "sj-view: 'all/song0/bass.wav' is there already" "one slash between folder and key"
fails 2 "'all/song0/bass.wav' is there already" "also where there were two" "$view" -o all// wave.sjt
# A folder appears whole or not at all: what is cut leaves neither files nor folders, in or beside what was there.
size=$(wc -c <wave.sjt) whole=0
for at in 64 1000 $((size / 4)) $((size / 2)) $((size - 65)) $((size - 1)); do
    head -c "$at" wave.sjt >cut.sjt
    "$view" -o never/ cut.sjt 2>err && whole=1
    [ "$(wc -l <err)" -eq 1 ] || whole=1
    [ ! -e never ] || whole=1
done
is "$whole" 0 "a cut stream leaves no folder"
mkdir -p mine/song1 && echo here >mine/song1/notes
fails 3 "ends early" "into a folder that is there" sh -c "head -c $((size / 2 + 4096)) wave.sjt | '$view' -o mine/ -"
is "$(find mine | sort | tr '\n' ' ')" "mine mine/song1 mine/song1/notes " "leaves it as it was"
mkdir -p late/song1 && echo here >late/song1/drums.wav
fails 2 "'late/song1/drums.wav' is there already" "one of the last files is there" "$view" -o late/ wave.sjt
is "$(find late | sort | tr '\n' ' ')$(cat late/song1/drums.wav)" "late late/song1 late/song1/drums.wav here" "no other appears"
(cat wave.sjt wave.sjt) >again.sjt
fails 2 "'again/song0/bass.wav' is there already" "tracks that come twice" "$view" -o again/ again.sjt
ok "leave nothing" test ! -e again
"$bin/sj-synth" -q -n 50 --seconds 2 --stems -o many.sjt # more than a table of temporary names takes at first
ok "two hundred files" "$view" -o many/ many.sjt
is "$(find many -name "*.wav" | wc -l) $(find many -type f | wc -l)" "200 200" "and nothing else"
head -c -100 many.sjt >cut.sjt
fails 3 "" "all but the end of them" "$view" -o none/ cut.sjt
ok "leave nothing" test ! -e none
cat >sound.py <<'E'
import numpy as np, wave
def ramp(k): return (np.arange(8 * 16000 + 8 * 160) % 1000 - 500 + k) / 32768
def floats(name, channels):
    b = open(name, "rb").read()
    assert b[:4] == b"RIFF" and b[8:12] == b"WAVE" and int.from_bytes(b[4:8], "little") + 8 == len(b)
    assert int.from_bytes(b[22:24], "little") == channels and int.from_bytes(b[24:28], "little") == 16000
    return np.frombuffer(b[58:], "<f4")
assert np.array_equal(floats("one.wav", 1), ramp(3).astype("f4"))
for song in 0, 1:
    for k, stem in enumerate(("bass", "drums")):
        assert np.array_equal(floats(f"all/song{song}/{stem}.wav", 1), ramp(2 * song + k).astype("f4"))
w = wave.open("pcm/song0/bass.wav")
assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (16000, 1, 2)
assert np.array_equal(np.frombuffer(w.readframes(10 ** 6), "<i2"), ramp(0) * 32768)
assert len(floats("pairs/song0/bass.0.wav", 2)) == 2 * 800 * 160
E
ok "sample by sample what went in" "$python" sound.py
"$make" track 1 | sed 's,song0,../xx,' >escape.sjt
fails 3 "'escape.sjt', record 1: the checksum of the data is wrong" "a key tampered with" "$view" escape.sjt
cat >rename.py <<'E'
import struct, sys
def crc32c(data):
    c = 0xffffffff
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = c >> 1 ^ 0x82f63b78 * (c & 1)
    return c ^ 0xffffffff
b = bytearray(open("pcm.sjt", "rb").read())
at = b.index(b"song0/bass")
b[at:at + 10] = b"../xx/bass"
data, = struct.unpack_from("<Q", b, at - 128 + 24)
struct.pack_into("<I", b, at - 128 + 120, crc32c(b[at:at + 64 + (data + 63) // 64 * 64]))
struct.pack_into("<I", b, at - 128 + 124, crc32c(b[at - 128:at - 4]))
open("escape.sjt", "wb").write(b)
E
ok "a key that leads elsewhere" "$python" rename.py
ok "may be looked at" "$view" escape.sjt
fails 3 "'../xx/bass' is no key to name a file by" "and not followed" "$view" -o all2/ escape.sjt

# -- the installed conventions
ok "a closed pipe ends it quietly" sh -c "'$view' --values pair.sjt | head -n 1; true"
is "$(cat err)" "" "without a word"

# -- models
ok "a model" "$BUILD/tests/make_model" model.h5
ok "goes into a safetensors file" "$view" model.h5 -o model.safetensors
ok "and comes back" "$view" model.safetensors -o back.h5
ok "the same" cmp model.h5 back.h5
ok "to pass it around" "$view" --bf16 model.h5 -o small.h5
ok "rounded, and small for anyone who reads HDF5" "$python" -c 'import h5py, os
a, b, count = h5py.File("model.h5"), h5py.File("small.h5"), [0]
def same(name, x):
    if isinstance(x, h5py.Dataset) and x.dtype.kind == "f":
        y = b[name]
        count[0] += x.size
        assert y.dtype == x.dtype and y.shape == x.shape and abs(x[()] - y[()]).max() <= 2 ** -8 * abs(x[()]).max(), name
        assert not (y[()].view("u4") & 0xffff).any(), name
a.visititems(same)
assert count[0] > 1000 and os.path.getsize("small.h5") < os.path.getsize("model.h5"), count'
ok "its weights are whole" "$view" --check small.h5
ok "rounding twice is rounding once" "$view" --bf16 small.h5 -o smaller.h5
ok "to the same bytes" cmp small.h5 smaller.h5
fails 2 "-o NAME.h5" "into a model's file only" "$view" --bf16 model.h5 -o small.safetensors
fails 3 "pair.sjt" "a stream is no model" "$view" --bf16 pair.sjt -o small2.h5
fails 2 "alone" "two models are not one" "$view" model.h5 back.h5 -o two.safetensors
fails 3 "pair.sjt" "nor is a stream one" "$view" pair.sjt -o pair.safetensors
fails 3 "'sj-view model.safetensors -o NAME.h5'" "elsewhere one is told how to use it" \
    "$bin/sj-embed" -m model.safetensors mel.sjt
cat >altered.py <<'E'
import json, struct
whole = open("model.safetensors", "rb").read()
n, = struct.unpack("<Q", whole[:8])
values = whole[8 + n:]
def write(name, change, more=b""):
    h = json.loads(whole[8:8 + n])
    change(h, h["__metadata__"])
    text = json.dumps(h).encode()
    open(name + ".safetensors", "wb").write(struct.pack("<Q", len(text)) + text + values + more)
def tensor(name):
    def add(h, m):
        h[name] = {"dtype": "F32", "shape": [2], "data_offsets": [len(values), len(values) + 8]}
    return add
at = lambda h, name: h[name]["data_offsets"]
write("same", lambda h, m: None)
write("anonymous", lambda h, m: m.pop("id"))
write("positions", tensor("encoder.pos_embed"), bytes(8))
write("elsewhere", tensor("loss.scale"), bytes(8))
write("overlap", lambda h, m: h["encoder.norm.bias"].update(data_offsets=at(h, "encoder.norm.weight")))
write("negative", lambda h, m: h["encoder.norm.bias"].update(data_offsets=[-64, 0]))
write("behind", lambda h, m: None, b"abc")
write("unknown", tensor("encoder.extra.weight"), bytes(8))
write("list", lambda h, m: m.update(config="[]"))
write("object", lambda h, m: m.update(config={"dim": 16}))
write("id", lambda h, m: m.update(id="0" * 16))
write("heads", lambda h, m: h.pop("__metadata__"))
E
ok "safetensors files of other writers" /usr/bin/python3 altered.py
for name in same anonymous positions elsewhere; do
    ok "$name" sh -c "'$view' $name.safetensors -o $name.h5 && cmp $name.h5 model.h5"
done
while read -r name reason; do
    fails 3 "$reason" "$name" "$view" "$name.safetensors" -o x.h5
done <<'E'
overlap 'overlap.safetensors': 'encoder.norm.
negative 'encoder.norm.bias' lies outside the file
behind 'behind.safetensors' has 3 bytes behind its last tensor
unknown 'encoder.extra.weight' is unknown to these hyper-parameters
list 'list.safetensors': its 'config' is no object
object 'object.safetensors'
id 'id.safetensors': the weights are not those of the 'id'
heads of width 16 and no 'config' that says how many heads
E
ok "nothing of them is written" test ! -e x.h5
"$BUILD/tests/make_dataset" set.h5 3 1
ok "models and training sets are checked" "$view" --check model.h5 model.safetensors set.h5
is "$(cut -f 2,3 out | tr '\t\n' '  ' | sed 's/[0-9]* weights/N weights/g')" \
    "sj-model/1 N weights sj-model/1 N weights sj-dataset/1 3 tracks " "as what they are"
ok "as JSON" sh -c "'$view' --json --check set.h5 | grep -q '\"tracks\":3'"
cat >damage.py <<'E'
import h5py, numpy as np, shutil, sys
with h5py.File("own.h5", "w") as f:
    f["x"] = 1
shutil.copy("model.h5", "bad-model.h5")
with h5py.File("bad-model.h5", "r+") as f:
    f["encoder/norm.bias"][0] += 1
shutil.copy("set.h5", "gap.h5")
with h5py.File("gap.h5", "r+") as f:
    del f["track/00000001"]
shutil.copy("e.h5", "last.h5")
with h5py.File("last.h5", "r+") as f:
    f["last"][0] = 7
shutil.copy("e.h5", "many.h5")
with h5py.File("many.h5", "r+") as f:
    n = 2**31 - 1
    for name in ("key", "class", "role", "last", "position", "part", "embedding"):
        kind, shape = f[name].dtype, (n,) + f[name].shape[1:]
        del f[name]
        f.create_dataset(name, shape, kind, chunks=(1024,) + shape[1:])
np.save("rows.npy", np.zeros((3, 4), "<f4"))
for name, n in (("longer.npy", 1), ("row.npy", 16)):
    open(name, "wb").write(open("rows.npy", "rb").read() + bytes(n))
E
ok "files that are wrong" /usr/bin/python3 damage.py
fails 3 "'own.h5' is HDF5 of no stated kind, which cannot be checked" "anybody's HDF5" "$view" --check own.h5
fails 3 "'bad-model.h5': the weights are not those" "a model that was changed" "$view" --check bad-model.h5
fails 3 "'gap.h5' has the track '00000002', but none '00000001'" "a set that lacks a track" "$view" --check gap.h5
fails 3 "'last.h5': record 0" "a flag that is none" "$view" --check last.h5
fails 3 "claims more strings than the file holds" "more keys than there can be, at once" \
    within 4000000 "$view" --check many.h5
ok "an array" "$view" rows.npy
fails 3 "'longer.npy' has 1 bytes behind its last row" "with a byte more" "$view" longer.npy
fails 3 "'row.npy' has 16 bytes behind its last row" "with a row more" "$view" row.npy
finish
