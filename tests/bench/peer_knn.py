#!/usr/bin/env python3
"""Exact search by FAISS: the peer of tests/bench/knn.c.

peer_knn.py REFERENCES QUERIES K [--metric L2|IP] [--threads N]: vectors of 3840 normal values, scaled to length 1 beforehand.
Speaks the protocol of run.py: prints "ready", then for each line read one repetition and its seconds.
"""
import argparse
import os
import sys
import time

import faiss
import numpy as np

WIDTH = 3840


def unit(rng, rows):
    x = rng.standard_normal((rows, WIDTH), dtype=np.float32)
    x -= x.mean(1, keepdims=True)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("references", type=int)
    ap.add_argument("queries", type=int)
    ap.add_argument("k", type=int)
    ap.add_argument("--metric", choices=("L2", "IP"), default="L2")
    ap.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", "2")))
    a = ap.parse_args()
    faiss.omp_set_num_threads(a.threads)
    rng = np.random.default_rng(0)
    index = faiss.IndexFlatL2(WIDTH) if a.metric == "L2" else faiss.IndexFlatIP(WIDTH)
    for first in range(0, a.references, 10000):
        index.add(unit(rng, min(10000, a.references - first)))
    query = unit(rng, a.queries)
    index.search(query, a.k)
    print("ready", flush=True)
    for _ in sys.stdin:
        t = time.perf_counter()
        index.search(query, a.k)
        print(f"{time.perf_counter() - t:.6f}", flush=True)


if __name__ == "__main__":
    main()
