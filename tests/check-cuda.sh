#!/bin/bash
# check-cuda.sh [GROUP...]: the CUDA back end on the device of this machine; from a tree (BUILD) or from a bundle.
# Groups: ops golden curve repeat resume errors same sanitizer. The last line counts: "N passed, N failed".
# shellcheck disable=SC2317  # functions are called by name
. tests/tap.sh
groups=${*:-ops golden curve repeat resume errors same sanitizer}
golden=$BUILD/tests/golden
small=$root/tests/data/small.h5

"$golden" "$small" --backend cuda --only forward >"$dir/probe" 2>&1
if [ $? -eq 5 ]; then
    echo "check-cuda: skipped: $(tail -n 1 "$dir/probe")"
    echo "0 passed, 0 failed"
    exit 0
fi
cd "$dir" || exit 1
export SJ_CUDA_CACHE=$dir/choices
"$BUILD/tests/make_dataset" set.h5 6 9 || exit 1
# A model that tensor cores like, small enough for a CPU: 20 steps of 8 pairs of 4 s.
like="--dim 128 --depth 4 --heads 4 --hidden 256 --layers 3 --frames 400 --batch 8 --steps 20 --warmup 5 --rate 0.02 --ema 0.99
    --ema-end 0.999 --seed 1"
under=
learn() { # BACKEND OUTPUT [OPTION...]
    local backend=$1 out=$2
    shift 2
    rm -f "$out.log"
    # shellcheck disable=SC2086  # words
    $under "$bin/sj-train" -q --backend "$backend" $like --log "$out.log" --log-every 1 -o "$out" "$@" set.h5
}
# Whether two logs have the same steps and losses within a share of the larger: FILE FILE SHARE.
near() {
    awk -v most="$3" '
    match($0, /"step": ?[0-9]+/) { split(substr($0, RSTART, RLENGTH), p, ":"); step = p[2] + 0 }
    match($0, /"loss": ?[0-9.e+-]+/) {
        split(substr($0, RSTART, RLENGTH), p, ":")
        if (NR == FNR) { want[step] = p[2]; n++; next }
        d = (p[2] - want[step]) / want[step]; d = d < 0 ? -d : d; worst = d > worst ? d : worst; m++
    }
    END { printf "%d and %d steps, largest difference %.2g of the loss, at most %g\n", n, m, worst, most > "/dev/stderr"
          exit !(n > 0 && n == m && worst <= most) }' "$1" "$2"
}
said() { sed 's/^/# /' "$dir/err"; }

check_ops() {
    "$BUILD/tests/kernels/ops" cuda >ops.out 2>&1
    is $? 0 "every operation agrees with the reference"
    grep -E '^(not ok|#)' ops.out | sed 's/^/# /'
}

check_golden() {
    for type in f32 bf16; do
        "$golden" "$small" --backend cuda --type $type >golden.out 2>&1
        is $? 0 "the golden file, $type"
        grep -v '^ok\|^#' golden.out | sed 's/^/# /'
    done
}

# CPU tables are 5e-6 from each other in f32, 8e-4 in bf16; Adam makes small differences larger.
check_curve() {
    ok "20 steps on the CPU, f32" learn cpu cpu.h5 --precision f32
    ok "20 steps on the device, f32" learn cuda f32.h5 --precision f32
    ok "the same curve within 0.05 %" near cpu.h5.log f32.h5.log 0.0005
    said
    ok "20 steps on the device, bf16" learn cuda bf16.h5 --precision bf16
    ok "the same curve within 1 %" near cpu.h5.log bf16.h5.log 0.01
    said
    ok "another predictor" learn cuda trf.h5 --precision f32 --predictor transformer --trf-dim 64 --trf-depth 2 --trf-heads 4
    ok "and on the CPU" learn cpu trf-cpu.h5 --precision f32 --predictor transformer --trf-dim 64 --trf-depth 2 --trf-heads 4
    ok "the same curve within 0.05 %" near trf-cpu.h5.log trf.h5.log 0.0005
    said
    ok "with the contrastive term" learn cuda nce.h5 --precision f32 --contrastive 1 --temperature 0.1
    ok "and on the CPU" learn cpu nce-cpu.h5 --precision f32 --contrastive 1 --temperature 0.1
    ok "the same curve within 0.05 %" near nce-cpu.h5.log nce.h5.log 0.0005
    said
    local two="--contrastive 1 --contrastive-targets encoder --contrastive-warmup 5 --targets 2 --other-classes 0.5"
    # shellcheck disable=SC2086  # words
    {
        ok "with targets of the trained encoder, after a warm-up" learn cuda two.h5 --precision f32 $two
        ok "and on the CPU" learn cpu two-cpu.h5 --precision f32 $two
    }
    ok "the same curve within 0.05 %" near two-cpu.h5.log two.h5.log 0.0005
    said
}

check_repeat() {
    local -x SJ_DETERMINISTIC=1
    for type in f32 bf16; do
        ok "a run, $type" learn cuda one.h5 --precision $type
        ok "the same again" learn cuda two.h5 --precision $type
        ok "gives the same bits, $type" cmp one.h5 two.h5
    done
}

