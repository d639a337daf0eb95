#!/bin/bash
# sj-train: the same model whatever happens on the way; checkpoints that survive; inputs that are refused.
# shellcheck disable=SC2016,SC2086,SC2317,SC2002  # $ is for an inner shell; words; functions are called by name; cat may fail
. tests/tap.sh
cd "$dir" || exit 1
train=$bin/sj-train
"$BUILD/tests/make_dataset" set.h5 4 4 && "$BUILD/tests/make_dataset" held.h5 3 3 || exit 1
"$BUILD/tests/make_dataset" other.h5 2 4 flute horn oboe viola || exit 1
tiny="--dim 16 --depth 2 --heads 2 --hidden 32 --layers 3 --frames 160 --batch 4 --steps 80 --seed 1 --rate 0.05 --ema 0.9 --ema-end 0.99"
run() { "$train" -q -j 1 $tiny "$@"; }

# -- one result
ok "a model" run -o plain.h5 --log log set.h5 --log-every 1
is "$(wc -l <log)" 80 "a line of log for every step"
ok "of JSON with the numbers of the training" /usr/bin/python3 -c '
import json, math
rows = [json.loads(line) for line in open("log")]
assert [r["step"] for r in rows] == list(range(1, 81))
for r in rows:
    for k in ("loss", "rate", "gradient_norm", "ema", "target_std", "samples_per_s", "eta_s"):
        assert math.isfinite(r[k]), k
    assert r["collapse"] in (True, False)
