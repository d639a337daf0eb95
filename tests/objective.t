#!/bin/sh
# objective.t: losses and gradients of one training step, for every objective and predictor, against PyTorch.
BUILD=${BUILD:-build}
reference=${SJ_SHARED:-../shared}/reference
python=
for p in python3 /usr/bin/python3; do
    [ -n "$python" ] || ! "$p" -c 'import torch, h5py' 2>/dev/null || python=$p
done
why=
[ -n "$python" ] || why="python3-torch or python3-h5py is not installed"
[ -f "$reference/stem_jepa.py" ] || why="no $reference/stem_jepa.py"
if [ -n "$why" ]; then
    echo "1..0 # SKIP $why"
    exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
"$BUILD/tests/step" "$dir" >"$dir/steps" || exit 1
"$python" tests/objective.py "$dir" "$reference" <"$dir/steps"
