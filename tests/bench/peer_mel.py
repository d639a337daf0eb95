#!/usr/bin/env python3
"""Log-mel spectrograms by torchaudio: the peer of tests/bench/mel.c.

peer_mel.py CHUNKS [--batch N] [--threads N]: CHUNKS waves of 8 s a turn, N of them in a call.
Speaks the protocol of run.py: prints "ready", then for each line read one repetition and its seconds.
"""
import argparse
import os
import sys
import time

import torch

torch.version.cuda = None   # torchaudio refuses a torch built for another CUDA, which does not matter here
import torchaudio  # noqa: E402


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("chunks", type=int)
    ap.add_argument("--batch", type=int, default=1)
    ap.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", "2")))
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    mel = torchaudio.transforms.MelSpectrogram(16000, n_fft=400, hop_length=160, f_min=50.0, f_max=8000.0, n_mels=80, norm="slaney",
                                               mel_scale="slaney")
    waves = torch.randn(a.chunks, 128000).split(a.batch)

    def step():
        with torch.inference_mode():
            return [mel(w).add_(2.0 ** -23).log_().add_(9.453).mul_(1 / 3.569) for w in waves]
    step()
    step()
    print("ready", flush=True)
    for _ in sys.stdin:
        t = time.perf_counter()
        step()
        print(f"{time.perf_counter() - t:.6f}", flush=True)


if __name__ == "__main__":
    main()
