#!/bin/sh
# sj-chunk: layouts, chunks, training sets and pairs, from files as people have them.
. tests/tap.sh
chunk=$bin/sj-chunk view=$bin/sj-view python=/usr/bin/python3
shared=${SJ_SHARED:-../shared}
case $shared in /*) ;; *) shared=$root/$shared ;; esac
export PYTHONPATH="$root/tests"
cd "$dir" || exit 1
"$python" "$root/tests/chunk_make.py" || exit 1
keys() { "$view" "$1" | grep -v '^#' | sed 1d | awk -F '\t' -v OFS=: '{print $1, $2, $3}' | uniq | tr '\n' ' '; }
check() { ok "$1" "$python" -c "from chunk_lib import *
$2"; }
same() { ok "$1" cmp "$2" "$3"; }

fails 4 "no?such.wav" "a name of two lines gives one" "$chunk" "no
such.wav"
# -- chunks
ok "exact lengths" "$chunk" exact -o exact.sjt
check "every chunk is what the definition says" '
for (key, role), y in whole("exact.sjt").items():
    n = int(key[1:])
    x = (np.arange(1, n + 1) / 400000.0).astype("f4")
    T = 1 + n // 160
    want = np.pad(x, 200, "reflect")[200:200 + 160 * T]
    assert len(y) == len(want) and np.array_equal(y, want), key'
ok "chunks of 16 frames" "$chunk" exact --chunk-frames 16 -o small.sjt
check "hold the same samples" '
a, b = whole("exact.sjt"), whole("small.sjt")
assert len(a) == 12 and all(np.array_equal(a[k], b[k]) for k in a)'
ok "they hold to the schemas" "$view" --check exact.sjt
fails 2 "multiple of 16" "chunks that cut a patch" "$chunk" --chunk-frames 100 mix.wav

# -- the list of tracks
mkdir -p listed/a listed/b && cp mix.wav 'listed/a/it'"'"'s one.wav' && cp mix.wav listed/b/two.wav
ok "the tracks of a folder" "$chunk" --list listed
is "$(tr '\n' ';' <out)" "key	path;it's one	listed/a/it's one.wav;two	listed/b/two.wav;" "key and path of each"
cp out out.list
ok "into a file" "$chunk" --list listed -o list.tsv
ok "the same" cmp list.tsv out.list
fails 2 "--stems does nothing with --list" "a list of stems" "$chunk" --list --stems listed
fails 2 "not with --pairs" "a list of pairs" "$chunk" --list --pairs listed
fails 4 "nowhere" "a list of what is not there" "$chunk" --list nowhere
cp mix.wav "listed/b/ta	b.wav"
fails 3 "has a tab" "a name that a list cannot hold" "$chunk" --list listed

# -- the one-liners of the manual
ok "a folder of stems" sh -c "'$chunk' --stems library/*.wav >lib.sjt"
is "$(keys lib.sjt)" "Drums_2:stem:drums kazoo:stem:- lead-guitar:stem:other mix:stem:- my bass:stem:bass " \
    "classes by name"
ok "a mix" sh -c "'$chunk' mix.wav >mix.sjt"
is "$(keys mix.sjt)" "mix:mix:- " "has no class"
ok "through a pipe" sh -c "cat mix.wav | '$chunk' >pipe.sjt"
check "the same sound" 'assert np.array_equal(whole("mix.sjt")["mix", 0], whole("pipe.sjt")["stdin", 0])'
ok "a training set" "$chunk" --dataset musdb.h5 musdb18hq/
ok "pairs of it" sh -c "'$chunk' --pairs --seed 1 --take 5 musdb.h5 >pairs.sjt"
"$chunk" --pairs --seed 1 musdb.h5 2>err | head -c 100 >head.bin
is "$(cat head.bin err | wc -c)" 100 "an endless stream of them ends with its reader"

# -- tracks
ok "stems and rests" "$chunk" --stems --mixes musdb18hq -o both.sjt
is "$(keys both.sjt | tr ' ' '\n' | sed -n 1,8p | tr '\n' ' ')" "A/bass:stem:bass A/drums:stem:drums \
A/other:stem:other A/vocals:stem:vocals A/bass:rest:bass A/drums:rest:drums A/other:rest:other A/vocals:rest:vocals " \
    "in their order"
check "a rest is the sum of the others" '
w, names = whole("both.sjt"), "bass drums other vocals".split()
for t in "AB":
    for k in names:
        others = sum(w[f"{t}/{n}", 1] for n in names if n != k)
        assert np.abs(w[f"{t}/{k}", 2] - others).max() < 1e-6 and np.abs(others).max() > 0.1'
ok "the mix" "$chunk" musdb18hq -o mixes.sjt
check "is the mixture file" '
m, w = whole("mixes.sjt"), whole("both.sjt")
for t in "AB":
    s = sum(w[f"{t}/{n}", 1] for n in "bass drums other vocals".split())
    assert np.abs(m[t, 0] - 0.5 * s).max() < 2e-4'
mkdir bare && cp -r musdb18hq/A bare/ && rm bare/A/mixture.wav
ok "without one" "$chunk" bare -o sum.sjt
check "the sum" '
m, w = whole("sum.sjt"), whole("both.sjt")
assert np.abs(m["A", 0] - sum(w[f"A/{n}", 1] for n in "bass drums other vocals".split())).max() < 1e-6'
for j in 1 2 9; do
    ok "with $j threads" "$chunk" -j $j --stems --mixes musdb18hq -o j.sjt
    same "the same bytes" j.sjt both.sjt
done
ok "four channels" "$chunk" --stems four.wav -o four.sjt
is "$(keys four.sjt)" "four/bass:stem:bass four/drums:stem:drums four/other:stem:other four/vocals:stem:vocals " \
    "are stems"
check "in the order of the classes" '
w = whole("four.sjt")
for i, n in enumerate("bass drums other vocals".split()):
    assert np.abs(w[f"four/{n}", 1][:32000] - tone(7 + i, 2, 16000, 1)[:, 0]).max() < 1e-6'
ok "or one sound" "$chunk" --stems --layout file four.wav -o one.sjt
is "$(keys one.sjt)" "four:stem:- " "when asked"
ok "their mix" "$chunk" four.wav -o fourmix.sjt
check "is their sum" '
assert np.abs(whole("fourmix.sjt")["four", 0] - sum(whole("four.sjt").values())).max() < 1e-6'
fails 3 "has 1 channels where 4 classes" "one channel as four" "$chunk" --layout channels --stems mix.wav

# -- other layouts
ok "MoisesDB" "$chunk" --stems moises -o m.sjt
is "$(keys m.sjt)" "t1/bass:stem:bass t1/other:stem:other " "its folders in four classes"
check "files of a class are summed" '
w = whole("m.sjt")
assert len(w["t1/bass", 1]) == len(w["t1/other", 1]) == 160 * (1 + 33600 // 160)
assert abs(w["t1/bass", 1].std() / (tone(1, 2).mean(1).std() ** 2 + tone(2, 2).mean(1).std() ** 2) ** 0.5 - 1) < 0.05'
ok "with its own classes" "$chunk" --stems moises --class-map "$root/schemas/classes/moisesdb.tsv" -o m.sjt
is "$(keys m.sjt)" "t1/bass:stem:bass t1/bowed_strings:stem:bowed_strings t1/other_keys:stem:other_keys " "all of them"
ok "Slakh2100" "$chunk" --stems slakh -o s.sjt
is "$(keys s.sjt)" "Track00001/bass:stem:bass Track00001/drums:stem:drums Track00001/other:stem:other " \
    "by its metadata"
ok "with its own classes" "$chunk" --stems slakh --class-map "$root/schemas/classes/slakh.tsv" -o s.sjt
is "$(keys s.sjt)" "Track00001/bass:stem:bass Track00001/drums:stem:drums Track00001/strings:stem:strings " \
    "all of them"
ok "MedleyDB" "$chunk" --stems medley -o y.sjt
is "$(keys y.sjt)" "Ab_C/bass:stem:bass Ab_C/vocals:stem:vocals " "by its metadata"
ok "its mix" "$chunk" medley slakh -o y.sjt
is "$(keys y.sjt)" "Ab_C:mix:- Track00001:mix:- " "is a file"
ok "a file per class by the map" "$chunk" --stems --layout musdb18hq library -o l.sjt
is "$(keys l.sjt)" "library/bass:stem:bass library/drums:stem:drums library/other:stem:other " "when asked"
printf 'kazoo\tbrass\n*bass*\tlow\n*\t@none\n' >own.tsv
ok "one's own map" "$chunk" --stems --class-map own.tsv --layout musdb18hq library -o l.sjt
is "$(keys l.sjt)" "library/brass:stem:brass library/low:stem:low " "classes in its order"
ok "another order" "$chunk" --stems --class-map own.tsv --classes low,brass --layout musdb18hq library -o l.sjt
is "$("$view" l.sjt | grep '^# classes')" "# classes low brass" "of the classes"
ok "classes without a map" "$chunk" --stems --classes drums,bass musdb18hq/A/bass.wav -o l.sjt
is "$(keys l.sjt)" "bass:stem:bass " "go by their names"
fails 3 "own.tsv' line 1: class 'brass' is not in the list" "a class not listed" \
    "$chunk" --class-map own.tsv --classes low mix.wav
echo "kazoo brass" >own.tsv
fails 3 "own.tsv' line 1: not a pattern, a tab and a class" "a map without tabs" "$chunk" --class-map own.tsv mix.wav
fails 4 "no.tsv" "a map that is not there" "$chunk" --class-map no.tsv mix.wav
cp mix.wav musdb18hq/A/xylophone.wav
fails 3 "the class map has no class for 'xylophone'" "a stem of no class" "$chunk" --stems musdb18hq
rm musdb18hq/A/xylophone.wav
fails 3 "no tracks in the layout 'slakh'" "another layout than asked for" "$chunk" --layout slakh musdb18hq

# -- keys
mkdir -p k/one k/two && cp mix.wav k/one/x.wav && cp mix.wav k/two/x.wav && cp mix.wav k/two/y.wav
ln -s .. k/two/circle
ok "files of one name" "$chunk" k -o k.sjt
is "$(keys k.sjt)" "one/x:mix:- two/x:mix:- y:mix:- " "are told apart by their folders"
fails 2 "'mix.wav' is given twice" "a file given twice" "$chunk" mix.wav mix.wav

# -- the tracks of training sets
ok "the tracks of a training set" "$chunk" -q --dataset sets.h5 musdb18hq
ok "as stems and mixes" "$chunk" --stems --mixes -o set.sjt sets.h5
"$chunk" --stems --mixes -o sound.sjt musdb18hq
check "are those of the sound, but for 16 bits" '
a, b = whole("set.sjt"), whole("sound.sjt")
assert list(a) == list(b) and len(a) > 4
assert all(len(a[k]) == len(b[k]) and np.abs(a[k] - b[k]).max() <= 4.01 / 65536 for k in a)
labels = lambda p: [r[:6] for r in list(records(p))[1:]]
assert labels("set.sjt") == labels("sound.sjt")'
ok "as mixes of all" "$chunk" -o set.mix.sjt sets.h5
check "they are the sum of the stems" '
a, b = whole("set.mix.sjt"), whole("set.sjt")
for (k, role), x in a.items():
    stems = [b[l] for l in b if l[0].rsplit("/", 1)[0] == k and l[1] == 1]
    assert role == 0 and len(stems) > 1 and np.abs(sum(stems) - x).max() < 1e-6'
for j in 1 3; do "$chunk" -j$j --stems -o j$j.sjt sets.h5; done
same "the same for any -j" j1.sjt j3.sjt
first=$("$view" --json set.sjt | sed -n 2p | grep -o '"key":"[^/]*')
ok "the first track alone" "$chunk" --stems --take 1 -o take.sjt sets.h5
is "$("$view" --json take.sjt | sed 1d | grep -o '"key":"[^/]*' | uniq)" "$first" "is that"
ok "all but the first" "$chunk" --stems --skip 1 -o skip.sjt sets.h5
is "$(cat take.sjt skip.sjt | "$view" --json - 2>/dev/null | sed 1d | wc -l)" "$("$view" --json j1.sjt | sed 1d | wc -l)" "are the rest"
cp sets.h5 more.h5
ok "two sets" "$chunk" --stems --take 1 -o two.sjt sets.h5 more.h5
is "$("$view" --json two.sjt | sed 1d | grep -o '"key":"[^/]*/[^/]*' | uniq | tr '\n' ' ')" \
    "$(echo "$first $first" | sed 's|"key":"\([^ ]*\) "key":"|"key":"sets/\1 "key":"more/|') " "are told apart by their names"