assert rows[-1]["loss"] < rows[0]["loss"]'
is "$(ls -- *.checkpoint 2>/dev/null)" "" "no checkpoint is left"
ok "the same with three threads" run -j 3 -o again.h5 set.h5
ok "bit for bit" cmp plain.h5 again.h5
ok "the same as a pipe" sh -c '"$0"/sj-chunk --pairs --chunk-frames 160 --seed 1 --take 320 set.h5 | "$0"/sj-mel | '"$train -q -j 1 $tiny -o pipe.h5" "$bin"
weights() { /usr/bin/python3 -c '
import h5py, sys
a, b = (h5py.File(f) for f in sys.argv[1:3])
assert a.attrs["id"] == b.attrs["id"]
for g in ("encoder", "target", "predictor"):
    assert set(a[g]) == set(b[g])
    for k in a[g]:
        assert (a[g][k][()] == b[g][k][()]).all(), k' "$1" "$2"; }
ok "the same weights" weights plain.h5 pipe.h5
ok "changed pairs" run --augment all -o changed.h5 set.h5
ok "the same as a pipe" sh -c '"$0"/sj-chunk --pairs --chunk-frames 160 --seed 1 --take 320 --augment all set.h5 | "$0"/sj-mel | '"$train -q -j 1 $tiny -o pipe.h5" "$bin"
ok "the same weights" weights changed.h5 pipe.h5
ok "others than without" sh -c '! cmp -s plain.h5 changed.h5'
ok "another seed" run --seed 2 -o seed.h5 set.h5
ok "gives another model" sh -c '! cmp -s plain.h5 seed.h5'

# the reference's table analyses waveforms itself, as a device does: they go another way in
ok "where the back end makes the spectrograms" run --backend cpu:reference --precision f32 --steps 5 --log own.log --log-every 1 -o own.h5 set.h5
ok "and where the host does" run --backend cpu --precision f32 --steps 5 --log host.log --log-every 1 -o host.h5 set.h5
ok "the losses are the same" /usr/bin/python3 -c '
import json
a, b = ([json.loads(line)["loss"] for line in open(f)] for f in ("own.log", "host.log"))
assert len(a) == len(b) == 5 and max(abs(x - y) for x, y in zip(a, b)) < 1e-5, (a, b)'
ok "with passes of two as well" run --backend cpu:reference --precision f32 --steps 2 --micro 2 -o own2.h5 set.h5

# -- interruptions
# interrupted SIGNAL FILE STEPS [OPTION...]: a run that gets the signal after some steps; its status.
interrupted() {
    local sig=$1 file=$2 steps=$3 pid
    shift 3
    "$train" -q -j 1 $tiny -o "$file" --log "$file.log" --log-every 1 "$@" set.h5 &
    pid=$!
    for _ in $(seq 1000); do
        [ "$(cat "$file.log" 2>/dev/null | wc -l)" -ge "$steps" ] && break
        sleep 0.02
    done
    kill "-$sig" $pid
    wait $pid 2>/dev/null
}
interrupted KILL killed.h5 5 --checkpoint-every 0
ok "killed, it leaves a checkpoint and no model" sh -c '[ -s killed.h5.checkpoint ] && [ ! -e killed.h5 ]'
touch killed.h5.tmp000000 killed.h5.checkpoint.tmp000000 other.tmp000000 # by chance it was writing, too
cp killed.h5.checkpoint before
fails 2 "--resume" "which is not overwritten" run -o killed.h5 set.h5
fails 2 "'rate' 0.05" "nor continued as another training" run -o killed.h5 --resume --rate 0.06 set.h5
fails 2 "'depth' 2" "nor as another model" run -o killed.h5 --resume --depth 3 set.h5
fails 2 "other data" "nor with changed pairs" run -o killed.h5 --resume --augment gain set.h5
fails 2 "other data" "nor from other data" run -o killed.h5 --resume held.h5
# a full disk: a limit on the size of files, below that of a checkpoint
fails 4 "killed.h5.checkpoint" "a checkpoint that does not fit is an error" \
    sh -c "ulimit -f 20; trap '' XFSZ; exec $train -q -j 1 $tiny -o killed.h5 --checkpoint-every 0 --resume set.h5"
ok "the one before stays" cmp before killed.h5.checkpoint
is "$(ls -- *.tmp* 2>/dev/null)" "other.tmp000000" "with no temporary file, of this run or those that were killed"
rm other.tmp000000
/usr/bin/python3 -c '
import h5py, shutil
for name in ("weights", "second"):
    shutil.copy("killed.h5.checkpoint", name + ".checkpoint")
    with h5py.File(name + ".checkpoint", "r+") as f:
        f[name][5] = float("nan") if name == "weights" else f[name][5] * 2'
for name in weights second; do
    fails 3 "'$name.checkpoint' is damaged: '/$name'" "a checkpoint that was changed" \
        run -o killed.h5 --checkpoint $name.checkpoint --resume set.h5
done
ok "resumed" run -o killed.h5 --resume set.h5
ok "it ends bit for bit as if nothing had happened" cmp plain.h5 killed.h5

cp -p killed.h5 whole.h5 && touch -d 2001-01-01 killed.h5
"$train" -j 1 $tiny -o killed.h5 --resume set.h5 2>err
is "$?:$(cat err)" "0:sj-train: 'killed.h5' is finished: 80 steps of this training" "a finished one is left"
ok "as it is" sh -c 'cmp killed.h5 whole.h5 && [ "$(date -r killed.h5 +%Y)" = 2001 ]'
anew="--replace trains anew in its place"
fails 2 "'killed.h5' was made with 'steps' 80, not 81: $anew" "nor does one of more steps replace it unasked" \
    run --steps 81 -o killed.h5 --resume set.h5
fails 2 "'killed.h5' was made with 'depth' 2, not 3: $anew" "or one of another size" \
    run --depth 3 -o killed.h5 --resume set.h5
cp set.h5 nomodel.h5
fails 3 "$anew" "or what is no model" run -o nomodel.h5 --resume set.h5
fails 2 "--replace goes with --resume" "without --resume it would be" run --replace -o killed.h5 set.h5
ok "seen in a dry run" run --dry-run --replace --steps 81 -o killed.h5 --resume set.h5
ok "it stays" cmp killed.h5 whole.h5
ok "when asked" run --replace --steps 81 -o killed.h5 --resume set.h5
ok "it is made" sh -c '! cmp -s killed.h5 whole.h5'
first() { "$train" -j 1 $tiny --steps 1 -o first.h5 --resume "$@" set.h5 2>&1 | grep -c "starts from the beginning"; }
is "$(first)" 0 "a first run has nothing to say of a checkpoint"
is "$(first --checkpoint gone)" 0 "nor has a finished one"
is "$(first --replace)" 1 "with a model there it has"
rm first.h5
is "$(first --checkpoint gone)" 1 "and with a checkpoint that was named"

interrupted TERM term.h5 3
is $? 143 "SIGTERM ends it as a signal does"
ok "after a checkpoint" test -s term.h5.checkpoint
is "$(ls -- *.tmp* 2>/dev/null)" "" "and no temporary file"
ok "resumed" run -o term.h5 --resume set.h5
ok "with the same end" cmp plain.h5 term.h5

pairs='"$0"/sj-chunk --pairs --chunk-frames 160 --seed 1 --skip $1 --take $2 set.h5 | "$0"/sj-mel | '"$train -q -j 1 $tiny -o half.h5 --checkpoint-every 0"
ok "a stream that ends early fails" sh -c '! sh -c "$1" "$0" 0 22 2>early' "$bin" "$pairs"
ok "and says where" grep -q "ends before pair 22" early
ok "the checkpoint stays" test -s half.h5.checkpoint
ok "from the wrong place it does not go on" sh -c '! sh -c "$1 --resume" "$0" 0 320 2>early' "$bin" "$pairs"
ok "and says from where it would" grep -q "pair 20 is wanted" early
"$BUILD/tests/make_dataset" others.h5 4 3
ok "with pairs of other tracks it does not" sh -c '! sh -c "$1" "$0" 20 300 2>early' "$bin" "$(echo "$pairs --resume" | sed 's/ set.h5/ others.h5/')"
ok "and says so in a line" sh -c 'grep -q "was made with .tracks. \"4, [0-9a-f]*\", not \"[0-9]*, [0-9a-f]*\"" early && [ "$(grep -c sj-train early)" = 1 ] && [ "$(wc -c <early)" -lt 400 ]'
ok "from the right one it does" sh -c "$pairs --resume" "$bin" 20 300
ok "to the same end" weights plain.h5 half.h5

# -- options
for p in mlp_none transformer; do
    ok "predictor $p" run --predictor $p --trf-dim 16 --trf-depth 1 --trf-heads 2 --steps 2 -o $p.h5 set.h5
done
ok "contrastive" run --contrastive 0.5 --temperature 0.2 --contrastive-steps 4 --log nce.log --log-every 1 -o nce.h5 set.h5
ok "with another weight of the distance" run --cosine 3 --contrastive 0.5 --temperature 0.2 --contrastive-steps 4 \
    --log nce3.log --log-every 1 -o nce3.h5 set.h5
ok "the first four steps are the same, the fifth is not" /usr/bin/python3 -c '
import json
a, b = ([json.loads(line)["gradient_norm"] for line in open(f)] for f in ("nce.log", "nce3.log"))
assert a[:4] == b[:4] and a[4] != b[4], (a[:6], b[:6])'
ok "is logged" grep -q '"contrastive":.*"first":' nce.log
two="--contrastive-warmup 6 --contrastive 1 --contrastive-targets encoder --other-classes 0.5 --cosine 0.5"
"$bin/sj-synth" -q -n 4 --seconds 4 --folder pieces && "$bin/sj-chunk" -q --dataset pieces.h5 pieces || exit 1
for pool in track aligned; do
    ok "validated with --pool $pool" run --validate pieces.h5 --validate-every 80 --validate-frames 96 --validate-pool $pool \
        --precision f32 --log $pool.log -o $pool.h5 set.h5
    "$bin/sj-chunk" -q --stems --chunk-frames 96 pieces | "$bin/sj-mel" |
        "$bin/sj-embed" -q -m $pool.h5 --network target --precision f32 --pool $pool -o stems.h5
    "$bin/sj-chunk" -q --mixes --chunk-frames 96 pieces | "$bin/sj-mel" | "$bin/sj-embed" -q -m $pool.h5 --precision f32 |
        "$bin/sj-predict" -q -m $pool.h5 --precision f32 --pool $pool | "$bin/sj-knn" -q --metrics stems.h5 >table.tsv
    ok "as the programs measure it" /usr/bin/python3 -c '
import json, sys
got = [json.loads(line)["validation"] for line in open(sys.argv[1])  if "validation" in line][-1]
head, row = (line.rstrip("\n").split("\t") for line in open("table.tsv"))
want = dict(zip(head, row))
assert got["queries"] == int(want["queries"]) == 16
assert abs(100 * got["mean_rank"] - float(want["mean_rank_percent"])) < 0.01, (got, want)' $pool.log
done
ok "a model of a short span" run --span 96 --frames 96 -o span.h5 set.h5
"$bin/sj-chunk" -q --stems --chunk-frames 96 pieces | "$bin/sj-mel" | "$bin/sj-embed" -q -j 1 -m span.h5 --pool track | "$bin/sj-view" -q -o cut.npy -
"$bin/sj-chunk" -q --stems --chunk-frames 384 pieces | "$bin/sj-mel" | "$bin/sj-embed" -q -j 1 -m span.h5 --pool track | "$bin/sj-view" -q -o whole.npy -
ok "longer chunks are cut as it wants them" cmp cut.npy whole.npy
"$bin/sj-chunk" -q --stems pieces | "$bin/sj-mel" | "$bin/sj-embed" -q -j 1 -m span.h5 --pool token -o tokens.sjt
ok "into chunks of their own" sh -c '"$1" --check tokens.sjt && "$1" --json tokens.sjt | grep -c "\"chunk_frames\":96" && cat tokens.sjt | "$2" -q -m span.h5 --class bass --pool track >/dev/null' \
    - "$bin/sj-view" "$bin/sj-predict"
fails 2 "--span is 100, must be a multiple of 16" "a span of no whole patches" run --span 100 -o no.h5 set.h5
fails 2 "--validate-pool goes with --validate" "pooling of no validation" run --validate-pool aligned -o no.h5 set.h5
fails 2 "--validate-frames is 100, must be a multiple of 16" "chunks of no whole patches" \
    run --validate held.h5 --validate-frames 100 -o no.h5 set.h5
ok "a warm-up of the encoder, and targets of its own" run $two --checkpoint-every 0 --log two.log --log-every 1 \
    --validate held.h5 --validate-every 4 --validate-seconds 2 -o two.h5 set.h5
ok "what is known of each step is logged" /usr/bin/python3 -c '
import json
rows = [json.loads(line) for line in open("two.log")]
steps = {r["step"]: r for r in rows if "validation" not in r}
assert all("contrastive" in r and 0 <= r["first"] <= 1 for r in steps.values())
assert [n for n, r in steps.items() if "loss" not in r] == [1, 2, 3, 4, 5, 6], steps
assert [n for n, r in steps.items() if r["ema"] == 0] == [1, 2, 3, 4, 5, 6]
assert [r["validation"]["predicted"] for r in rows if "validation" in r][:3] == [False, True, True]'
ok "the options are in the model" /usr/bin/python3 -c '
import h5py, json
how = json.loads(h5py.File("two.h5").attrs["training"])["settings"]
want = {"contrastive-warmup": 6, "contrastive-targets": "encoder", "other-classes": 0.5, "cosine": 0.5, "temperature": 0.1}
assert {k: how[k] for k in want} == want, how
plain = json.loads(h5py.File("plain.h5").attrs["training"])["settings"]
assert not {"contrastive-warmup", "contrastive-targets", "other-classes"} & plain.keys(), plain'
for steps in 3 6 9; do
    interrupted KILL cut$steps.h5 $steps --checkpoint-every 0 $two
    rm -f cut$steps.h5*.tmp*
    [ $steps != 3 ] || fails 2 "'contrastive-warmup' 6, not 7" "another warm-up is another training" \
        run $two --contrastive-warmup 7 -o cut3.h5 --resume set.h5
    ok "interrupted after step $steps or a little later, it goes on" run $two -o cut$steps.h5 --resume set.h5
    ok "to the same end" cmp two.h5 cut$steps.h5
done
interrupted KILL old.h5 3 --checkpoint-every 0
fails 2 "made without 'contrastive-warmup' 6" "a training without it does not go on with it" \
    run --contrastive-warmup 6 -o old.h5 --resume set.h5
ok "two towers alone, with three threads" run -j 3 --contrastive 1 --contrastive-targets encoder --cosine 0 --ema 0 --ema-end 0 -o towers.h5 set.h5
ok "the target is then the encoder" /usr/bin/python3 -c '
import h5py
f = h5py.File("towers.h5")
def same(name, d):
    assert not isinstance(d, h5py.Dataset) or (d[()] == f["encoder"][name][()]).all(), name
f["target"].visititems(same)'
ok "with one" run --contrastive 1 --contrastive-targets encoder --cosine 0 --ema 0 --ema-end 0 -o towers1.h5 set.h5
ok "the same" cmp towers.h5 towers1.h5
ok "the warm-up alone" run --contrastive-warmup 80 --cosine 0 -o alone.h5 set.h5
ok "leaves the predictor as it was" /usr/bin/python3 -c '
import h5py, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
a, b = h5py.File("alone.h5"), h5py.File("start.h5")
same = {part: [] for part in ("encoder", "predictor")}
for part in same:
    a[part].visititems(lambda n, d: same[part].append((d[()] == b[part][n][()]).all()) if isinstance(d, h5py.Dataset) else None)
assert all(same["predictor"]) and not any(same["encoder"]), same' $train -q $tiny --steps 0 -o start.h5 set.h5
ok "begun with a model, no steps" run --init plain.h5 --steps 0 -o begun.h5 set.h5
ok "it is that model" /usr/bin/python3 -c '
import h5py
a, b = h5py.File("plain.h5"), h5py.File("begun.h5")
def same(name, d):
    assert not isinstance(d, h5py.Dataset) or (d[()] == b[name][()]).all(), name
a.visititems(same)'
ok "learned on" run --init plain.h5 --frames 320 --checkpoint-every 0 -o on.h5 set.h5
interrupted KILL cuti.h5 9 --init plain.h5 --frames 320 --checkpoint-every 0
rm -f cuti.h5*.tmp*
fails 2 "made from other data" "without the model it is not continued" run --frames 320 -o cuti.h5 --resume set.h5
ok "resumed" run --init plain.h5 --frames 320 -o cuti.h5 --resume set.h5
ok "it comes to the same end" cmp on.h5 cuti.h5
ok "learned on with another span" run --init plain.h5 --span 320 --frames 320 --steps 0 -o span.h5 set.h5
ok "its weights are that model's, its span its own" /usr/bin/python3 -c '
import h5py
a, b = h5py.File("plain.h5"), h5py.File("span.h5")
def same(name, d):
    assert not isinstance(d, h5py.Dataset) or (d[()] == b[name][()]).all(), name
a.visititems(same)
assert (a.attrs["times"], b.attrs["times"]) == (50, 20)'
ok "crops of several spans" run --init plain.h5 --span 160 --frames 480 --contrastive 1 --steps 3 -j 1 -o pieces.h5 set.h5
ok "with other threads" run --init plain.h5 --span 160 --frames 480 --contrastive 1 --steps 3 -j 3 -o again.h5 set.h5
ok "are the same" cmp pieces.h5 again.h5
fails 2 "400 frames where 16 to 175, or a multiple of 160, can be" "crops of two spans and a half" run --span 160 --frames 400 -o no.h5 set.h5
fails 2 "'plain.h5' was made with 'hidden' 32, not 16" "a model of another shape" run --init plain.h5 --hidden 16 -o no.h5 set.h5
fails 3 "'set.h5'" "a data set in place of a model" run --init set.h5 -o no.h5 set.h5
fails 2 "plain.h5" "-o over the model it begins with" run --init plain.h5 -o plain.h5 set.h5
window="--init plain.h5 --contrastive 1 --crops 2 --batch 4 --steps 3"
ok "windows told apart" run $window --contrastive-window 16 -j 1 --log w16.log --log-every 1 -o window.h5 set.h5
ok "with other threads" run $window --contrastive-window 16 -j 3 -o again.h5 set.h5
ok "are the same" cmp window.h5 again.h5
ok "the whole crop" run $window -j 1 --log w0.log --log-every 1 -o whole.h5 set.h5
ok "as one window" run $window --contrastive-window 160 -j 1 --log w160.log --log-every 1 -o one.h5 set.h5
ok "is the same term, other windows are not" /usr/bin/python3 -c '
import json
w16, w0, w160 = ([json.loads(line)["contrastive"] for line in open(f"w{n}.log")] for n in (16, 0, 160))
assert w0 == w160 != w16, (w16, w0, w160)'
fails 2 "not a multiple of 16 that divides 160 frames" "windows that do not fill a crop" run $window --contrastive-window 96 -o no.h5 set.h5
fails 2 "--contrastive-window goes with --contrastive" "windows of nothing" run --contrastive-window 16 -o no.h5 set.h5
fails 2 "of a span of 160" "windows of several spans" \
    run --init plain.h5 --span 160 --frames 480 --contrastive 1 --contrastive-window 160 -o no.h5 set.h5
crops="--crops 3 --batch 6 --contrastive 1 --checkpoint-every 0"
ok "crops of one track" run -j 3 $crops -o crops.h5 set.h5
ok "are in the model" /usr/bin/python3 -c '
import h5py, json
how = {f: json.loads(h5py.File(f).attrs["training"])["settings"] for f in ("crops.h5", "plain.h5")}
assert how["crops.h5"]["crops"] == 3 and "crops" not in how["plain.h5"], how'
interrupted KILL cutc.h5 9 $crops
rm -f cutc.h5*.tmp*
ok "resumed with another number of threads" run -j 1 $crops -o cutc.h5 --resume set.h5
ok "it comes to the same end" cmp crops.h5 cutc.h5
fails 2 "does not divide the 6 contexts" "crops that do not fill a batch" run --crops 4 --batch 6 --contrastive 1 -o no.h5 set.h5
fails 2 "goes with --contrastive" "crops that nothing tells apart" run --crops 3 --batch 6 -o no.h5 set.h5
ok "two targets of a context" run --batch 6 --targets 2 --checkpoint-every 0 -o targets.h5 set.h5
ok "with three threads" run -j 3 --batch 6 --targets 2 --augment all -o targets3.h5 set.h5
ok "with one" run --batch 6 --targets 2 --augment all -o targets1.h5 set.h5
ok "the same" cmp targets1.h5 targets3.h5
interrupted KILL cutt.h5 9 --batch 6 --targets 2 --checkpoint-every 0
rm -f cutt.h5*.tmp*
fails 2 "made with 'targets' 2" "with one of each it is not continued" run --batch 6 -o cutt.h5 --resume set.h5
ok "resumed" run --batch 6 --targets 2 -o cutt.h5 --resume set.h5
ok "it comes to the same end" cmp targets.h5 cutt.h5
ok "targets in passes" run --batch 12 --targets 2 --micro 4 --precision f32 --log passes.log --log-every 1 -o passes.h5 set.h5
ok "and at once" run --batch 12 --targets 2 --micro 12 --precision f32 --log once.log --log-every 1 -o once.h5 set.h5
ok "learn alike" /usr/bin/python3 -c '
import json
a, b = ([json.loads(line)["loss"] for line in open(f)] for f in ("passes.log", "once.log"))
assert abs(a[0] - b[0]) < 1e-5 and abs(a[9] - b[9]) < 1e-3, (a[:10], b[:10])'
ok "with everything else" run --batch 6 --targets 3 $two -o everything.h5 set.h5
ok "and where the back end makes the spectrograms" run --backend cpu:reference --precision f32 --batch 6 --targets 3 --steps 3 $two \
    --contrastive-warmup 1 --log own3.log --log-every 1 -o own3.h5 set.h5
ok "as where the host does" run --backend cpu --precision f32 --batch 6 --targets 3 --steps 3 $two --contrastive-warmup 1 \
    --log host3.log --log-every 1 -o host3.h5 set.h5
ok "they learn the same" /usr/bin/python3 -c '
import json
a, b = ([json.loads(line)["contrastive"] for line in open(f)] for f in ("own3.log", "host3.log"))
assert len(a) == len(b) == 3 and max(abs(x - y) for x, y in zip(a, b)) < 1e-4, (a, b)'
ok "passes of two" run --micro 2 -o micro.h5 set.h5
ok "f32" run --precision f32 -o f32.h5 set.h5
ok "validation" run --validate held.h5 --validate-every 40 --validate-seconds 2 --log valid.log -o valid.h5 set.h5
is "$(grep -c '"validation":' valid.log)" 2 "at its interval"
ok "changes nothing" cmp plain.h5 valid.h5
fails 2 "--micro is 3" "passes that do not divide the batch" run --micro 3 -o no.h5 set.h5
fails 2 "no --micro" "contrastive passes" run --micro 2 --contrastive 1 -o no.h5 set.h5
fails 2 "-o FILE" "no output" run set.h5
fails 2 "'dim'" "a width that the heads do not divide" run --heads 3 -o no.h5 set.h5
fails 4 "no/such" "an output that cannot be, at once" run -o no/such/dir.h5 set.h5
mkfifo pipe && mkdir folder
for option in -o --checkpoint; do
    fails 2 "'/dev/null': it is a device, where a regular file is wanted" "$option to a device" run -o no.h5 $option /dev/null set.h5
    fails 2 "'pipe': it is a named pipe" "$option to a pipe" run -o no.h5 $option pipe set.h5
    fails 2 "'folder': it is a directory" "$option to a folder" run -o no.h5 $option folder set.h5
done
fails 3 "violin" "other classes in the validation" sh -c "'$BUILD/tests/make_dataset' violin.h5 2 4 violin a b c && $train -q $tiny --validate violin.h5 -o no.h5 set.h5"
fails 3 "pairs are wanted" "chunks" sh -c "'$BUILD/tests/make_stream' mel | $train -q $tiny -o no.h5"
fails 2 "go with data sets" "changes of a stream" sh -c "'$BUILD/tests/make_stream' pair | '$bin/sj-mel' | $train -q $tiny --augment gain -o no.h5"
fails 2 "go with data sets" "a normalisation of one's own for a stream" sh -c "'$BUILD/tests/make_stream' pair | '$bin/sj-mel' | $train -q $tiny --mean 1 -o no.h5"
fails 2 "--weights is '1,2', must have one number for each of the 1 sets" "more weights than sets" run --weights 1,2 -o no.h5 set.h5
fails 2 "--weights is '1', must have one number for each of the 2 sets" "fewer weights than sets" run --weights 1 -o no.h5 set.h5 held.h5
fails 2 "--weights" "a weight of 0" run --weights 0 -o no.h5 set.h5
fails 2 "--temperature goes with --contrastive" "a temperature of nothing" run --temperature 0.1 -o no.h5 set.h5
fails 2 "--contrastive-targets goes with --contrastive" "targets of nothing" run --contrastive-targets encoder -o no.h5 set.h5
fails 2 "--other-classes goes with" "a weight of no negatives" run --other-classes 0.5 -o no.h5 set.h5
fails 2 "more than the 80 steps" "a warm-up longer than the training" run --contrastive-warmup 81 -o no.h5 set.h5
fails 2 "no --micro" "a warm-up in passes" run --micro 2 --contrastive-warmup 8 -o no.h5 set.h5
fails 2 "--targets is 3, which does not divide --batch 4" "targets that do not fill the batch" run --targets 3 -o no.h5 set.h5
fails 2 "--targets is 2, which does not divide --micro 1" "nor a pass" run --targets 2 --micro 1 -o no.h5 set.h5
fails 2 "--targets goes with data sets" "more targets than a stream has" sh -c "'$BUILD/tests/make_stream' pair | '$bin/sj-mel' | $train -q $tiny --targets 2 -o no.h5"
fails 2 "--crops goes with data sets" "crops that a stream does not draw" sh -c "'$BUILD/tests/make_stream' pair | '$bin/sj-mel' | $train -q $tiny --crops 2 --contrastive 1 -o no.h5"
fails 2 "both 0" "nothing to learn after the warm-up" run --cosine 0 --contrastive-warmup 8 -o no.h5 set.h5
fails 2 "--log-every goes with --log" "an interval of no log" run --log-every 10 -o no.h5 set.h5
fails 2 "--validate-every goes with --validate" "an interval of no validation" run --validate-every 9 -o no.h5 set.h5
fails 2 "--validate-seconds goes with --validate" "its length" run --validate-seconds 16 -o no.h5 set.h5
fails 2 "--mean" "a mean beyond what is sensible" run --mean 1e300 -o no.h5 set.h5
ok "settings of the other predictor are not looked at" run --trf-dim 8 --steps 0 -o trf.h5 set.h5
fails 2 "trf_dim" "those of its own are" run --predictor transformer --trf-dim 8 -o no.h5 set.h5
ok "much of short tracks" within 8000000 $train -q -j 1 $tiny --steps 1 --validate held.h5 --validate-seconds 1e6 -o much.h5 set.h5
fails 3 "mel/1" "waves" sh -c "'$BUILD/tests/make_stream' wave | $train -q $tiny -o no.h5"
is "$(ls no.h5* 2>/dev/null)" "" "nothing is written by what fails"
for option in -o --checkpoint --log; do
    fails 2 "'set.h5'" "$option over the data set" run -o no.h5 "$option" set.h5 set.h5
    fails 2 "'held.h5'" "$option over the validation set" run -o no.h5 --validate held.h5 "$option" held.h5 set.h5
    [ $option = -o ] || fails 2 "'no.h5'" "$option over the output" run -o no.h5 "$option" no.h5 set.h5
done
ok "the classes of the set are the model's" run --steps 1 -o other.model other.h5
ok "in their order" /usr/bin/python3 -c 'import h5py; assert list(h5py.File("other.model")["classes"].asstr()) == "flute horn oboe viola".split()'
finish
