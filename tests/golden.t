#!/bin/bash
# golden.t: the model library against files of reference/golden.py, on every CPU table; and that the comparison can fail.
set -u
BUILD=${BUILD:-build}
golden=$BUILD/tests/golden
alter=$BUILD/tests/alter
file=tests/data/small.h5
reference=${SJ_SHARED:-../shared}/reference/golden.py
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
failed=0

ok() { # status name
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; failed=1; fi
}
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

# Passes on a file; shows the lines on failure. Status 5: this machine lacks the instructions.
passes() { # name, then arguments of golden
    name=$1
    shift
    "$golden" "$@" >"$dir/out" 2>&1
    status=$?
    if [ $status -eq 5 ]; then skip "$name" "$(tail -n 1 "$dir/out")"; return; fi
    [ $status -eq 0 ] || sed 's/^/# /' "$dir/out"
    ok $status "$name"
}

for table in auto cpu:avx512bf16 cpu:avx512 cpu:avx2 cpu:portable cpu:reference; do
    passes "$table f32" "$file" --backend "$table"
done
for table in auto cpu:reference; do
    passes "$table bf16" "$file" --backend "$table" --type bf16
done

python=
for p in python3 /usr/bin/python3; do
    [ -n "$python" ] || ! "$p" -c 'import torch, h5py' 2>/dev/null || python=$p
done
if [ -z "$python" ]; then
    skip "other seeds and sizes" "python3-torch or python3-h5py is not installed"
elif [ ! -f "$reference" ]; then
    skip "other seeds and sizes" "no $reference"
else
    "$python" "$reference" "$dir/other.h5" --seed 7 --dim 96 --depth 3 --heads 4 --trf_heads 8 --trf_dim 64 >/dev/null
    ok $? "golden.py writes another size"
    passes "another seed and size" "$dir/other.h5"
    passes "another seed and size, bf16" "$dir/other.h5" --type bf16
fi

# A spoilt expectation fails, in its own group: PATH WHAT SECTION GROUP.
while read -r path what section group; do
    cp "$file" "$dir/bad.h5"
    "$alter" "$dir/bad.h5" "$path" "$what"
    made=$?
    "$golden" "$dir/bad.h5" --backend cpu:reference --only "$section" >"$dir/out" 2>&1
    status=$?
    [ $made -eq 0 ] && [ $status -eq 1 ] && grep -q "^FAIL $group" "$dir/out" && ! grep "^FAIL" "$dir/out" | grep -vq "^FAIL $group"
    ok $? "$path $what fails $group"
done <<'LIST'
/mel/noise/expected value mel mel
/mel/tone_after_silence/expected value mel mel
/mel/quiet/expected nan mel mel
/mel/odd_length/expected shape mel mel
/mel/crop_8s/expected delete mel mel
/forward/short_z value forward forward short_z
/forward/pred_mlp value forward forward pred_mlp
/forward/pred_mlp_none shape forward forward pred_mlp_none
/forward/pred_transformer nan forward forward pred_transformer
/backward/mlp/loss value backward loss mlp
/backward/mlp/encoder/blocks.1.norm2.bias value backward gradients mlp
/backward/mlp_none/predictor/blocks.4.weight delete backward gradients mlp_none
/backward/transformer/predictor/source_embed.weight value backward gradients transformer
/backward/transformer/encoder/patch_embed.proj.weight nan backward gradients transformer
/train/loss value train train loss
/train/grad_norm value train train grad_norm
/train/encoder/blocks.0.mlp.fc1.weight value train train weights
/train/target/norm.bias value train train weights
/train/predictor/blocks.10.bias shape train train weights
/train/encoder/blocks.0.attn.qkv.bias value train train weights, qkv.bias
/retrieval/target value retrieval retrieval embeddings
/retrieval/prediction value retrieval retrieval embeddings
/retrieval/rank value retrieval retrieval ranks and metrics
/retrieval@mean_rank value retrieval retrieval ranks and metrics
LIST
cp "$file" "$dir/bad.h5"
"$alter" "$dir/bad.h5" /forward/z value
"$golden" "$dir/bad.h5" --backend cpu:reference --only forward >"$dir/out" 2>&1
[ $? -eq 1 ] && grep -q '^FAIL forward z' "$dir/out"
ok $? "/forward/z value fails forward z" # and the predictions made from it

head -c 100000 "$file" >"$dir/cut.h5"
"$golden" "$dir/cut.h5" >"$dir/out" 2>&1
[ $? -eq 3 ]
ok $? "a cut file is no golden file"

echo "1..$n"
exit $failed
