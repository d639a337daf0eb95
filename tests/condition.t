#!/bin/bash
# condition.t: models that are told places and classes in other ways: rotary positions, modulation, vectors of classes
# from outside, and predictions of classes that training never saw.
# shellcheck disable=SC2086,SC2317  # words; functions are called by name
. tests/tap.sh
cd "$dir" || exit 1
vectors=$BUILD/tests/make_vectors
tiny="--dim 16 --depth 1 --heads 2 --hidden 16 --layers 3 --trf-dim 16 --trf-depth 1 --trf-heads 2 --frames 160
    --batch 4 --steps 30 --seed 1 --rate 0.05 --ema 0.9 --ema-end 0.99"
train() { "$bin/sj-train" -q -j 1 $tiny "$@" set.h5; }
"$BUILD/tests/make_dataset" set.h5 4 4 || exit 1
"$vectors" v.h5 24 theremin drums vocals bass other double-bass=bass || exit 1
"$vectors" other.h5 24 drums vocals bass=tuba other || exit 1

# -- training
for kind in "mlp_film absolute" "mlp rotary" "transformer rotary" "mlp_none rotary"; do
    set -- $kind
    ok "$1, $2" train --predictor $1 --positions $2 -o $1-$2.h5
    ok "the same bits with three threads" train -j 3 --predictor $1 --positions $2 -o again.h5
    ok "indeed" cmp again.h5 $1-$2.h5
done
all="--predictor mlp_film --positions rotary --condition v.h5"
ok "all of it" train $all -o all.h5
ok "for longer" train $all --steps 90 --rate 0.003 -o long.h5 --log log --log-every 30
ok "learns" /usr/bin/python3 -c '
import json
loss = [json.loads(line)["loss"] for line in open("log")]
assert loss[-1] < loss[0] - 0.1, loss'
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
    ok "the vectors are those of the file, scaled, in the order of the classes, and never trained" /usr/bin/python3 -c '
import h5py, numpy as np
v, m = h5py.File("v.h5"), h5py.File("all.h5")
names = [n.decode() for n in v["class"]]
own = np.array([v["vector"][names.index(c.decode())] for c in m["classes"]])
own *= 24 ** 0.5 / np.linalg.norm(own, axis=1, keepdims=True)
assert np.abs(own - m["predictor/source_vector"][()]).max() < 1e-5
assert m.attrs["rotary"] == 1 and m.attrs["condition"] == 24 and "source_embed.weight" not in m["predictor"]'
else
    skip "the vectors in the model" "python3-h5py is not installed"
fi

# interrupted [OPTION...]: a training that ends by SIGINT after some steps.
interrupted() {
    rm -f part.*
    train "$@" --log part.log --log-every 1 &
    local pid=$!
    for _ in $(seq 3000); do
        [ -s part.log ] && break
        sleep 0.005
    done
    kill -INT "$(pgrep -P $pid | head -1 || echo $pid)" 2>/dev/null || kill -INT $pid
    wait $pid
    [ -f part.h5.checkpoint ]
}
tiny="$tiny --checkpoint-every 0"
for _ in 1 2 3 4 5 6 7 8 9 10; do # it may end before
    interrupted $all -o part.h5 2>/dev/null && break
done
if [ -f part.h5.checkpoint ]; then
    cp part.h5.checkpoint kept
    fails 2 "made from other data" "other vectors do not continue it" train ${all/v.h5/other.h5} -o part.h5 --resume
    fails 2 "'rotary'" "nor do other positions" train ${all/rotary/absolute} -o part.h5 --resume
    ok "it continues" train $all -o part.h5 --resume
    ok "to the same bits" cmp part.h5 all.h5
else
    skip "continuing" "the training had ended before it was interrupted"
fi

