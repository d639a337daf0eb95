"""The files that chunk.t reads, in the current folder: every layout in small."""
from chunk_lib import np, os, tone, write

SLAKH = """UUID: 1a
overall_gain: 0.18
stems:
  S00:
    audio_rendered: true
    inst_class: Bass
    is_drum: false
  S01:
    audio_rendered: false
    inst_class: Guitar
  S02:
    audio_rendered: true
    inst_class: Strings (continued)
    plugin_name: a.nkm
  S03:
    inst_class: Drums
target_peak: -1.0
"""

MEDLEY = """album: x
composer:
- y
stems:
  S01:
    component: ''
    filename: Ab_C_STEM_01.wav
    instrument: electric bass
    raw:
      R01:
        filename: Ab_C_RAW_01_01.wav
        instrument: kick drum
  S02:
    component: melody
    filename: Ab_C_STEM_02.wav
    instrument:
    - male singer
    - female singer
title: y
"""


def text(path, what):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(what)


for t, seconds in (("A", 9.3), ("B", 17.0)):
    stems = [tone(ord(t) * 10 + i, seconds) for i in range(4)]
    for name, stem in zip("bass drums other vocals".split(), stems):
        write(f"musdb18hq/{t}/{name}.wav", stem)
    write(f"musdb18hq/{t}/mixture.wav", sum(stems) * 0.5)
write("uneven8.wav", tone(1, 8.3))
for i, name in enumerate(["my bass", "kazoo", "Drums_2", "lead-guitar", "mix"]):
    write(f"library/{name}.wav", tone(i, 1.5, 22050), 22050)
write("mix.wav", tone(99, 12, 48000, 1), 48000)
ramp = np.arange(1, 300001) / 400000.0
for n in (201, 320, 127999, 128000, 128001, 128039, 128040, 128159, 128160, 128200, 256000, 300000):
    write(f"exact/n{n}.wav", ramp[:n], 16000, 32)
write("four.wav", np.concatenate([tone(7 + i, 2, 16000, 1) for i in range(4)], 1), 16000, 32)
write("long.wav", np.tile(tone(3, 60, 8000, 1), (30, 1)), 8000)

for i, name in enumerate(("bass/1", "bass/2", "other_keys/3", "bowed_strings/4")):
    write(f"moises/x/t1/{name}.wav", tone(1 + i, 2.1 if i == 1 else 2))
text("moises/x/t1/data.json", "{}")
text("slakh/Track00001/metadata.yaml", SLAKH)
for i in (0, 2, 3):
    write(f"slakh/Track00001/stems/S0{i}.wav", tone(40 + i, 2))
write("slakh/Track00001/mix.wav", tone(50, 2))
text("medley/Ab_C/Ab_C_METADATA.yaml", MEDLEY)
for i in (1, 2):
    write(f"medley/Ab_C/Ab_C_STEMS/Ab_C_STEM_0{i}.wav", tone(60 + i, 2))
write("medley/Ab_C/Ab_C_MIX.wav", tone(70, 2))

for name in ("a", "b"):
    text(f"texts/inner/{name}.txt", "no sound\n" * 50)
bad = tone(5, 3)
bad[70000, 1] = np.nan
write("nan.wav", bad, 44100, 32)
write("short.wav", tone(5, 0.01))
