#!/bin/sh
# deps.sh VENV: the Python peers of the benchmarks, from PyPI, in virtual environments of their own: VENV with the newest
# PyTorch and FAISS, VENV-audio with torchaudio, which runs only with the PyTorch that it was built with.
set -eu
venv=$1 audio=$1-audio

[ -x "$venv/bin/python3" ] || python3 -m venv "$venv"
"$venv/bin/python3" -m pip install --quiet numpy torch faiss-cpu
"$venv/bin/python3" -c 'import torch, faiss; print("torch", torch.__version__, "faiss", faiss.__version__)'

[ -x "$audio/bin/python3" ] || python3 -m venv "$audio"
"$audio/bin/python3" -m pip install --quiet --no-deps torchaudio
version=$("$audio/bin/python3" -m pip show torchaudio | sed -n 's/^Version: //p')
"$audio/bin/python3" -m pip install --quiet numpy "torch==$version"
"$audio/bin/python3" -c 'import torch, torchaudio; print("torch", torch.__version__, "torchaudio", torchaudio.__version__)'
