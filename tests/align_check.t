#!/bin/sh
# Whether sj-align finds shifts that are known, with a model trained for that in a minute (pipelines/align-check.mk, which by
# default trains for five).
. tests/tap.sh
unset MAKEFLAGS MAKELEVEL SJ_MODEL
if ! command -v parallel >/dev/null || ! command -v ffmpeg >/dev/null; then
    skip "shifts that are known" "GNU parallel or ffmpeg is not installed"
    finish
fi
if sanitized "$bin/sj-train"; then
    skip "shifts that are known" "training takes long with sanitizers"
    finish
fi
ln -s "$bin" "$dir/bin" && ln -s "$BUILD/lib" "$dir/lib"
check() { make -s -f pipelines/align-check.mk BUILD="$dir" INPUTS=embeddings PIECES=400 STEPS=600 "$@"; }
ok "a model is trained, pieces are shifted" check TRIALS=20
found=$(awk -F '\t' '$1 == "embeddings" && $2 == "all" && $3 == 1 && $4 == 20 { print $5 }' "$dir/out")
echo "# found within a patch: ${found:-none} of 20"
ok "at least 9 of 10 shifts are found within a patch" [ "${found:-0}" -ge 18 ]
touch "$dir/then"
ok "run again" check TRIALS=20
ok "makes nothing anew" [ -z "$(find "$dir/align-check" -newer "$dir/then" -name '*.h5')" ]
ok "other trials" check TRIALS=4
is "$(awk -F '\t' '$2 == "all" && $3 == 1 { print $4 }' "$dir/out")" 4 "are counted"
ok "with the same model" [ -z "$(find "$dir/align-check" -newer "$dir/then" -name '*.h5')" ]
finish
