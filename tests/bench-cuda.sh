#!/bin/bash
# bench-cuda.sh [GROUP...]: what the CUDA device of this machine does; from a tree (BUILD) or from a bundle.
# Groups: whole search set peer ops. NDJSON with date, device, commit and command goes to $OUT or $BUILD/bench-cuda.ndjson;
# a short table is printed. Medians of at least 50 steps. BATCH and SIZE: of the model, 256 and base. TOTAL: seconds that
# everything may take.
set -u
BUILD=${BUILD:-build}
BATCH=${BATCH:-256} SIZE=${SIZE:-base} BACKEND=${BACKEND:-cuda}
groups=${*:-whole search set peer ops}
bench=$BUILD/tests/bench
out=${OUT:-$BUILD/bench-cuda.ndjson}
[ ! -d "$out" ] || out=$out/bench-cuda.ndjson
dir=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Whether there is a device; why not, said.
if ! "$bench/device" "$BACKEND" 1 tiny none >/dev/null 2>"$dir/why"; then
    echo "bench-cuda: skipped: $(tail -n 1 "$dir/why")"
    exit 0
fi
device=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)
commit=$(cat "$BUILD/share/sj/commit" 2>/dev/null || git rev-parse --short HEAD 2>/dev/null || echo unknown)

# note COMMAND...: its lines, each with where and when it was measured.
note() {
    local text limit=$((${TOTAL:-100000} - SECONDS))
    [ "$limit" -lt "${LIMIT:-180}" ] || limit=${LIMIT:-180}
    [ "$limit" -gt 0 ] || return
    text=$(printf '%s ' "$@" | sed "s|$BUILD/||g; s|$dir/||g; s/[\"\\\\]//g; s/ \$//; s|[&|]|\\\\&|g")
    timeout "$limit" "$@" 2>>"$dir/errors" |
        sed "s|^{|{\"date\":\"$(date -u +%FT%TZ)\",\"device\":\"$device\",\"commit\":\"$commit\",\"command\":\"$text\",|" | tee -a "$dir/lines" >>"$out"
    [ "${PIPESTATUS[0]}" -eq 0 ] || echo "$text: failed, or not done within $limit s" >>"$dir/errors"
}

# The program itself on a training set: samples/s as its log says, an interval of 10 steps a line; the first two warm up.
train_set() {
    "$BUILD/tests/make_dataset" "$dir/set.h5" 40 60 || return 1
    "$BUILD/bin/sj-train" -q --backend "$BACKEND" --size "$SIZE" --batch "$BATCH" --precision bf16 --steps "${STEPS:-140}" \
        --log "$dir/log" --log-every 10 -o "$dir/model.h5" "$dir/set.h5" || return 1
    tail -n +3 "$dir/log" | sed 's/.*"samples_per_s":\([0-9.e+]*\).*"waiting":\([0-9.e+-]*\).*/\1 \2/' | sort -n |
        awk -v b="$BATCH" '{ rate[NR] = $1; wait[NR] = $2 } END { n = int((NR + 1) / 2)
            printf "{\"name\":\"train-set\",\"batch\":%d,\"intervals\":%d,\"samples_per_s\":%s,\"waiting\":%s}\n", b, NR, rate[n], wait[n] }'
}
export -f train_set
export BUILD BACKEND SIZE BATCH dir

for group in $groups; do
    case $group in
    whole) note "$bench/device" "$BACKEND" "$BATCH" "$SIZE" product train embed ;;
    search) note "$bench/device_search" "$BACKEND" "${REFERENCES:-1000000}" "${QUERIES:-10000}" 10 ;;
    set)
        note bash -c train_set
        note "$bench/pairs" "$dir/set.h5" wave "$(nproc)" 20
        ;;
    peer)
        PYTHON=${PYTHON:-python3}
        if "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
            export PYTHON
            LIMIT=${PEER_LIMIT:-300} note sh -c '"$PYTHON" tests/bench/run.py tests/bench/table-cuda.tsv --repeats 50 --out "$dir/peer" >&2; sed "s/, \"commit\".*/}/" "$dir/peer"'
        else
            echo "bench-cuda: no PyTorch with CUDA: no peer"
        fi
        ;;
    ops) note "$bench/kernels" -b "$BACKEND" -s "${SCALE:-32}" -n 9 ;;
    *) echo "bench-cuda.sh: no group '$group'" >&2; exit 2 ;;
    esac
done
sed 's/^/# /' "$dir/errors" >&2

# A line each: name or operation, what it is of, its rate.
awk '
function number(key) { return match($0, "\"" key "\": *[0-9.e+-]+") ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0 : "" }
function text(key) { return match($0, "\"" key "\": *\"[^\"]*\"") ? substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5) : "" }
{
    shape = match($0, /"shape":\[[^]]*\]/) ? substr($0, RSTART + 9, RLENGTH - 10) : ""
    line = sprintf("%-22s %-5s %-20s", text("name") text("op"), text("type"), shape)
    split("s seconds samples_per_s chunks_per_s pairs_per_s queries_per_s tflop_per_s gflop_per_s gbyte_per_s mfu_of_measured pass_s update_s waiting ours_s peer_s ratio", keys, " ")
    for (i = 1; i in keys; i++)
        if ((v = number(keys[i])) != "")
            line = line sprintf(" %s %.4g", keys[i], v)
    print line
}' "$dir/lines" 2>/dev/null
echo "bench-cuda: $(wc -l <"$dir/lines" 2>/dev/null || echo 0) lines in $out"
