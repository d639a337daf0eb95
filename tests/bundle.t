#!/bin/bash
# The bundle: moved elsewhere it runs a whole pipeline with its own libraries alone.
# shellcheck disable=SC2317,SC2016  # functions are called by name; $ is for an inner shell
. tests/tap.sh
folder=$(echo "$BUILD"/bundle/sj-*/)
if [ ! -x "$folder/run" ]; then
    skip "the bundle" "make bundle-folder has not run"
    finish
fi
cp -R "$folder" "$dir/moved folder"
cd "$dir" || exit 1
moved="$dir/moved folder"

# What the programs would load from outside, but for the machine's own: C and C++ runtime, driver and CUDA libraries.
programs() {
    find "$moved/bin" "$moved/tests" -type f -perm -u+x ! -name '*.sh' ! -name '*.py' -print0 | xargs -0 ldd 2>/dev/null |
        grep -F '=>' | grep -vF "=> $moved/" | sort -u |
        grep -Ev '^[[:space:]]*(linux-vdso|ld-linux.*|lib(c|m|dl|rt|pthread|resolv|util|anl|mvec|stdc\+\+|gcc_s)|libcu.*|libnv.*)\.so'
}
is "$(programs)" "" "every library comes from the bundle or belongs to the machine"

bare() { env -i PATH=/usr/bin:/bin HOME="$dir" "$@"; }
run="$moved/run"
synth() { bare "$run" sj-synth --seed 1 -n 3 --seconds 9 --folder corpus && bare "$run" sj-chunk -q --dataset set.h5 corpus; }
learn() { bare "$run" sj-train -q --dim 16 --depth 1 --heads 2 --hidden 16 --steps 2 --batch 2 --backend cpu -o model.h5 set.h5; }
embed() { bare sh -c '"$1" sj-chunk corpus | "$1" sj-mel | "$1" sj-embed --backend cpu -m model.h5 --pool track >out.embed' _ "$run"; }
ok "made-up pieces and a training set" synth
ok "a model" learn
ok "embeddings" embed
ok "that are a stream" bare "$moved/bin/sj-view" --check out.embed
ok "class maps are found by name beside the programs" bare "$run" sj-chunk --class-map moisesdb -q corpus -o mixed.sjt
fails 5 "cuda" "cuda where there is none is an error" bare env CUDA_VISIBLE_DEVICES= "$run" sj-train -q --steps 1 --backend cuda -o no.h5 set.h5
finish
