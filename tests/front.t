#!/bin/bash
# sj: index, match, explain, align, train; what is read again; filters, previews, hostile names, refusals.
# shellcheck disable=SC2016  # $ is for an inner shell
. tests/tap.sh
sj=$bin/sj
cd "$dir" || exit 1
export HOME=$dir/home XDG_DATA_HOME=$dir/home/data XDG_STATE_HOME=$dir/home/state
unset SJ_MODEL SJ_INDEX
mkdir home

is "$("$sj" | sed -n 1p)" "usage: sj COMMAND ..." "alone it says what there is"
is $(($("$sj" | wc -l) < 40 && $("$sj" | wc -L) <= 120)) 1 "in one screen"
for c in index match align explain train; do ok "help $c" "$sj" help $c; done
ok "an option asks for help" "$sj" match --help
for c in index match align explain train; do
    program=$bin/sj-${c/explain/match}
    for o in -V --version -qV; do is "$("$sj" $c $o)" "$("$program" --version)" "$c $o"; done
done
is "$("$sj" --version)" "$("$bin/sj-index" --version | sed 's/^sj-index/sj/')" "its version"
for c in '' --help 'help train' 'train --help' -V --version; do
    fails 4 "sj: cannot write to standard output: No space left on device" "sj $c to a full disk" \
        sh -c '"$1" $2 >/dev/full' - "$sj" "$c"
    fails 4 "sj: cannot write to standard output: Bad file descriptor" "sj $c to nowhere" \
        sh -c '"$1" $2 >&-' - "$sj" "$c"
done
fails 4 "cannot write to standard output" "a program's help to a full disk" sh -c '"$1" match --help >/dev/full' - "$sj"
{ sleep 0.2 && "$sj"; echo $? >status; } 2>err | true
is "$(cat status err)" 141 "sj to a pipe that nobody reads"
fails 2 "no command 'find'" "another command" "$sj" find x
fails 2 "no command 'find'" "help for another command" "$sj" help find
fails 2 "wants a mix" "match without a mix" "$sj" match
fails 2 "wants a mix and a stem" "explain without a stem" "$sj" explain mix.wav
fails 2 "there is no index yet" "no index" "$sj" match mix.wav
fails 2 "needs a folder" "-i at the end" "$sj" match mix.wav -i

"$bin/sj-synth" -q -n 5 --seconds 8 --folder songs || exit 1
mkdir -p alone && cp -r "$bin" alone/bin # without what lies beside it
fails 2 "no model" "no model" alone/bin/sj index songs
rm -r alone
"$BUILD/tests/make_model" model.h5 && "$BUILD/tests/make_model" other.h5 mlp_film || exit 1

# -- the index
ok "index" "$sj" index -m model.h5 songs
is "$(sed 's/.*: 20/20/' err)" "20 stems of 5 files and folders: 5 read, 0 unchanged, 0 forgotten" "all stems are read"
before=$(stat -c %i songs/.sj/index.h5)
ok "index again" "$sj" index songs
is "$(sed 's/.*folders: //' err)" "0 read, 5 unchanged, 0 forgotten" "nothing is read again"
is "$(stat -c %i songs/.sj/index.h5)" "$before" "nor is the index written again"
touch songs/synth-0-000001/bass.wav
"$bin/sj-synth" -q --seed 9 -n 1 --seconds 8 --folder songs
rm -r songs/synth-0-000002
ok "index after changes" "$sj" index songs
is "$(sed 's/.*folders: //' err)" "2 read, 3 unchanged, 1 forgotten" \
    "what is new or changed is read, what is gone forgotten"
