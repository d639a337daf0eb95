#!/bin/sh
# sj-embed and sj-predict: pooling, classes, batches, precision, and what they refuse.
. tests/tap.sh
cd "$dir" || exit 1
python=/usr/bin/python3
model=model.h5
"$BUILD/tests/make_model" $model && "$BUILD/tests/make_model" other.h5 mlp_none || exit 1
# Twelve seconds of noise as WAV: two chunks, the last one shorter.
$python - <<'E'
import wave, numpy as np
rng = np.random.default_rng(3)
for name, seconds in (("bass", 12.3), ("drums", 12.3), ("song", 5.0)):
    with wave.open(name + ".wav", "wb") as f:
        f.setparams((1, 2, 16000, 0, "NONE", ""))
        f.writeframes((rng.standard_normal(int(seconds * 16000)) * 3000).astype("<i2").tobytes())
E
mel() { "$bin/sj-chunk" "$@" | "$bin/sj-mel"; }
embed() { "$bin/sj-embed" -m $model --precision f32 "$@"; }
predict() { "$bin/sj-predict" -m $model --precision f32 "$@"; }
mel --stems bass.wav drums.wav song.wav >mel.sjt || exit 1

# -- pooling
ok "tokens" embed mel.sjt -o token.h5
ok "frames" embed --pool frame mel.sjt -o frame.h5
ok "tracks" embed --pool track mel.sjt -o track.h5
ok "tokens as a stream" embed mel.sjt -o token.sjt
cat >pooled.py <<'E'
import h5py, numpy as np
token, frame, track = (h5py.File(n + ".h5") for n in ("token", "frame", "track"))
dims = token["dims"][:]
assert [tuple(d) for d in dims] == [(5, 50, 16), (5, 27, 16)] * 2 + [(5, 32, 16)], dims
rows, at, frames = token["embedding"][:], 0, []
for f, t, d in dims:
    z = rows[at:at + f * t].reshape(f, t, d)
    frames.append(z.transpose(1, 0, 2).reshape(t, f * d))
    at += f * t
assert np.array_equal(frame["embedding"][:], np.concatenate(frames))
want = [np.concatenate(frames[i:j]).astype("f8").mean(0) for i, j in ((0, 2), (2, 4), (4, 5))]
assert np.allclose(track["embedding"][:], want, atol=1e-6, rtol=0) and np.abs(want).max() > 0.1
assert [k.decode() for k in track["key"][:]] == ["bass", "drums", "song"], track["key"][:]
assert list(track["class"][:]) == [0, 1, -1], track["class"][:]
E
ok "frames and tracks follow from tokens (SPEC 7)" $python pooled.py

# -- the same whatever the batch, the threads and the way in
embed --pool track mel.sjt >one.sjt
for args in "-b 1" "-b 3" "-j 1" "-j 2"; do
    # shellcheck disable=SC2086  # two words
    embed --pool track $args mel.sjt >two.sjt
    ok "--pool track with $args" cmp one.sjt two.sjt
done
ok "through a pipe" sh -c 'cat mel.sjt | "$0" -m model.h5 --precision f32 --pool track - | cmp - one.sjt' "$bin/sj-embed"
ok "the model of SJ_MODEL" env SJ_MODEL=$model "$bin/sj-embed" --precision f32 --pool track mel.sjt -o two.sjt
ok "is the same" cmp one.sjt two.sjt

# -- networks, layers, precision
embed --network target --pool track mel.sjt -o target.h5
embed --layer 1 --pool track mel.sjt -o last.h5
values() { "$python" -c 'import h5py, sys; sys.stdout.buffer.write(h5py.File(sys.argv[1])["embedding"][:].tobytes())' "$1"; }
values last.h5 >a && values track.h5 >b
ok "the last layer by its number" cmp a b
"$bin/sj-embed" -m $model --precision bf16 --pool track mel.sjt -o bf16.h5 2>err
if [ $? -eq 5 ]; then
    skip "bf16 lies near f32" "no bf16 here: $(cat err)"
else
    ok "bf16 lies near f32, and is not f32" $python -c '
import h5py, numpy as np
a, b = (h5py.File(n)["embedding"][:] for n in ("bf16.h5", "track.h5"))
e = np.abs(a - b).max() / np.abs(b).max()
assert 0 < e < 0.02, e'
fi

# -- predictions
ok "of one class" predict --class drums token.sjt -o drums.h5
ok "of every class" predict --class all --pool track token.sjt -o all.h5
ok "of one class by track" predict --class drums --pool track token.sjt -o drums_track.h5
ok "are the same" $python -c '
import h5py, numpy as np
one, every = h5py.File("drums_track.h5"), h5py.File("all.h5")
assert every["embedding"].shape == (12, 80) and list(every["class"][:]) == [0, 1, 2, 3] * 3
assert np.allclose(every["embedding"][1::4], one["embedding"][:], atol=1e-6)
assert set(every["role"][:]) == {3}
assert np.abs(every["embedding"][0] - every["embedding"][1]).max() > 1e-2, "classes must differ"'
fails 3 "says no class to predict: use --class" "records without a class need --class" predict token.sjt
fails 2 "knows bass, drums, other, vocals" "an unknown class" predict --class tuba token.sjt
fails 3 "model_id" "tokens of another model" "$bin/sj-predict" -m other.h5 --class bass token.sjt
embed --network target mel.sjt >t.sjt
fails 3 "context" "tokens of the target network" predict --class bass t.sjt
embed --pool track mel.sjt >t.sjt
fails 3 "pool 'track' where 'token' is wanted" "pooled embeddings" predict --class bass t.sjt

# -- refusals
mkdir -p alone/bin && cp "$bin/sj-embed" alone/bin # without what lies beside it
fails 2 "name one with -m or \$SJ_MODEL" "no model" env -u SJ_MODEL alone/bin/sj-embed mel.sjt
is "$(grep -c "sj-train makes models, 'make demo' a small one" err)" 1 "says how to get one"
fails 4 "nosuch.h5" "a model that is not there" "$bin/sj-embed" -m nosuch.h5 mel.sjt
fails 3 "mel.sjt" "a model that is no model" "$bin/sj-embed" -m mel.sjt mel.sjt
fails 2 "has 1 blocks" "a layer that is not there" embed --layer 2 mel.sjt
"$bin/sj-chunk" bass.wav | "$bin/sj-mel" --mean 1 >m.sjt
fails 3 "has other mel settings than the model: its 'mel_mean' is 1, not -9.453" "another normalisation" embed m.sjt
"$bin/sj-view" --skip 1 mel.sjt -o tail.sjt
fails 3 "out of order" "a track without its first chunk" embed --pool track tail.sjt
"$bin/sj-view" --take 1 mel.sjt -o head.sjt
fails 3 "without its last chunk" "a track without its last chunk" embed --pool track head.sjt
fails 5 "cuda" "a back end that is not there" embed --backend cuda mel.sjt
for t in f32 f16 bf16; do "$BUILD/tests/make_stream" mel 2 $t | embed --precision f32 >$t.sjt; done
ok "spectrograms in half precision" "$BUILD/tests/near" f32.sjt f16.sjt 1e-3
ok "and as bf16" "$BUILD/tests/near" f32.sjt bf16.sjt 1e-2
"$BUILD/tests/make_stream" pair 1 | "$bin/sj-mel" >pair.sjt
fails 3 "pairs" "training pairs" embed pair.sjt
finish