# -- files
ok "as safetensors" "$bin/sj-view" all.h5 -o all.safetensors
ok "and back" "$bin/sj-view" all.safetensors -o back.h5
ok "is the same model" sh -c '"$0" all.h5 | sed s/all.h5// >a; "$0" back.h5 | sed s/back.h5// | cmp - a' "$bin/sj-view"

# -- predictions
"$bin/sj-synth" -q --seed 3 -n 1 --seconds 9 --folder songs || exit 1
"$bin/sj-chunk" songs/*/drums.wav | "$bin/sj-mel" | "$bin/sj-embed" -m all.h5 >token.sjt || exit 1
"$bin/sj-chunk" --stems songs | "$bin/sj-mel" | "$bin/sj-embed" -m all.h5 --pool track -o library.h5 || exit 1
predict() { "$bin/sj-predict" -m all.h5 -j 1 --pool track "$@" token.sjt; }
ok "a class of the model" predict --class bass -o bass.sjt
ok "also by its vector" predict --condition v.h5 --class bass -o same.sjt
ok "is the same" "$BUILD/tests/near" bass.sjt same.sjt 0
ok "a class that it never saw" predict --condition v.h5 --class theremin -o theremin.sjt
ok "is another" sh -c '! "$0" bass.sjt theremin.sjt 1e-3' "$BUILD/tests/near"
ok "one with the vector of a known one" predict --condition v.h5 --class double-bass -o double.sjt
"$bin/sj-view" -o bass.npy bass.sjt && "$bin/sj-view" -o double.npy double.sjt || exit 1
ok "is predicted as that one" cmp bass.npy double.npy
ok "is searched for in a library" sh -c '[ "$("$0" -k 2 --query theremin.sjt library.h5 | wc -l)" -eq 3 ]' "$bin/sj-knn"

# rounded, so that another model, its vectors too
ok "a model to pass around" "$bin/sj-view" --bf16 all.h5 -o small.h5
"$bin/sj-chunk" songs/*/drums.wav | "$bin/sj-mel" | "$bin/sj-embed" -m small.h5 >small.sjt || exit 1
ok "takes vectors as well" "$bin/sj-predict" -m small.h5 --condition v.h5 --class theremin -o x.sjt small.sjt

# -- refusals
fails 2 "wants the --class" "vectors without a class" predict --condition v.h5
fails 2 "wants the --class" "or with all" predict --condition v.h5 --class all
fails 2 "'v.h5' has no vector" "a class that the file does not have" predict --condition v.h5 --class tuba
fails 3 "another vector of 'bass'" "vectors that come from elsewhere" predict --condition other.h5 --class drums
"$vectors" wide.h5 25 theremin
fails 2 "25 values where the model takes 24" "of another width" predict --condition wide.h5 --class theremin
"$bin/sj-chunk" songs/*/drums.wav | "$bin/sj-mel" | "$bin/sj-embed" -m mlp-rotary.h5 >plain.sjt
fails 2 "learnt its classes without vectors" "a model without vectors" "$bin/sj-predict" -m mlp-rotary.h5 \
    --condition v.h5 --class bass plain.sjt
"$vectors" few.h5 24 bass drums other
fails 3 "'few.h5' has no vector of the class 'vocals'" "vectors of some classes only" train --condition few.h5 -o x.h5
"$vectors" zero.h5 24 bass drums other vocals=0
fails 3 "the vector of 'vocals' is zero" "one of zeros" train --condition zero.h5 -o x.h5
"$vectors" twice.h5 24 bass drums bass
fails 3 "'bass' is there twice" "a name that is there twice" train --condition twice.h5 -o x.h5
fails 3 "vector" "a file of something else" train --condition set.h5 -o x.h5
fails 2 "mlp_none" "a predictor that is told nothing" train --predictor mlp_none --condition v.h5 -o x.h5
fails 2 "rotary" "heads that no rotation fits" train --heads 8 --positions rotary -o x.h5
fails 2 "v.h5" "a model over the vectors" train --condition v.h5 -o v.h5
finish