mkdir -p again && cp sets.h5 again/sets.h5
fails 2 "'sets.h5' and 'again/sets.h5' have one name" "unless they are the same" "$chunk" --stems sets.h5 again/sets.h5
fails 2 "'mix.wav' is no HDF5 file" "sound beside a set" "$chunk" sets.h5 mix.wav
fails 2 "'sets.h5' is an HDF5 file, which --dataset does not read" "a set of a set" "$chunk" --dataset x.h5 sets.h5
fails 2 "'sets.h5' is an HDF5 file, which --list does not read" "a list of a set" "$chunk" --list sets.h5
fails 2 "--layout does nothing with training sets" "a layout of a set" "$chunk" --layout file sets.h5
fails 2 "--take does nothing without --pairs" "some of a sound" "$chunk" --take 1 mix.wav
fails 3 "no track from number 99 on" "tracks beyond the last" "$chunk" --skip 99 -o x.sjt sets.h5
"$chunk" -q --dataset lone.h5 --classes bass musdb18hq/A 2>/dev/null || {
    mkdir -p lone/L && cp musdb18hq/A/bass.wav lone/L && "$chunk" -q --layout musdb18hq --dataset lone.h5 lone
}
fails 3 "has one stem, without which nothing is left" "a track of one stem" "$chunk" --mixes -o x.sjt lone.h5
ok "nothing appears" test ! -e x.sjt
"$chunk" -k --mixes -o kept.sjt lone.h5 sets.h5 2>kept.err
is "$? $(tail -n 1 kept.err | sed 's/ of .*//')" "1 sj-chunk: 1" "is passed over"
head -c 5000 sets.h5 >cutset.h5
fails 3 "cutset.h5" "a set that is cut" "$chunk" --stems -o x.sjt cutset.h5

