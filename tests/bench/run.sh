#!/bin/bash
# run.sh [--only NAME] [--repeats N]: the benchmarks against their peers (run.py), then what is measured alone: cold start and memory.
# NDJSON goes to $BUILD/bench.ndjson.
set -eu
BUILD=${BUILD:-build}
PYTHON=$BUILD/venv/bin/python3
PYTHON_AUDIO=$BUILD/venv-audio/bin/python3
export BUILD PYTHON PYTHON_AUDIO
[ -x "$PYTHON_AUDIO" ] || { echo "run.sh: the peers are missing: make bench-deps" >&2; exit 1; }
status=0
"$PYTHON" tests/bench/run.py tests/bench/table.tsv --out "$BUILD/bench.ndjson" "$@" || status=1
[ $# -eq 0 ] || exit $status

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bin=$BUILD/bin

# One file to its embedding from a cold start, tiny model: the median of nine whole pipelines.
"$bin/sj-synth" --seed 1 -n 1 --seconds 8 -o "$dir/one.sjt"
"$bin/sj-view" "$dir/one.sjt" -o "$dir/one.wav"
"$bin/sj-synth" --seed 1 -n 2 --seconds 10 --folder "$dir/corpus"
"$bin/sj-chunk" -q --dataset "$dir/set.h5" "$dir/corpus"
"$bin/sj-train" -q --size tiny --steps 0 -o "$dir/tiny.h5" "$dir/set.h5"
times=
for _ in 1 2 3 4 5 6 7 8 9; do
    from=$(date +%s%N)
    "$bin/sj-chunk" "$dir/one.wav" | "$bin/sj-mel" | "$bin/sj-embed" -m "$dir/tiny.h5" --pool track >"$dir/one.embed"
    to=$(date +%s%N)
    times="$times $(((to - from) / 1000000))"
done
# shellcheck disable=SC2086  # one number a line
ms=$(printf '%s\n' $times | sort -n | sed -n 5p)
echo "one 8 s file to its embedding, tiny model, cold start: $ms ms (wanted: below 500)"
printf '{"name":"cold-start","ms":%s,"wanted_ms":500}\n' "$ms" >>"$BUILD/bench.ndjson"
[ "$ms" -lt 500 ] || status=1

# Peak memory on a short and on a twenty times longer stream: it must not grow.
peak() { # PROGRAM ARGUMENTS... < stream: peak resident KiB
    "$PYTHON" -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
}
for n in 2 40; do
    "$bin/sj-synth" --seed 1 -n $n --seconds 60 >"$dir/$n.wave"
    "$bin/sj-mel" <"$dir/$n.wave" >"$dir/$n.mel"
done
for program in "sj-mel wave" "sj-embed mel -m $dir/tiny.h5 --pool track"; do
    # shellcheck disable=SC2086  # words
    set -- $program
    name=$1 kind=$2
    shift 2
    short=$(peak "$bin/$name" "$@" <"$dir/2.$kind")
    long=$(peak "$bin/$name" "$@" <"$dir/40.$kind")
    echo "$name: peak memory $((short / 1024)) MiB on 2 minutes, $((long / 1024)) MiB on 40 minutes"
    printf '{"name":"memory-%s","short_kib":%s,"long_kib":%s}\n' "$name" "$short" "$long" >>"$BUILD/bench.ndjson"
    [ "$long" -lt $((short + short / 5 + 8192)) ] || status=1
done
exit $status