ok "once more" "$sj" index -q songs
is "$(find songs/.sj/frames -type f | wc -l)" 5 "frames of what is gone are removed"
truncate -s -1 "$(find songs/.sj/frames -type f | head -n 1)"
ok "index with frames cut short" "$sj" index songs
is "$(sed 's/.*folders: //' err)" "1 read, 4 unchanged, 0 forgotten" "they are read again"
exec 9>songs/.sj/lock && flock 9
fails 4 "another program is writing" "two at a time" "$sj" index songs
exec 9>&-
echo "no sound" >songs/noise.wav
ok "a file that is no sound" sh -c '"$1" index songs; [ $? -eq 1 ]' - "$sj"
is "$(grep -c "skipped: .*noise.wav" err)" 1 "is named and skipped"
rm songs/noise.wav
fails 4 "nowhere" "a folder that is not there" "$sj" index nowhere
mkdir moving && mv songs moving/songs
ok "a folder that was moved" "$sj" index moving/songs
is "$(sed 's/.*folders: //' err)" "0 read, 5 unchanged, 0 forgotten" "nothing is read again"
mv moving/songs . && "$sj" index -q songs
cp -r songs/synth-0-000003 uneven && "$bin/sj-synth" -q --seed 7 -n 1 --seconds 4 --folder brief
mkdir unequal && mv uneven unequal/song && cp brief/*/bass.wav unequal/song/bass.wav
ok "stems of unequal length" "$sj" index -m model.h5 unequal
is "$(sed 's/.*: 4/4/' err)" "4 stems of 1 files and folders: 1 read, 0 unchanged, 0 forgotten" \
    "are those of a song all the same"
"$sj" index -q songs # the last one made
mkdir bare && fails 3 "no sound files" "a folder without sounds" "$sj" index -m model.h5 bare

# -- matching: as the pipeline has it
cp songs/synth-0-000003/drums.wav mix.wav
ok "match" "$sj" match -i songs --json -k 100 --class bass mix.wav
cp out matched
is "$(wc -l <matched)" 5 "one class only"
"$sj" match -i songs --json -k 100 mix.wav >all
is "$(sed -n 's/.*synth-0-000003.*"tempo_bpm":\([0-9.]*\).*/\1/p' all | sort -u | wc -l)" 1 \
    "stems of a song have its tempo"