# -- bad inputs
fails 3 "'texts': no sound files in this folder" "a folder of text files" "$chunk" texts
fails 3 "nan.wav' has a sample that is not a finite number" "NaN" "$chunk" nan.wav -o bad.sjt
ok "no output then" test ! -e bad.sjt
"$chunk" mix.wav nan.wav >bad.sjt 2>/dev/null
fails 3 "bad.sjt" "nor one that is whole" "$view" --check bad.sjt
fails 3 "'short.wav': 160 samples at 16 kHz are too few" "a track that is too short" "$chunk" short.wav
fails 3 "'standard input': 160 samples at 16 kHz are too few" "from a pipe" sh -c "cat short.wav | '$chunk'"
fails 3 "'standard input' is a single sound without stems" "a sound from a pipe, its mixes" \
    sh -c "'$chunk' --mixes <mix.wav"
fails 2 "'standard input' is given twice" "standard input twice" sh -c "'$chunk' - - <mix.wav"
cat >rates.py <<'E'
import struct
for rate in 0, 999, 2 ** 31, 2 ** 32 - 1:
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate % 2 ** 32, 2, 16)
    data = bytes(20000)
    open(f"rate{rate}.wav", "wb").write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + fmt + b"data" +
                                        struct.pack("<I", len(data)) + data)
