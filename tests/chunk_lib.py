"""Sounds to write and wave/1 streams to read, for chunk.t."""
import json
import os
import struct

import numpy as np


def write(path, x, rate=44100, kind=16):
    """x (samples,) or (samples, channels) as WAV of 16-bit integers or 32-bit floats."""
    x = np.asarray(x, np.float64).reshape(len(x), -1)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    data = x.astype("<f4").tobytes() if kind == 32 else np.round(x * 32767).astype("<i2").tobytes()
    size = kind // 8 * x.shape[1]
    with open(path, "wb") as f:
        f.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
                struct.pack("<IHHIIHH", 16, 3 if kind == 32 else 1, x.shape[1], rate, rate * size, size, kind) +
                b"data" + struct.pack("<I", len(data)) + data)


def tone(seed, seconds, rate=44100, channels=2):
    """Six sines, louder in later channels."""
    r = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate)) / rate
    base = sum(0.05 * np.sin(2 * np.pi * f * t + p) for f, p in zip(r.uniform(60, 3000, 6), r.uniform(0, 6, 6)))
    return np.stack([base * (1 + 0.3 * c) for c in range(channels)], 1)


def records(path):
    """Yields the head, then (key, role, class, position, part, last, array) of each record of a stream of f32."""
    with open(path, "rb") as f:
        while True:
            h = f.read(128)
            assert len(h) == 128, "no END"
            kind, nkey, size, pos, part, role, cls, last = (
                struct.unpack_from(c, h, a)[0]
                for c, a in (("<H", 4), ("<I", 16), ("<Q", 24), ("<q", 32), ("<I", 40), ("<H", 44), ("<H", 46),
                             ("<B", 48)))
            if kind == 3:
                return
            rank = struct.unpack_from("<H", h, 22)[0]
            key = f.read(nkey).decode(errors="replace")
            f.read(-nkey % 64)
            data = f.read(size)
            f.read(-size % 64)
            if kind == 1:
                yield json.loads(data)
            else:
                dims = struct.unpack_from("<%dQ" % rank, h, 56)
                yield key, role, cls, pos, part, last, np.frombuffer(data, "<f4").reshape(dims)


def whole(path):
    """{(key, role): signal} put together from the chunks, whose halos must agree with their neighbours."""
    tracks, stream = {}, records(path)
    frames = next(stream)["params"]["chunk_frames"]
    for key, role, _, pos, part, last, x in stream:
        tracks.setdefault((key, role), []).append((pos, part, last, x))
    out = {}
    for k, chunks in tracks.items():
        middle = []
        for i, (pos, part, last, x) in enumerate(chunks):
            assert part == i and pos == i * frames and last == (i == len(chunks) - 1), (k, i, part, pos, last)
            n = (len(x) - 240) // 160
            assert len(x) == 160 * n + 240 and (n == frames or last and n <= frames), (k, i)
            middle.append(x[200:-40])
        y = np.concatenate(middle)
        z = np.concatenate([chunks[0][3][:200], y, chunks[-1][3][-40:]])
        for pos, part, _, x in chunks:
            assert np.array_equal(x, z[160 * pos:160 * pos + len(x)]), (k, part)
        assert np.array_equal(z[:200], z[400:200:-1]), k
        out[k] = y
    return out