is "$(sed -n 's/.*"key":"\([^"]*\)".*synth-0-000003.*/\1/p' all | sort -u | wc -l)" 1 "and its key"
printf 'RIFF\044\175\000\000WAVEfmt \020\000\000\000\001\000\001\000' >silence.wav
printf '\200\076\000\000\000\175\000\000\002\000\020\000data\000\175\000\000' >>silence.wav
head -c 32000 /dev/zero >>silence.wav
fails 3 "is silent" "a mix without a sound" "$sj" match -i songs silence.wav
# eight seconds are one span of the model: no chunks and no windows
"$bin/sj-chunk" --stems songs | "$bin/sj-mel" | "$bin/sj-embed" -m model.h5 --network target --pool track -o stems.h5
"$bin/sj-chunk" mix.wav | "$bin/sj-mel" | "$bin/sj-embed" -m model.h5 |
    "$bin/sj-predict" -m model.h5 --class bass --pool track |
    "$bin/sj-knn" --json --class bass -k 100 stems.h5 >ranked
"$sj" match -i songs --class bass --refine 0 --json mix.wav >averages
ok "what sounds when is half of a refined score" /usr/bin/python3 - <<'E1'
import json
a, b = ({x["path"]: x for x in map(json.loads, open(f))} for f in ("averages", "matched"))
assert a.keys() == b.keys() and [x["rank"] for x in b.values()] == [1, 2, 3, 4, 5]
scores = [x["score"] for x in b.values()]
assert scores == sorted(scores, reverse=True) and all(a[p]["offset_s"] == b[p]["offset_s"] for p in a)
half = [2 * b[p]["score"] - a[p]["score"] for p in a]
assert all(-1 <= s <= 1 for s in half) and len(set(half)) == 5, half
E1
ok "of the best on average only" "$sj" match -i songs --class bass --refine 2 -k 2 --json -o two mix.wav
ok "those are listed" /usr/bin/python3 -c '
import json
a = [json.loads(x)["path"] for x in open("averages")]
assert {json.loads(x)["path"] for x in open("two")} == set(a[:2])'
ok "ranks and scores are those of sj-knn" /usr/bin/python3 - <<'E1'
import json
a = [json.loads(x) for x in open("averages")]
b = [json.loads(x) for x in open("ranked")]
assert [x["path"] for x in a] == ["songs/" + x["reference"] + ".wav" for x in b], (a, b)
assert all(abs(x["score"] - (1 - y["distance"] ** 2 / 2)) < 2e-2 for x, y in zip(a, b)), (a, b)
assert [x["rank"] for x in a] == [1, 2, 3, 4, 5]
E1
ok "match, the index made last" "$sj" match mix.wav
is "$(head -n 1 out | tr '\t' ' ')" \
    "rank score class offset_s tempo_bpm key mix_tempo_bpm mix_key shift_semitones tempo_ratio path" \
    "a table when it is no terminal"
is "$(wc -l <out)" 11 "ten of them"
ok "match from within" sh -c 'cd songs/synth-0-000003 && "$1" match ../../mix.wav | grep -q synth' - "$sj"
cp out listed
for words in -isongs --index=songs '-qi songs' '-qisongs -j1' '-k10 -i songs' '-qk 10 --index songs' \
    '-i songs --neighbours=10'; do
    # shellcheck disable=SC2086
    ok "match $words" "$sj" match $words mix.wav
    ok "is understood" cmp out listed
done
fails 2 "option '--json' takes no value" "a value for what has none" "$sj" match -i songs --json=yes mix.wav
fails 2 "unknown option '-y'" "letters with an unknown one" "$sj" match -i songs -qy mix.wav
fails 2 "needs a value" "letters that end in one with a value" "$sj" match mix.wav -qk
ok "match by SJ_INDEX" env SJ_INDEX=songs "$sj" match mix.wav
mv songs moved
ok "an index that was moved" "$sj" match -i moved mix.wav
is "$(grep -c moved/ out)" 10 "finds what was moved with it"
mv moved songs

cp songs/synth-0-000001/bass.wav before.wav
fails 2 "would replace" "a preview over a stem" "$sj" match -i songs --preview songs/synth-0-000001/bass.wav mix.wav
ok "it is as it was" cmp before.wav songs/synth-0-000001/bass.wav
fails 2 "would replace" "a list over the index" "$sj" match -i songs -o songs/.sj/index.h5 mix.wav
fails 2 "must end in .wav" "a preview of another kind" "$sj" match -i songs --preview heard.mp3 mix.wav
cp silence.wav songs/silence.wav
fails 3 "'songs/silence.wav' is silent" "why silence fits" "$sj" explain -i songs mix.wav songs/silence.wav
rm songs/silence.wav
fails 2 "wants a mix, not 2 names: bass mix.wav" "an option that there is not" "$sj" match -i songs --clas bass mix.wav
ok "an index elsewhere" "$sj" index -m model.h5 --store elsewhere songs
ok "is the one made last" "$sj" match --json -k 1 mix.wav
rm -r elsewhere && "$sj" index -q -m model.h5 songs
fails 2 "--size is 'huge'" "a training of no size" "$sj" train --size huge -o never.h5 songs
ok "reads nothing" test ! -e never.train.h5

# -- filters
"$sj" match -i songs --json -k 100 mix.wav >everything
ok "what a filter lists is what the list has" /usr/bin/python3 - "$sj" <<'E1'
import json, subprocess, sys
every = [json.loads(x) for x in open("everything")]
def ask(*words):
    line = [sys.argv[1], "match", "-i", "songs", "--json", "-k", "100", *words, "mix.wav"]
    r = subprocess.run(line, capture_output=True)
    assert r.returncode in (0, 1), r.stderr
    return [json.loads(x)["path"] for x in r.stdout.splitlines()]
def want(test):
    return [x["path"] for x in every if test(x)]
assert ask("--tempo", "90,120") == want(lambda x: 90 <= x.get("tempo_bpm", 0) <= 120)
key = next(x["key"] for x in every if "key" in x)
assert ask("--key", key.replace(":", " ")) == want(lambda x: x.get("key") == key)
assert ask("--stretch", "5") == want(lambda x: abs(x.get("tempo_ratio", 1) - 1) <= 0.05)
assert ask("--shift", "1") == want(lambda x: abs(x.get("shift_semitones", 0)) <= 1)
assert ask("--class", "bass,drums") == want(lambda x: x["class"] in ("bass", "drums"))
E1
fails 1 "no stem of the index passes" "a filter that nothing passes" "$sj" match -i songs --tempo 1,2 mix.wav
fails 2 "goes down" "tempi the wrong way round" "$sj" match -i songs --tempo 120,90 mix.wav
fails 2 "is no key" "a key that is none" "$sj" match -i songs --key H mix.wav
fails 2 "bass, drums, other, vocals" "a class that is none" "$sj" match -i songs --class flute mix.wav

# -- previews
ok "preview" "$sj" match -i songs --json --class bass -k 3 --pick 2 --preview heard.wav mix.wav
cp out got
ok "the stem lies in the mix at its offset" /usr/bin/python3 - <<'E1'
import json, wave
import numpy as np
def read(path):
    with wave.open(path) as f:
        x = np.frombuffer(f.readframes(f.getnframes()), "<i2").reshape(-1, f.getnchannels())
        return f.getframerate(), x.mean(1) / 32768
line = [json.loads(x) for x in open("got")][1]
rate, heard = read("heard.wav")
_, mix = read("mix.wav")
_, stem = read(line["path"])
shift = round(line["offset_s"] * rate)
want = mix.copy()
for i in range(len(mix)):
    if 0 <= i + shift < len(stem):
        want[i] += stem[i + shift]
want /= max(1, abs(want).max())
assert len(heard) == len(mix) and abs(heard - want).max() < 3e-4, abs(heard - want).max()
assert abs(heard - mix).max() > 0.01
E1
fails 2 "replace" "a preview over the mix" "$sj" match -i songs --preview mix.wav mix.wav
fails 1 "only" "a pick beyond what there is" "$sj" match -i songs --class bass -k 100 --pick 50 --preview x.wav mix.wav
fails 4 "nowhere" "a mix that is not there" "$sj" match -i songs nowhere.wav

# -- one stem
ok "explain" "$sj" explain -i songs mix.wav songs/synth-0-000003/bass.wav
for word in stem class score 'by chance' rank 'as bass' 'as vocals' tempo key offset; do
    is "$(grep -c "^$word " out)" 1 "explain tells: $word"
done
rank=$(sed -n 's/.*"path":"songs.synth-0-000003.bass.wav","rank":\([0-9]*\).*/\1/p' matched)
is "$(sed -n 's/^rank *//p' out)" "$rank of 5" "the rank is that of the list"
"$sj" explain -i songs --json mix.wav songs/synth-0-000003/bass.wav >why
ok "so are score, offset and random level" /usr/bin/python3 -c 'import json, statistics
got, rows = json.load(open("why")), [json.loads(x) for x in open("matched")]
own = next(x for x in rows if "000003" in x["path"])
others = [x["score"] for x in rows if x is not own]
assert got["score"] == own["score"] and got["offset_s"] == own["offset_s"] and got["score_as"]["bass"] == got["score"]
assert abs(got["random_level"] - statistics.fmean(others)) < 1e-6
assert abs(got["random_spread"] - statistics.pstdev(others)) < 1e-6'
cp songs/synth-0-000003/bass.wav bass.wav
ok "explain what the index does not have" "$sj" explain -i songs --json --class bass mix.wav bass.wav
cp out got
ok "as it would be in it" /usr/bin/python3 -c 'import json
got = json.load(open("got"))
own = next(x for x in map(json.loads, open("matched")) if "000003" in x["path"])
assert abs(got["score"] - own["score"]) < 2e-3 and got["of"] == 6 # the index keeps 8 bits of a value
assert set(got["score_as"]) == {"bass", "drums", "other", "vocals"}
assert abs(got["offset_s"] - own["offset_s"]) < 0.2, (got, own) # tempo and key are those of the stem alone'
ok "align" env SJ_MODEL=model.h5 "$sj" align mix.wav bass.wav
is "$(wc -l <out)" 2 "says one offset"

# -- facts
/usr/bin/python3 - <<'E1' || exit 1
import wave
import numpy as np
R = 16000
def save(path, *channels):
    with wave.open(path, "wb") as f:
        f.setnchannels(len(channels)), f.setsampwidth(2), f.setframerate(R)
        f.writeframes((np.stack(channels, 1) * 8000).clip(-32767, 32767).astype("<i2").tobytes())
def chord(notes, n):
    t = np.arange(n) / R
    return sum(np.sin(2 * np.pi * 440 * 2 ** ((m - 69) / 12) * t) for m in notes) * np.exp(-2 * t) / 3
n = R // 2  # 120 a minute
bars = [(62, 66, 69), (67, 71, 74), (69, 73, 76), (62, 66, 69)] * 8  # D G A D
tune = np.concatenate([chord(b, n) for b in bars])
save("tune.wav", tune)
save("silence.wav", np.zeros(5 * R))
save("four.wav", tune, tune * 0, tune * 0, tune * 0)
E1
ok "facts" "$bin/sj-facts" tune.wav silence.wav four.wav:bass four.wav:drums
is "$(awk -F'\t' 'NR == 2 { printf "%s %d %s", $2, $4 + 0.5, $5 }' out)" "16.000 120 D:major" "length, tempo and key"
is "$(sed -n 3p out | tr '\t' ' ')" "silence.wav 5.000 0.0000 - - -" "of silence nothing"
is "$(sed -n 4p out | cut -f 2-5)" "$(sed -n 2p out | cut -f 2-5)" "a stem of a file with several"
fails 4 "nowhere" "facts of nothing" "$bin/sj-facts" nowhere.wav
fails 3 "no stem 'flute'" "a stem that is not there" "$bin/sj-facts" four.wav:flute

# -- hostile names
hostile=$'a b/-new\nline\t$(x) "q'
mkdir -p "$hostile/bass" && cp songs/synth-0-000000/bass.wav "$hostile/bass/-o.wav" && cp four.wav "$hostile/four.wav"
ok "hostile names: index" "$sj" index -m model.h5 -- "$hostile"
is "$(sed 's/.*: \([0-9]* stems\).*/\1/' err | tail -n 1)" "5 stems" \
    "a folder's name and a file's channels tell the class"
cp mix.wav "$hostile.wav"
ok "hostile names: match, the index made last" "$sj" match --json --class bass -- "$hostile.wav"
is "$(wc -l <out)" 2 "hostile names: one line each"
cp out got
ok "hostile names: the paths lead to the files" /usr/bin/python3 -c 'import json, os
got = [json.loads(x)["path"] for x in open("got")]
assert all(os.path.exists(x.removesuffix(":bass")) for x in got) and any(x.endswith("four.wav:bass") for x in got), got'
ok "hostile names: explain" "$sj" explain -i "$hostile" -- "$hostile.wav" "$hostile/four.wav:bass"
ok "hostile names: preview" "$sj" match -i "$hostile" --preview "$hostile.out.wav" -- "$hostile.wav"

# -- another model
ok "index by another model" "$sj" index -m other.h5 songs
is "$(grep -c "made by another model" err)" 1 "it is said"
is "$(sed -n 's/.*folders: //p' err)" "5 read, 0 unchanged, 0 forgotten" "everything is read again"
"$BUILD/tests/make_model" other.h5
fails 3 "another model" "a model that has changed since" "$sj" match -i songs mix.wav
rm other.h5
head -c 3000 songs/.sj/index.h5 >short.h5 && mkdir broken && mv short.h5 broken/index.h5
fails 3 "index.h5" "an index that is cut short" "$sj" match -i broken mix.wav

# -- a model of one's own
ok "train" "$sj" train --size tiny --steps 2 --batch 2 -j 1 songs
own=$XDG_DATA_HOME/sj/model.h5
is "$(tail -n 1 err)" "sj: the model is $own: sj index DIR renews an index with it" "it says where the model is"
ok "the model is used from then on" "$sj" index songs
ok "by match" "$sj" match -i songs -k 1 mix.wav
ok "train again: there is nothing left to do" "$sj" train --size=tiny --steps=2 --batch=2 -j1 -o"$own" songs
is "$(grep -c "is finished" err)" 1 "options and values in one word are the same"
fails 2 "does not know --epochs=2" "an option that is none, and its value" "$sj" train --epochs=2 songs
fails 2 "takes no -i" "train with an index" "$sj" train -isongs songs
cp "$own" finished.h5
fails 2 "'$own' was made with 'steps' 2, not 10: --replace trains anew in its place" "a model of other steps stays" \
    "$sj" train --size tiny --steps 10 --batch 2 -j 1 songs
ok "as it was" cmp "$own" finished.h5
set=${own%.h5}.train.h5
"$bin/sj-train" -q --size tiny --steps 10 --batch 2 -j 1 --checkpoint-every 0 --log log --log-every 1 -o "$own" "$set" &
for _ in $(seq 1000); do
    [ "$(cat log 2>/dev/null | wc -l)" -ge 2 ] && break
    sleep 0.02
done
kill -KILL $!
wait $! 2>/dev/null
ok "an interrupted training leaves a checkpoint" test -s "$own.checkpoint"
"$bin/sj-synth" -q --seed 11 -n 1 --seconds 8 --folder songs
ok "it goes on, though there is a new song" "$sj" train --size tiny --steps 10 --batch 2 -j 1 songs
is "$(sed -n '1s/; new ones wait for its end$//p' err)" \
    "sj: an interrupted training goes on with the recordings it began with" \
    "with those it began with"
is "$(grep -c "continues after step" err)" 1 "from there"
ok "and ends" test ! -e "$own.checkpoint"
mkdir songs/broken && echo "no sound" >songs/broken/bass.wav
ok "train once more, beside what is no sound" \
    sh -c '"$1" train --size tiny --steps 10 --batch 2 -j 1 songs; [ $? -eq 1 ]' - "$sj"
is "$(grep -c "skipped: .*broken" err)" 1 "which is named and skipped"
is "$(tail -n 1 err)" "sj: the model is $own: sj index DIR renews an index with it" "the model is made all the same"
is "$(sed -n "s/.*has \(.*\)/\1/p" err)" "6 tracks, 1 of them new" "takes in the new song"
is "$(grep -c "starts from the beginning" err)" 1 "and learns from all"
ok "and replaces a model of other steps when asked" \
    sh -c '"$1" train --replace --size tiny --steps 3 --batch 2 -j 1 songs; [ $? -eq 1 ]' - "$sj"
"$bin/sj-synth" -q --seed 21 -n 2 --seconds 10 --folder elsewhere
cp "$own" finished.h5 && cp "$set" finished-set.h5
others="$set holds 6 multitracks that are not in elsewhere, first 'synth-0-000000': name their folders, too"
fails 2 "$others, keep them with --add, or make another model with -o" "other folders" \
    "$sj" train --size tiny --steps 3 --batch 2 -j 1 elsewhere
cp "$own" "$own.checkpoint"
fails 2 "$others" "also where a training was interrupted" "$sj" train --size tiny --steps 3 --batch 2 -j 1 elsewhere
rm "$own.checkpoint"
ok "change neither set nor model" sh -c 'cmp "$1" finished.h5 && cmp "$2" finished-set.h5' - "$own" "$set"
rm -r songs/broken
ok "they are learnt from together when named together" "$sj" train --size tiny --steps 3 --batch 2 -j 1 songs elsewhere
is "$(sed -n "s/.*has \(.*\)/\1/p" err)" "8 tracks, 2 of them new" "all of them"
"$bin/sj-synth" -q --seed 22 -n 1 --seconds 10 --folder third
ok "or when asked" "$sj" train --add --size tiny --steps 3 --batch 2 -j 1 third
is "$(sed -n "s/.*has \(.*\)/\1/p" err)" "9 tracks, 1 of them new" "from all"
fails 2 "train wants folders" "no folder" "$sj" train
fails 2 "does not know --epochs" "train with an option that is none" "$sj" train --epochs 2 songs
finish
