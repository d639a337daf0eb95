from lib import *
names = "bass drums other vocals".split()
for t, seconds in (("A", 9.3), ("B", 17.0)):
    stems = [tone(ord(t) * 10 + i, seconds) for i in range(4)]
    for n, s in zip(names, stems):
        write(f"musdb18hq/{t}/{n}.wav", s)
    write(f"musdb18hq/{t}/mixture.wav", sum(stems) * 0.5)
for i, n in enumerate(["my bass", "kazoo", "Drums_2", "lead-guitar", "mix"]):
    write(f"library/{n}.wav", tone(i, 1.5, 22050), 22050)
write("mix.wav", tone(99, 12, 48000, 1), 48000)
ramp = np.arange(1, 300001) / 400000.0
for n in (201, 320, 127999, 128000, 128001, 128039, 128040, 128159, 128160, 128200, 256000, 300000):
    write(f"exact/n{n}.wav", ramp[:n], 16000, 32)
four = np.concatenate([tone(7 + i, 2, 16000, 1) for i in range(4)], 1)
write("four.wav", four, 16000, 32)
write("moises/x/t1/bass/1.wav", tone(1, 2))
write("moises/x/t1/bass/2.wav", tone(2, 2.1))
write("moises/x/t1/other_keys/3.wav", tone(3, 2))
write("moises/x/t1/bowed_strings/4.wav", tone(4, 2))
open("moises/x/t1/data.json", "w").write("{}")
os.makedirs("slakh/Track00001")
open("slakh/Track00001/metadata.yaml", "w").write("""UUID: 1a
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
""")
for i in (0, 2, 3):
    write(f"slakh/Track00001/stems/S0{i}.wav", tone(40 + i, 2))
write("slakh/Track00001/mix.wav", tone(50, 2))
os.makedirs("medley/Ab_C")
open("medley/Ab_C/Ab_C_METADATA.yaml", "w").write("""album: x
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
""")
for i in (1, 2):
    write(f"medley/Ab_C/Ab_C_STEMS/Ab_C_STEM_0{i}.wav", tone(60 + i, 2))
write("medley/Ab_C/Ab_C_MIX.wav", tone(70, 2))
os.makedirs("texts/inner")
for n in ("a", "b"):
    open(f"texts/{n}.txt", "w").write("no sound\n" * 50)
bad = tone(5, 3).copy()
bad[70000, 1] = np.nan
write("nan.wav", bad, 44100, 32)
write("short.wav", tone(5, 0.01), 44100)
