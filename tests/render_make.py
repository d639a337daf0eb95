"""Makes what tests of sj-render play: font.sf2, MIDI files in songs/, a module in modules/, modules.tsv; in argv[1]."""
import os, struct, sys

os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
for name in "songs", "modules", "bad":
    os.makedirs(name, exist_ok=True)

# -- a sound font: a saw tooth for every melodic program, noise for drums
def chunk(kind, data):
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
def part(kind, *chunks):
    return chunk(b"LIST", kind + b"".join(chunks))
def name(text):
    return text.encode().ljust(20, b"\0")
def record(*pairs):
    return b"".join(struct.pack("<HH", *p) for p in pairs)

period, length, rest = 100, 6400, 46
saw = [int(16000 * (i % period / period * 2 - 1)) for i in range(length)]
state, noise = 1, []
for i in range(length):
    state = (state * 1103515245 + 12345) & 0x7fffffff
    noise.append((state >> 16) % 32000 - 16000)
smpl = struct.pack(f"<{2 * (length + rest)}h", *saw, *[0] * rest, *noise, *[0] * rest)
pdta = part(
    b"pdta",
    chunk(b"phdr", b"".join(name(n) + struct.pack("<HHHIII", program, bank, bag, 0, 0, 0)
                            for n, program, bank, bag in [("saw", 0, 0, 0), ("noise", 0, 128, 1), ("EOP", 0, 0, 2)])),
    chunk(b"pbag", record((0, 0), (1, 0), (2, 0))),
    chunk(b"pmod", bytes(10)),
    chunk(b"pgen", record((41, 0), (41, 1), (0, 0))),
    chunk(b"inst", b"".join(name(n) + struct.pack("<H", bag) for n, bag in [("saw", 0), ("noise", 1), ("EOI", 2)])),
    chunk(b"ibag", record((0, 0), (2, 0), (4, 0))),
    chunk(b"imod", bytes(10)),
    chunk(b"igen", record((54, 1), (53, 0), (54, 1), (53, 1), (0, 0))),
    chunk(b"shdr", b"".join(name(n) + struct.pack("<IIIIIBbHH", at, at + length, at + period, at + length - period, 32000,
                                                  60, 0, 0, 1)
                            for n, at in [("saw", 0), ("noise", length + rest)]) + name("EOS") + bytes(26)))
info = part(b"INFO", chunk(b"ifil", struct.pack("<HH", 2, 1)), chunk(b"isng", b"EMU8000\0"), chunk(b"INAM", b"tests\0"))
font = b"sfbk" + info + part(b"sdta", chunk(b"smpl", smpl)) + pdta
open("font.sf2", "wb").write(chunk(b"RIFF", font))

# -- songs: bass, drums, chords, and perhaps a named melody, of one bar again and again
def number(x):
    out = bytes([x & 0x7f])
    while x := x >> 7:
        out = bytes([x & 0x7f | 0x80]) + out
    return out
def track(title, events):
    data, last = b"\0\xff\x03" + number(len(title)) + title.encode(), 0
    for tick, event in sorted(events, key=lambda e: (e[0], e[1][0] & 0xf0 == 0x90)):
        data += number(tick - last) + bytes(event)
        last = tick
    data += b"\0\xff\x2f\0"
    return b"MTrk" + struct.pack(">I", len(data)) + data
def notes(channel, program, keys, step, bars):
    events = [(0, (0xc0 | channel, program))]
    for i in range(bars * 1920 // step):
        for key in keys[i % len(keys)]:
            events += [(i * step, (0x90 | channel, key, 90)), (i * step + step * 3 // 4, (0x80 | channel, key, 0))]
    return events
def song(path, melody, bars=6, root=48, extra=b""):
    parts = [track("tempo", [(0, (0xff, 0x51, 3, 7, 0xa1, 0x20))]),
             track("low", notes(1, 33, [[root - 12], [root - 5]], 480, bars)),
             track("kit", notes(9, 0, [[36], [42], [38], [42]], 240, bars)),
             track("keys", notes(2, 4, [[root + 12, root + 16, root + 19]], 960, bars))]
    if melody:
        parts.append(track(melody, notes(3, 73, [[root + 19], [root + 21], [root + 24], [root + 21]], 480, bars)))
    open(path, "wb").write(b"MThd" + struct.pack(">IHHH", 6, 1, len(parts), 480) + b"".join(parts) + extra)

song("songs/Anna - One.mid", "Lead Vocal")
song("songs/Two (live).mid", "flute", root=50)
song("songs/Three.mid", None, root=45)
one = open("songs/Three.mid", "rb").read()
open("bad/cut.mid", "wb").write(one[:-40])
open("bad/copy.mid", "wb").write(one)
open("bad/Three again.mid", "wb").write(one)
open("bad/text.mid", "w").write("hello, world\n")
open("bad/empty.mid", "w")
open("bad/lone.mid", "wb").write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + track("x", notes(0, 0, [[60]], 480, 1)))
loud = b"".join(b"\0\x90" + bytes([k % 128, 100]) for k in range(3000)) + b"\x83\xff\xff\x7f\x80\x3c\0\0\xff\x2f\0"
open("bad/hang.mid", "wb").write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1) + b"MTrk" + struct.pack(">I", len(loud)) + loud)

# -- a module of four channels with three instruments
def mod(path, cells):
    instruments = b""
    samples = [saw[:3200], noise[:1600], saw[:800]]
    for i in range(31):
        n = len(samples[i]) // 2 if i < 3 else 0
        instruments += (f"inst {i}".encode().ljust(22, b"\0")
                        + struct.pack(">HBBHH", n, 0, 64 if i < 3 else 0, 0, n if i in (0, 2) else 1))
    rows = b""
    for row in range(64):
        for channel in range(4):
            period_, instrument = cells(row, channel)
            rows += bytes([instrument & 0xf0 | period_ >> 8, period_ & 0xff, (instrument & 15) << 4, 0])
    data = b"".join(struct.pack(f"{len(s)}b", *[x >> 8 for x in s]) for s in samples)
    open(path, "wb").write(b"a module".ljust(20, b"\0") + instruments + bytes([2, 127]) + bytes([0, 0]).ljust(128, b"\0")
                           + b"M.K." + rows + data)
mod("modules/tune.mod", lambda row, channel: (0, 0) if row % 4 else
    [(428, 1), (254, 2), (214 if row % 8 else 285, 3), (0, 0)][channel])
open("modules.tsv", "w").write("path\tbytes\tdrums_inst\tbass_inst\tother_inst\nmodules/tune.mod\t0\t1\t0\t2\n")
