#!/bin/bash
# The recipe of the default model from end to end: MIDI files rendered, a tiny model trained, measured, exported; interrupted.
. tests/tap.sh
for p in parallel gnuplot python3; do
    command -v $p >/dev/null || { skip "the recipe" "$p is not installed"; finish; }
done
[ -s /usr/share/sounds/sf2/FluidR3_GM.sf2 ] || { skip "the recipe" "no sound font"; finish; }
work=$dir/work
mkdir "$work" "$work/midi" && cd "$work" || exit 1
unset MAKEFLAGS MAKELEVEL SJ_MODEL

# Eight pieces of drums, bass and an organ, 10 s each.
python3 - <<'P'
import struct
def number(n):
    out = [n & 127]
    while n := n >> 7:
        out.append(n & 127 | 128)
    return bytes(out[::-1])
def track(events):
    last, body = 0, b""
    for at, message in sorted(events):
        body += number(at - last) + message
        last = at
    body += b"\0\xff\x2f\0"
    return b"MTrk" + struct.pack(">I", len(body)) + body
for piece in range(8):
    root = 36 + 5 * piece % 12
    parts = []
    for channel, program, keys in (9, 0, [36, 42, 38, 42]), (0, 33, [root, root, root + 7, root + 12]), (1, 16, [root + 24, root + 28, root + 31, root + 28]):
        events = [(0, bytes([0xc0 | channel, program]))] if channel != 9 else []
        for beat in range(20):
            key = keys[(beat + piece) % 4]
            events += [(beat * 96, bytes([0x90 | channel, key, 100])), (beat * 96 + 80, bytes([0x80 | channel, key, 0]))]
        parts.append(track(events))
    head = b"MThd" + struct.pack(">IHHH", 6, 1, len(parts), 96)
    open(f"midi/song number {chr(97 + piece)}.mid", "wb").write(head + b"".join(parts))
P
printf 'MThd' >midi/broken.mid
"$bin/sj-synth" -q --seed 5 -n 4 --seconds 9 --folder real || exit 1
tiny="--dim 16 --depth 1 --heads 2 --hidden 16 --layers 2"
recipe() {
    (cd "$root" && nice make --no-print-directory -f pipelines/pretrain.mk BUILD="$BUILD" OUT="$work/out" MIDI="$work/midi" \
        REAL="$work/real" JOBS=2 STEPS=6 EVERY=2 MODEL_FLAGS="$tiny" SECONDS=10 \
        FRAMES=320 ALIGNED=1 \
        TRAIN_FLAGS="-q --log-every 1 --batch 4 --warmup 1 --cosine 0 --contrastive 1 --contrastive-targets encoder" "$@")
}
ok "the recipe" recipe
is "$(grep -c 'broken.mid' "$dir/err")" 1 "what cannot be rendered is named"
for f in model.h5 trained.h5 table.md curve.svg curve.tsv; do ok "makes $f" test -s "out/$f"; done
is "$(cut -f1-3 out/table.tsv | sed 1d | tr '\t\n' '/;')" "chance/16/16;right class, any song/16/16;untrained model/16/16;AutoMashupper/16/16;spectra, linear map/12/16;the model/16/16;untrained model, aligned/16/16;the model, aligned/16/16;" "the table's rows"
is "$(awk -F '\t' '$10 != "-" && NR > 1 { print $1 }' out/curve.tsv | tr '\n' ' ')" "2 4 6 " "the curve where it was validated"
ok "the model is whole" "$bin/sj-view" --check out/model.h5
stamp() { (cd out && find . -name '*.h5' -printf '%T@ %p\n' | sort); }
before=$(stamp)
ok "again" recipe
is "$(stamp)" "$before" "nothing is made twice"
is "$(recipe STEPS=7 2>&1 | grep -c 'was trained with other settings')" 1 "a model is not replaced by the way"
is "$(stamp)" "$before" "nor touched"
rm out/trained.h5
ok "another seed" recipe SEED=2
is "$(stamp | grep -c -F -x -f <(echo "$before"))" 1 "makes all anew but what does not depend on it" # real.h5
fails 2 "REAL" "without recordings" recipe REAL=
finish
