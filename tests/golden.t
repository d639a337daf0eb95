#!/bin/bash
# golden.t: the model library against files of reference/golden.py, on every CPU table; and that the comparison can fail.
# shellcheck disable=SC2317  # functions are called by name
. tests/tap.sh
golden=$BUILD/tests/golden
alter=$BUILD/tests/alter
file=tests/data/small.h5
reference=${SJ_SHARED:-../shared}/reference/golden.py

# Passes on a file, its lines shown on failure. Status 5: this machine lacks the instructions.
passes() { # NAME, then the arguments of golden
    local name=$1 status
    shift
    "$golden" "$@" >"$dir/lines" 2>&1
    status=$?
    if [ $status -eq 5 ]; then
        skip "$name" "$(tail -n 1 "$dir/lines")"
        return
    fi
    [ $status -eq 0 ] || grep -v '^ok' "$dir/lines"
    is $status 0 "$name"
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
    is $? 0 "golden.py writes another size"
    passes "another seed and size" "$dir/other.h5"
    passes "another seed and size, bf16" "$dir/other.h5" --type bf16
fi

# A spoilt expectation fails in its own group and in no other: PATH WHAT SECTION GROUP.
spoilt() {
    cp "$file" "$dir/bad.h5" && chmod u+w "$dir/bad.h5"
    "$alter" "$dir/bad.h5" "$1" "$2" || return 1
    "$golden" "$dir/bad.h5" --backend cpu --only "$3" >"$dir/lines" 2>&1
    [ $? -eq 1 ] && grep -q "^FAIL $4" "$dir/lines" && ! grep "^FAIL" "$dir/lines" | grep -vq "^FAIL $5"
}
while read -r path what section group; do
    ok "$path $what fails $group" spoilt "$path" "$what" "$section" "$group" "$group"
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
ok "/forward/z value fails forward" spoilt /forward/z value forward "forward z" forward # the predictions start from it
head -c 100000 "$file" >"$dir/cut.h5"
"$golden" "$dir/cut.h5" >"$dir/lines" 2>&1
is $? 3 "a cut file is no golden file"
finish
