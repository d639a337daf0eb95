#!/bin/sh
# deps.sh VENV: the Python peers of the benchmarks, from PyPI, in a virtual environment of their own.
set -eu
venv=$1
[ -x "$venv/bin/python3" ] || python3 -m venv "$venv"
"$venv/bin/python3" -m pip install --quiet numpy torch torchaudio faiss-cpu
"$venv/bin/python3" -c 'import torch, torchaudio, faiss; print("torch", torch.__version__, "faiss", faiss.__version__)'