# interrupted BACKEND OUTPUT STEPS: a run of learn that is asked to stop after some steps.
interrupted() {
    under="exec" learn "$1" "$2" --precision f32 --checkpoint-every 0 &
    local pid=$!
    for _ in $(seq 12000); do
        [ "$(cat "$2.log" 2>/dev/null | wc -l)" -ge "$3" ] && break
        sleep 0.005
    done
    kill -TERM $pid
    wait $pid 2>/dev/null
    [ -s "$2.checkpoint" ]
}

check_resume() {
    local from to
    [ -s cpu.h5.log ] || learn cpu cpu.h5 --precision f32
    for pair in "cpu cuda" "cuda cpu" "cuda cuda"; do
        from=${pair% *} to=${pair#* }
        ok "interrupted on $from" interrupted "$from" "$from-$to.h5" 4
        cp "$from-$to.h5.log" before.log
        ok "resumed on $to" learn "$to" "$from-$to.h5" --precision f32 --resume
        cat before.log "$from-$to.h5.log" >whole.log
        ok "to the same end within 0.05 %" near cpu.h5.log whole.log 0.0005
        said
        rm -f "$from-$to.h5"*
    done
}

# tiny BACKEND OUTPUT [COMMAND...]: one small step.
tiny() {
    local backend=$1 out=$2
    shift 2
    timeout 60 "$@" "$bin/sj-train" -q --backend "$backend" --dim 16 --depth 1 --heads 2 --hidden 16 --layers 2 --frames 160 --batch 2 \
        --steps 1 -o "$out" set.h5
}

check_errors() {
    under="timeout 60"
    fails 5 "MiB free" "more than the device's memory" learn cuda no.h5 --frames 800 --batch 65536 --micro 65536
    said
    under=
    fails 5 "cuda" "no device" tiny cuda no.h5 env CUDA_VISIBLE_DEVICES=
    said
    fails 5 "cuda:99" "no such device" tiny cuda:99 no.h5
    fails 5 "libsj-cuda.so" "no plug-in" tiny cuda no.h5 env SJ_CUDA_PLUGIN=/nowhere/libsj-cuda.so
    ok "auto without a device is the CPU" tiny auto auto.h5 env CUDA_VISIBLE_DEVICES=
    is "$(ls no.h5* 2>/dev/null)" "" "nothing is left by what fails"
}

# The programs' outputs from both back ends: numbers of sj-view's arrays within a bound, searches identical.
check_same() {
    [ -s f32.h5 ] || learn cuda f32.h5 --precision f32
    "$bin/sj-chunk" --pairs --seed 3 --take 6 --chunk-frames 400 set.h5 >pairs.wave
    "$bin/sj-synth" --seed 1 -n 6 --seconds 13 --folder corpus
    "$bin/sj-chunk" --stems corpus >chunks.wave
    for b in cpu cuda; do
        ok "sj-mel, $b" "$bin/sj-mel" --backend $b chunks.wave -o $b.mel
        ok "sj-mel of pairs, $b" "$bin/sj-mel" --backend $b pairs.wave -o $b.pairs
        ok "sj-embed, $b" "$bin/sj-embed" --backend $b --precision f32 -m f32.h5 cpu.mel -o $b.embed
        ok "sj-embed by track, $b" "$bin/sj-embed" --backend $b --precision f32 --pool track -m f32.h5 cpu.mel -o $b.track
        ok "sj-predict, $b" "$bin/sj-predict" --backend $b --precision f32 -m f32.h5 cpu.embed -o $b.predict
        ok "sj-knn, $b" "$bin/sj-knn" --backend $b -k 5 --query cpu.track cpu.track -o $b.knn
        ok "sj-knn --cluster, $b" "$bin/sj-knn" -q --backend $b --cluster 20 --restarts 3 cpu.embed -o $b.clusters
    done
    for what in mel pairs embed track predict; do
        ok "the same $what" "$BUILD/tests/near" cpu.$what cuda.$what 1e-3
    done
    ok "the same search" cmp cpu.knn cuda.knn
    ok "the same clusters" cmp cpu.clusters cuda.clusters
    ok "nearest centroids of easy and hard vectors" "$BUILD/tests/unit/kmeans" cuda
    ok "exact searches of easy and hard vectors" "$BUILD/tests/unit/knn" cuda
}

check_sanitizer() {
    local tool
    if ! command -v compute-sanitizer >/dev/null 2>&1; then
        skip "compute-sanitizer" "it is not installed"
        return
    fi
    for tool in memcheck racecheck initcheck; do
        timeout 150 compute-sanitizer --tool $tool --error-exitcode 9 --print-limit 5 "$bin/sj-train" -q --backend cuda --precision f32 \
            --dim 64 --depth 1 --heads 2 --hidden 64 --layers 2 --frames 160 --batch 2 --steps 4 -o $tool.h5 set.h5 >$tool.out 2>&1
        is $? 0 "$tool on a training"
        grep '=====' $tool.out | head -n 20 | sed 's/^/# /'
        rm -f $tool.h5*
    done
}

for group in $groups; do
    echo "# $group"
    "check_$group"
done
echo "1..$count"
echo "$((count - failed)) passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$count" -gt 0 ]
