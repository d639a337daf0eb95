#!/usr/bin/env python3
"""Interleaved timing of our programs against their peers on the same threads and inputs.

run.py [--out build/bench.ndjson] [--repeats 7] [--only NAME] TABLE
TABLE: lines "NAME<tab>WANTED<tab>OUR COMMAND<tab>PEER COMMAND[<tab>PEER COMMAND...]"; blank lines and # comments are skipped.
Each command prints "ready" and then, for every line it reads, does the job once and prints its seconds. All commands of a line
stay up together and take turns; the peer is the one with the best median. Prints a table, appends NDJSON, and exits 1 when a
ratio (peer's median / ours) is below WANTED or a command fails.
"""
import argparse
import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys


class Program:
    def __init__(self, command, env):
        self.command = command
        self.seconds = []
        self.process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        line = self.process.stdout.readline().strip()
        if line != "ready":
            raise RuntimeError(f"'{command}' said '{line}' where 'ready' was expected")

    def turn(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"'{self.command}' ended early")
        self.seconds.append(float(line))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def processor():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":")[1].strip() for line in f if line.startswith("model name")]
    return names[0] if names else platform.processor()


def commit():
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def measure(name, wanted, commands, repeats, threads):
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
    programs = []
    try:
        for command in commands:
            programs.append(Program(command, env))
        for _ in range(repeats):
            for program in programs:
                program.turn()
    finally:
        for program in programs:
            program.close()
    medians = [statistics.median(p.seconds) for p in programs]
    best = min(range(1, len(medians)), key=medians.__getitem__)
    return {
        "name": name, "wanted_ratio": wanted, "ratio": round(medians[best] / medians[0], 3),
        "ours": commands[0], "ours_s": medians[0], "peer": commands[best], "peer_s": medians[best],
        "all_medians_s": medians, "ours_range_s": [min(programs[0].seconds), max(programs[0].seconds)],
        "peer_range_s": [min(programs[best].seconds), max(programs[best].seconds)], "repeats": repeats, "threads": threads,
        "processor": processor(), "commit": commit(), "date": datetime.datetime.now().isoformat(timespec="seconds"),
    }


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("table")
    ap.add_argument("--out", default="build/bench.ndjson")
    ap.add_argument("--repeats", type=int, default=7)
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--only")
    a = ap.parse_args()
    missed = 0
    print(f"{'benchmark':24} {'ours':>10} {'peer':>10} {'ratio':>7} {'wanted':>7}")
    with open(a.table) as table, open(a.out, "a") as out:
        for line in table:
            if not line.strip() or line.startswith("#"):
                continue
            name, wanted, *commands = line.rstrip("\n").split("\t")
            if a.only and a.only != name:
                continue
            commands = [os.path.expandvars(c) for c in commands]
            try:
                row = measure(name, float(wanted), commands, a.repeats, a.threads)
            except (RuntimeError, OSError, ValueError) as e:
                print(f"{name:24} failed: {e}")
                missed += 1
                continue
            missed += row["ratio"] < row["wanted_ratio"]
            out.write(json.dumps(row) + "\n")
            out.flush()
            print(f"{name:24} {row['ours_s']:9.4f}s {row['peer_s']:9.4f}s {row['ratio']:7.2f} {row['wanted_ratio']:7.2f}   "
                  f"peer: {row['peer']}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
