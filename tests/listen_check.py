# listen_check.py FOLDER SONGS [SECONDS]: a test that sj-trials made of the songs of listen_make.py is as it should be.
import json
import subprocess
import sys

import numpy as np
from listen_make import AMPLITUDE, CLASSES, RATE, TONE

folder, songs, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
test = json.load(open(folder + "/trials.json"))


def sound(path):
    head = open(f"{folder}/{path}", "rb").read(26)
    assert head[:4] == b"fLaC"
    form = int.from_bytes(head[18:26], "big")  # rate 20 bits, channels - 1 3, bits - 1 5, frames 36
    assert (form >> 44, (form >> 41 & 7) + 1, (form >> 36 & 31) + 1) == (RATE, 2, 16), form
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", f"{folder}/{path}", "-f", "f32le", "-"], check=True,
                         capture_output=True).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, 2)


def level(x, hz):
    """The amplitude of a tone in each channel."""
    n = len(x)
    w = np.exp(-2j * np.pi * hz * np.arange(n) / RATE) * np.hanning(n)[:, None].T
    return 2 * np.abs(w @ x)[0] / np.hanning(n).sum()


per_class = {}
used = {}
for t in test["trials"]:
    per_class[t["class"]] = per_class.get(t["class"], 0) + 1
    song = int(t["mix"]["song"][4:])
    used[song] = used.get(song, 0) + 1
    at = CLASSES.index(t["class"])
    versions = {v["condition"]: v for v in t["versions"]}
    assert list(versions) == test["conditions"] == ["true", "retrieved", "random"]
    other = {c: int(v["song"][4:]) for c, v in versions.items()}
    assert other["true"] == song and len(set(other.values())) == 3, other
    assert other["retrieved"] == (song + 1) % songs and versions["retrieved"]["rank"] == 3, (song, other)
    mix = sound(t["mix"]["file"])
    assert len(mix) == round(t["seconds"] * RATE) and abs(t["seconds"] - seconds) < 1e-3, t
    gain, soft = 10 ** (t["gain_db"] / 20), [1, 0.25]
    for k in range(len(CLASSES)):
        want = 0 if k == at else gain * soft[song % 2] * AMPLITUDE[k]
        got = level(mix, TONE(song, k))
        assert np.allclose(got, [want, want / 2], atol=2e-3), (t, k, got, want)
    peak = np.abs(mix).max()
    for c, v in versions.items():
        x = sound(v["file"])
        peak = max(peak, np.abs(x).max())
        assert x.shape == mix.shape
        got = level(x, TONE(other[c], at))
        want = gain * AMPLITUDE[at] * 10 ** (v["gain_db"] / 20) * soft[other[c] % 2]
        assert np.allclose(got, [want, want / 2], atol=2e-3), (t, c, got, want)
        # what was added is as loud as the true stem: the level of odd songs is a quarter
        assert abs(v["gain_db"] - 12.04 * (other[c] % 2 - song % 2)) < 0.35, v
        assert np.allclose(level(x, TONE(song, (at + 1) % 4)), level(mix, TONE(song, (at + 1) % 4)), atol=2e-3)
        assert np.abs(x[:2]).max() < 0.02 and np.abs(x[-2:]).max() < 0.02
        assert 0 <= v["start_s"] <= 12
    assert 0.05 < peak < 10 ** (-1 / 20) + 1e-4, peak
    script = open(f"{folder}/audio/{t['trial']}.js").read()
    assert script.startswith(f'sjSounds("{t["trial"]}", {{') and len(script) > 1000
counts = [per_class.get(c, 0) for c in CLASSES]
assert max(counts) - min(counts) <= 1 and sum(counts) == len(test["trials"]), per_class
assert max(used.values()) - min(used.get(s, 0) for s in range(songs)) <= 1, used
