#!/bin/sh
# sj-synth: streams and folders of made-up pieces.
. tests/tap.sh
synth=$bin/sj-synth
view=$bin/sj-view
python=/usr/bin/python3
cd "$dir" || exit 1

# -- streams
ok "the mixes of pieces" "$synth" -n 2 --seconds 9 -o mix.sjt
ok "are a whole stream" "$view" --check mix.sjt
keys() { "$view" "$1" | grep -v '^#' | sed 1d | cut -f1 | uniq | tr '\n' ' '; }
is "$(keys mix.sjt)" "synth-0-000000 synth-0-000001 " "named by seed and number"
ok "stems and sums" "$synth" -n 1 --seconds 9 --seed 7 --stems --mixes -o both.sjt
k="synth-7-000000"
is "$(keys both.sjt)" "$k/bass $k/drums $k/other $k/vocals $k/bass $k/drums $k/other $k/vocals " "stems, then sums"
ok "three pieces" "$synth" -n 3 --seconds 9 -j 1 -o three.sjt
ok "on two threads" "$synth" -n 3 --seconds 9 -j 2 -o other.sjt
ok "are the same bytes" cmp three.sjt other.sjt
"$synth" -n 1 --first 2 --seconds 9 >third.sjt
ok "shards make a stream" sh -c "cat mix.sjt third.sjt | '$view' -o joined.sjt - && '$view' three.sjt -o all.sjt"
ok "that of the whole job" cmp joined.sjt all.sjt
ok "no pieces" sh -c "'$synth' -n 0 | '$view' --check"

# -- folders
ok "folders" "$synth" -n 2 --seconds 9 --seed 7 --folder corpus
is "$(find "corpus/$k" -type f -printf "%f\n" | sort | tr '\n' ' ')" \
    "annotation.json bass.wav beats.lab chords.lab drums.wav key.lab other.wav vocals.wav " "have stems and annotations"
ok "are a layout that sj-chunk knows" sh -c "'$bin/sj-chunk' --stems --mixes corpus/$k -o folder.sjt"
is "$(keys folder.sjt)" "$(keys both.sjt | sed "s/ *$k/ $k/g; s/^ //")" "with the same records"
cat >same.py <<'E'
import json, subprocess, sys
import numpy as np
def values(path):
    out = subprocess.run([sys.argv[1], "--json", "--values", path], capture_output=True, check=True).stdout
    return [np.array(json.loads(line)["values"]) for line in out.splitlines()[1:]]
a, b = values("both.sjt"), values("folder.sjt")
assert len(a) == len(b) == 16, (len(a), len(b))
for x, y in zip(a, b):
    assert x.shape == y.shape and abs(x - y).max() < 4 / 65536 and abs(x).max() > 0.1
E
ok "and the same sound, but for 16 bits" $python same.py "$view"
cat >labels.py <<'E'
import json, sys
folder = sys.argv[1]
j = json.load(open(folder + "/annotation.json"))
rows = lambda name: [line.rstrip("\n").split("\t") for line in open(f"{folder}/{name}.lab")]
assert (j["seed"], j["number"], j["seconds"]) == (7, 0, 9), j
assert rows("key") == [["0.000000", "9.000000", "Key", j["key"]]] and j["key"].endswith(":" + j["mode"])
assert [(float(b), float(e), label) for b, e, label in rows("chords")] == \
       [(round(c["start_s"], 6), round(c["end_s"], 6), c["label"]) for c in j["chords"]]
beats = [float(t) for t, _ in rows("beats")]
assert len(beats) == len(j["beats"]) and [int(n) for _, n in rows("beats")][:5] == [1, 2, 3, 4, 1]
assert max(abs(b - a - 60 / j["tempo_bpm"]) for a, b in zip(beats, beats[1:])) < 1e-5
E
ok "labels and JSON agree" $python labels.py corpus/$k
cp -r corpus before
ok "made once more" "$synth" -n 2 --seconds 9 --seed 7 -j 1 --folder corpus
ok "the same files" diff -r before corpus
rm before/$k/other.wav && mkdir before/$k/other.wav
fails 4 "before/$k/other.wav" "over an older folder, with a stem that cannot be" \
    "$synth" -n 1 --seconds 9 --seed 7 --folder before
ok "it does not look complete" test ! -e before/$k/annotation.json
rmdir before/$k/other.wav
ok "made again" "$synth" -n 1 --seconds 9 --seed 7 --folder before
ok "it is complete" diff -r before/$k corpus/$k

# -- what cannot be
fails 2 "--seconds" "no length" "$synth" --seconds 0 --folder none
fails 2 "--folder" "two outputs" "$synth" --folder none -o none.sjt
fails 2 "" "an operand" "$synth" file
: >file
fails 4 "'file/sub'" "a file where the folder should be" "$synth" -n 1 --seconds 1 --folder file/sub
fails 4 "" "a full device" sh -c "'$synth' -n 1 --seconds 1 >/dev/full"
is "$(find . -name 'none*' | wc -l)" 0 "of these nothing appears"
finish