E
"$python" rates.py
for r in 0 999 2147483648 4294967295; do
    fails 3 "'rate$r.wav': a sample rate of $r Hz is not from 1000 to 1000000 Hz" "$r Hz" "$chunk" rate$r.wav
    fails 3 "'standard input': a sample rate of $r Hz is not" "from a pipe" sh -c "cat rate$r.wav | '$chunk'"
done
fails 4 "absent.wav" "a file that is not there" "$chunk" absent.wav
fails 3 "'mix.wav' is a single sound without stems" "mixes of a plain file" "$chunk" --mixes mix.wav
cp -r musdb18hq/A uneven && cp uneven8.wav uneven/bass.wav
fails 3 "'uneven/bass.wav' lasts 8.30 s and 'uneven/drums.wav' 9.30 s, more than 0.5 s apart" "stems of other lengths" \
    "$chunk" --stems uneven
ok "unless allowed" "$chunk" --stems --pad 1 uneven -o u.sjt
check "padded with zeros" '
x = whole("u.sjt")["uneven/bass", 1]
assert len(x) == 160 * (1 + 148800 // 160) and not x[134000:148800].any() and x[:132000].any()'
"$python" -c '
import os, wave
for folder, more in (("even", 8000), ("odd", 8001)):
    os.makedirs(f"pads/{folder}")
    for name, n in (("bass", 32000), ("drums", 32000 + more)):
        with wave.open(f"pads/{folder}/{name}.wav", "wb") as f:
            f.setparams((1, 2, 16000, 0, "NONE", ""))
            f.writeframes(b"\1\0" * n)'
ok "half a second is padded" "$chunk" --stems pads/even -o u.sjt
fails 3 "more than 0.5 s apart" "a sample more is not" "$chunk" --stems pads/odd
"$chunk" -k mix.wav nan.wav texts short.wav library/kazoo.wav -o k.sjt 2>err
is $? 1 "with --keep-going others go on"
is "$(keys k.sjt)" "mix:mix:- kazoo:mix:- " "those that are good, whole"
is "$(grep -c 'skipped: ' err) $(tail -n 1 err)" "3 sj-chunk: 3 of 5 inputs skipped" "the others said and counted"
fails 3 "none of the 2 inputs can be used" "with --keep-going nothing is left" "$chunk" -q -k nan.wav texts -o none.sjt
ok "then there is no output" test ! -e none.sjt
# a folder that may not be read, for which a superuser becomes somebody else
mkdir -p closed/a/b closed/c && cp mix.wav closed/first.wav && cp mix.wav closed/c/last.wav && chmod 000 closed/a/b
if [ "$(id -u)" -eq 0 ]; then
    chmod 755 . && cp "$chunk" ./chunk-too
    as_user() { "$python" -c 'import os, sys; os.setgid(65534); os.setuid(65534); os.execv(sys.argv[1], sys.argv[1:])' \
        ./chunk-too "$@"; }
else
    as_user() { "$chunk" "$@"; }
fi
fails 4 "cannot list 'closed/a/b'" "a folder that cannot be read" as_user closed
as_user -k closed >k.sjt 2>err
is "$?:$(grep -c "skipped: cannot list 'closed/a/b'" err):$(tail -n 1 err)" "1:1:sj-chunk: 1 of 3 inputs skipped" \
    "is one that is passed over"
is "$(keys k.sjt)" "last:mix:- first:mix:- " "the folders behind it are searched"
as_user -k --list closed >k.tsv 2>err
is "$?:$(cut -f 1 k.tsv | tr '\n' ' ')" "1:key last first " "and listed"
chmod 755 closed/a/b
if command -v ffmpeg >/dev/null; then
    ffmpeg -v error -nostdin -i mix.wav x.m4a && mkdir empty
    fails 4 "needs the ffmpeg program, which is not installed" "no ffmpeg" env PATH="$dir/empty" "$chunk" x.m4a
    ok "ffmpeg" "$chunk" x.m4a -o x.sjt
    check "decodes what libsndfile does not" '
a, b = whole("x.sjt")["x", 0], whole("mix.sjt")["mix", 0]
assert np.corrcoef(a[:180000], b[:180000])[0, 1] > 0.999'
    # cut files, whose decoder is content with what is left of them
    ffmpeg -v error -nostdin -i mix.wav -movflags faststart front.m4a
    ffmpeg -v error -nostdin -i mix.wav -c:a aac known.mka
    ffmpeg -v error -nostdin -i mix.wav -c:a aac -f matroska - >live.mka
    for f in x.m4a front.m4a known.mka live.mka; do
        ok "a whole $f" "$chunk" $f -o x.sjt
        for percent in 30 60 95; do
            head -c $(($(wc -c <$f) * percent / 100)) $f >cut.${f#*.}
            fails 3 "'cut.${f#*.}' " "$percent % of $f" "$chunk" cut.${f#*.} -o bad.sjt
        done
    done
    ffmpeg -v error -nostdin -i front.m4a -map 0 -map 0 -map 0 -map 0 -map 0 -c copy -movflags faststart s.stem.mp4
    ok "five streams" "$chunk" --stems s.stem.mp4 -o x.sjt
    head -c $(($(wc -c <s.stem.mp4) * 6 / 10)) s.stem.mp4 >cut.stem.mp4
    fails 3 "'cut.stem.mp4' is cut short" "60 % of them" "$chunk" --stems cut.stem.mp4 -o bad.sjt
    { cat front.m4a && printf 'TAG%0125d' 0; } >tagged.m4a
    ok "a tag behind the last box" "$chunk" tagged.m4a -o x.sjt
else
    skip "m4a" "no ffmpeg"
fi
fails 4 "No space left" "a full disk" sh -c "'$chunk' mix.wav >/dev/full"

# -- memory
if sanitized "$chunk"; then
    skip "half an hour in constant memory" "the sanitizer holds on to memory"
else
    check "half an hour in constant memory" "
import resource, subprocess
subprocess.run(['$chunk', '-j1', 'long.wav', '-o', '/dev/null'], check=True)
mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
assert mb < 90, mb"
fi

# -- training sets
cat >sets.py <<'END'
import h5py, sys
def content(path):
    return [(t.attrs["key"], t.attrs["source"], t["class"][:].tobytes(), t["audio"].shape, t["audio"][:].tobytes())
            for t in h5py.File(path)["track"].values()]
a, b = map(content, sys.argv[1:])
assert len(a) > 1 and a == b, [x[0] for x in a]
END
check "a training set holds the stems" '
import h5py
f, w = h5py.File("musdb.h5"), whole("both.sjt")
names = [c.decode() for c in f["classes"]]
assert names == "bass drums other vocals".split() and [t.attrs["key"] for t in f["track"].values()] == ["A", "B"]
for t in f["track"].values():
    for row, c in zip(t["audio"], t["class"]):
        x = w[t.attrs["key"] + "/" + names[c], 1][:len(row)]
        assert np.abs(row / 32768 - x).max() < 0.51 / 32768'
ok "again" "$chunk" -q --dataset musdb.h5 musdb18hq/
cp -r musdb18hq/A musdb18hq/C
cp musdb.h5 died.h5
"$python" -c 'import h5py; h5py.File("died.h5", "r+")["track/00000002"] = h5py.SoftLink("/nowhere")'
ok "a set whose writer died while it linked a track" "$chunk" -q --dataset died.h5 musdb18hq/
"$chunk" --dataset musdb.h5 musdb18hq/ 2>err
is "$(cat err)" "sj-chunk: 'musdb.h5' has 3 tracks, 1 of them new" "only what is new is added"
ok "can be continued" "$python" sets.py died.h5 musdb.h5
cp musdb18hq/B/*.wav musdb18hq/C/
fails 3 "has a track 'C' that was made from other audio" "audio that has changed" "$chunk" --dataset musdb.h5 musdb18hq/
rm -r musdb18hq/C
"$python" -c '
import numpy as np, os, wave
for folder, seed in (("one", 1), ("two", 2)):
    for track in "AB":
        for name in ("bass", "drums"):
            os.makedirs(f"{folder}/set/{track}", exist_ok=True)
            x = np.zeros(200000, "<i2")
            rng = np.random.default_rng(seed if track == "B" else 0)
            x[90000:110000] = rng.integers(-9000, 9000, 20000) # far from both ends
            with wave.open(f"{folder}/set/{track}/{name}.wav", "wb") as f:
                f.setparams((1, 2, 16000, 0, "NONE", ""))
                f.writeframes(x.tobytes())'
ok "tracks with silent ends" "$chunk" --dataset ends.h5 one/set
ok "are known again" "$chunk" --dataset ends.h5 one/set
fails 3 "has a track 'B' that was made from other audio" "changed in the middle alone" "$chunk" --dataset ends.h5 two/set
cat >older.py <<'END'
import h5py, os, struct, sys
def source(folder, files, b=1 << 16):
    h = 0xcbf29ce484222325
    for c, name in enumerate(files):
        x = open(f"{folder}/{name}.wav", "rb").read()
        for byte in struct.pack("<4q", 1, c, -1, len(x)) + x[:b] + x[-b:]:
            h = (h ^ byte) * 0x100000001b3 % 2**64
    return f"{h:016x}"
with h5py.File("ends.h5", "r+") as f:
    for t in f["track"].values():
        t.attrs["source"] = source("one/set/" + t.attrs["key"], ("bass", "drums"))
END
ok "a set of an earlier version" "$python" older.py
ok "whose sources were less" "$chunk" --dataset ends.h5 one/set
cp -r one/set three && cp mix.wav three/B/bass.wav
fails 3 "has a track 'B' that was made from other audio" "is compared as it was" "$chunk" --dataset ends.h5 three
fails 3 "has 4 classes from 'bass' to 'vocals' where 11" "other classes" \
    "$chunk" --dataset musdb.h5 --class-map "$root/schemas/classes/moisesdb.tsv" moises
fails 3 "without stems" "a plain file in a training set" "$chunk" --dataset x.h5 mix.wav
is "$(echo x.h5*)" "x.h5*" "leaves neither a set nor a part of one"
mkdir half && cp -r musdb18hq/A half/A && cp -r uneven half/B
fails 3 "more than 0.5 s apart" "a set whose second track is bad" "$chunk" -j1 --dataset half.h5 half
is "$(echo half.h5*)" "half.h5.part" "leaves what can be continued"
i=0
while [ $i -lt 30 ]; do
    i=$((i + 1))
    mkdir -p many && cp -r musdb18hq/A many/t$((i + 10))
done
ok "a set of many" "$chunk" -q --dataset whole.h5 many
ok "all of them are among the inputs" "$chunk" --others --dataset whole.h5 many
is "$(cat out)" "key" "there are no others"
"$chunk" --others --dataset whole.h5 musdb18hq >others
tracks=$("$view" --check whole.h5 | sed 's/.*\t\([0-9]*\) tracks/\1/')
is "$(wc -l <others)" $((1 + tracks)) "among other inputs all are others"
ok "of a set that was not finished, too" sh -c 'cp whole.h5 begun.h5.part
    "$1" --others --dataset begun.h5 musdb18hq | cmp - others && rm begun.h5.part' - "$chunk"
is "$("$chunk" --others --dataset none.h5 many)" "key" "nor has one that is not there any"
"$chunk" -q --dataset one.h5 one/set && cp one.h5 before.h5
mkdir same && cp -r three/B same
"$chunk" -k --dataset one.h5 same 2>err
is "$?: $(tail -n 1 err)" "3: sj-chunk: none of the 1 inputs can be used" "inputs of which each has another's name"
ok "leave the set as it was" cmp one.h5 before.h5
"$bin/sj-view" whole.h5 >whole.txt

# What is refused stays as it was, and two programs at once are one that works and one that says so.
printf 'precious\n' >notes.txt
cp mix.wav "take 1.wav"
head -c 9000 whole.h5 >cut.h5
for f in notes.txt "take 1.wav" cut.h5; do
    sum=$(cksum <"$f")
    fails 3 "'$f' is" "no set: $f" "$chunk" --dataset "$f" many
    is "$(cksum <"$f")" "$sum" "$f stays as it was"
done
cp whole.h5 read.h5
sum=$(cksum <read.h5)
fails 4 "in use by another program" "a set that is being read" flock -s read.h5 "$chunk" --dataset read.h5 many
is "$(cksum <read.h5)" "$sum" "it stays as it was"
both=
for i in 1 2 3 4 5 6; do
    rm -f both.h5
    "$chunk" -q --dataset both.h5 many 2>err.1 &
    "$chunk" -q --dataset both.h5 many 2>err.2
    one=$?
    wait $!
    two=$?
    case $one$two in 00|04|40) ;; *) both="$both $one$two" ;; esac
    "$bin/sj-view" both.h5 | cmp -s - whole.txt || both="$both differs"
    [ ! -e both.h5.part ] || both="$both part"
done
is "$both" "" "two that make one set"
i=0
while [ ! -e killed.h5 ] && [ $i -lt 20 ]; do
    i=$((i + 1))
    "$chunk" -q --dataset killed.h5 many 2>>kills &
    pid=$!
    sleep "0.$((i * 37 % 30 + 12))"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
done
echo "# begun $i times"
"$chunk" -q --dataset killed.h5 many 2>>kills
ok "kill -9 and again, until it is whole" "$python" sets.py killed.h5 whole.h5
is "$(cat kills)" "" "without complaint"

# -- pairs
check "pairs" '
r = records("pairs.sjt")
assert next(r)["dims"] == ["pair", "sample"]
for n, (key, role, cls, pos, part, last, x) in enumerate(r):
    assert (pos, part, last, x.shape) == (n, 0, 1, (2, 128240)) and key in "AB" and cls < 4 and np.abs(x[1]).max() > 0.1
assert n == 4'
ok "they hold to the schemas" "$view" --check pairs.sjt
ok "a part of them" "$chunk" --pairs --seed 1 --skip 2 --take 3 -j 3 musdb.h5 -o tail.sjt
"$chunk" -q --pairs --seed 1 --take 5 -j 1 musdb.h5 | "$view" --skip 2 -o cut.sjt -
ok "is that part of all" "$python" -c 'from chunk_lib import *
a, b = list(records("tail.sjt")), list(records("cut.sjt"))
assert len(a) == len(b) == 4 and all(x[:6] == y[:6] and np.array_equal(x[6], y[6]) for x, y in zip(a[1:], b[1:]))'
ok "another seed" "$chunk" --pairs --seed 2 --take 5 musdb.h5 -o other.sjt
ok "gives others" sh -c '! cmp -s other.sjt pairs.sjt'
ok "weights" "$chunk" --pairs --take 3 --weights 1,0.5 musdb.h5 whole.h5 -o weights.sjt
fails 2 "--weights is '1', must have one number for each of the 2 sets" "too few weights" \
    "$chunk" --pairs --weights 1 --take 1 musdb.h5 whole.h5
ok "changed pairs" "$chunk" --pairs --seed 1 --take 5 --augment all -j 2 musdb.h5 -o changed.sjt
ok "a part of them" "$chunk" --pairs --seed 1 --skip 2 --take 3 --augment all -j 1 musdb.h5 -o tail.sjt
"$view" --skip 2 changed.sjt -o cut.sjt
ok "is that part, and none is as it was recorded" "$python" -c 'from chunk_lib import *
a, b, c = (list(records(f))[1:] for f in ("tail.sjt", "cut.sjt", "pairs.sjt"))
assert len(a) == len(b) == 3 and all(x[:6] == y[:6] and np.array_equal(x[6], y[6]) for x, y in zip(a, b))
assert all(x[:6] == y[:6] and np.isfinite(x[6]).all() and abs(x[6] - y[6]).max() > 0.01 for x, y in zip(a, c[2:]))
assert next(records("tail.sjt"))["provenance"][0]["options"]["augment"].startswith("gain=6,")'
fails 2 "--augment: 'loud' is none of all, gain" "a change that there is not" "$chunk" --pairs --augment loud musdb.h5
fails 2 "--skip" "pairs beyond what can be counted" timeout 20 "$chunk" --pairs --skip 9223372036854775807 --take 1 musdb.h5
ok "the last that can" timeout 60 "$chunk" --pairs --skip 1000000000000000 --take 1 musdb.h5 -o far.sjt
fails 2 "--take" "no pairs" "$chunk" --pairs --take 0 musdb.h5
fails 3 "mix.wav' is not an HDF5 file" "pairs of sound" "$chunk" --pairs mix.wav
# -- options that would do nothing
for o in "--skip 0" "--take 1" "--weights 1" "--augment all" "--seed 0"; do
    fails 2 "${o% *} does nothing without --pairs" "$o of chunks" "$chunk" $o mix.wav
    fails 2 "${o% *} does nothing with --dataset" "$o of a set" "$chunk" $o --dataset x.h5 musdb18hq
done
for o in --stems --mixes "--output x" "--chunk-frames 16"; do
    fails 2 "${o% *} does nothing with --dataset" "$o and a set" "$chunk" $o --dataset x.h5 musdb18hq
done
for o in --stems --mixes --keep-going "--pad 0.5" "--layout auto" "--class-map four" "--classes bass"; do
    fails 2 "${o% *} does nothing with --pairs" "$o and pairs" "$chunk" $o --pairs --take 1 musdb.h5
done
fails 2 "--others goes with --dataset" "others of nothing" "$chunk" --others musdb18hq
fails 2 "--pad does nothing with --dataset" "others with a padding" \
    "$chunk" --others --dataset musdb.h5 --pad 1 musdb18hq
fails 2 "not both at once" "pairs and a set" "$chunk" --pairs --dataset x.h5 musdb.h5

# -- what determines the output travels with it
"$chunk" --stems --mixes --pad 1 --layout musdb18hq --classes bass,drums,other,vocals --class-map four -q musdb18hq \
    -o said.sjt
check "options are said in the provenance" '
p = next(records("said.sjt"))["provenance"][0]["options"]
want = {"stems": True, "mixes": True, "pad": 1, "layout": "musdb18hq", "classes": "bass,drums,other,vocals",
        "class-map": "four", "chunk-frames": 800}
assert want == {k: p.get(k) for k in want}, p'
check "of a training set, too" '
import h5py, json
p = json.loads(h5py.File("musdb.h5").attrs["provenance"])
assert p[0]["tool"] == "sj-chunk" and p[0]["options"]["pad"] == 0.5 and p[0]["options"]["layout"] == "auto", p'

# -- real music
music=$shared/data
if [ -d "$music/musdb18-7s/train-16k" ]; then
    ok "94 songs of four channels" "$chunk" --stems --mixes "$music/musdb18-7s/train-16k" -o real.sjt
    is "$("$view" real.sjt | grep -v '^#' | sed 1d | wc -l)" 752 "stems and rests of all"
    ok "MP3 stems" sh -c "'$chunk' --stems '$music'/multitrack-cc0/*.mp3 >mp3.sjt"
    is "$(keys mp3.sjt)" \
        "bassguitar:stem:bass clav:stem:other drums:stem:drums horns:stem:other leadguitar:stem:other " "by name"
    mkdir published && ln -s "$music/musdb18-7s/train-original/Giselle - Moss.stem.mp4" \
        "$music/musdb18-7s/train-original/Music Delta - Britpop.stem.mp4" published/
    ok "MUSDB18 as published" "$chunk" -q --dataset published.h5 published
    ok "and at 16 kHz" "$chunk" -q --dataset 16k.h5 "$music/musdb18-7s/train-16k"
    check "are the same music" '
import h5py
a, b = ({t.attrs["key"]: t["audio"][:].astype("f8") for t in h5py.File(p)["track"].values()}
        for p in ("published.h5", "16k.h5"))
assert len(a) == 2
for k in a:
    for x, y in zip(a[k], b[k]):
        assert len(x) == len(y) and np.corrcoef(x, y)[0, 1] > 0.999, k'
else
    skip "real music" "no $music"
fi
# -- a data chunk that claims more than the file has, though the file's own size agrees
/usr/bin/python3 - <<'E'
import struct, wave
with wave.open("whole.wav", "wb") as f:
    f.setparams((1, 2, 16000, 0, "NONE", ""))
    f.writeframes(b"\1\0" * 16000)
b = bytearray(open("whole.wav", "rb").read()[:8000])
b[4:8] = struct.pack("<I", len(b) - 8)
open("short.wav", "wb").write(b)
E
ok "a whole WAV file" "$bin/sj-chunk" whole.wav -o whole.sjt
printf 'RIFF\0\0\0\0WAVE' >zeros.wav && truncate -s 1G zeros.wav
fails 3 "'zeros.wav' cannot be read" "a GB of zeros behind a head, soon" timeout 20 "$bin/sj-chunk" zeros.wav
fails 3 "'short.wav' is cut short" "a WAV file whose data chunk claims more" "$bin/sj-chunk" short.wav -o short.sjt
fails 2 "nothing without --pairs" "--seed without --pairs" "$bin/sj-chunk" --seed 3 whole.wav
fails 2 "convert with sj-view" "an ending that promises another format" "$bin/sj-chunk" whole.wav -o whole.npy
finish
