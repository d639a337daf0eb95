# listen_make.py FOLDER SONGS SECONDS: songs in MUSDB18-HQ's layout whose stems are one tone each, so that whatever is mixed
# can be told apart; and FOLDER.tsv, their neighbours. Odd songs are four times softer, the right channel half the left.
import os
import sys
import wave

import numpy as np

CLASSES = ["bass", "drums", "other", "vocals"]
AMPLITUDE = [0.2, 0.12, 0.15, 0.1]
RATE = 44100


def TONE(song, k):
    return 300 + 400 * k + 20 * song


def write(path, x, rate):
    with wave.open(path, "wb") as f:
        f.setnchannels(x.shape[1])
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes((x * 32767).round().astype("<i2").tobytes())


def main():
    folder, songs, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    t = np.arange(int(seconds * RATE)) / RATE
    for s in range(songs):
        os.makedirs(f"{folder}/song{s}")
        for k, name in enumerate(CLASSES):
            left = AMPLITUDE[k] * (0.25 if s % 2 else 1) * np.sin(2 * np.pi * TONE(s, k) * t)
            write(f"{folder}/song{s}/{name}.wav", np.stack([left, left / 2], 1), RATE)
    with open(folder + ".tsv", "w") as f:
        f.write("query\tquery_class\trank\treference\tclass\tdistance\tmore\n")
        for s in range(songs):
            for k, name in enumerate(CLASSES):
                # the own stem and one of another class are nearer: neither may be taken
                rows = [(s, name), ((s + 2) % songs, CLASSES[k - 1]), ((s + 1) % songs, name), ((s + 2) % songs, name)]
                for i, (other, kind) in enumerate(rows):
                    more = int((s, name, i) != (songs - 1, CLASSES[-1], len(rows) - 1))
                    f.write(f"song{s}/{name}\t{name}\t{i + 1}\tsong{other}/{kind}\t{kind}\t{0.1 * (i + 1):.9f}\t{more}\n")


if __name__ == "__main__":
    main()
