# sj: stem compatibility as a Unix pipeline.
#
#   make demo     set up, build, train a small model on made-up pieces, print a retrieval table   (start here)
#   make check    set up, build, run every test
#   make table1 | figure2 | listening-test | listening-test-analysis | figure4 | figure5 | table3 | paper | report | models | pop909
#                 the paper's experiments, explained at the heads of pipelines/*.mk
#   make pretrain  a model from MIDI files
#   make all | bundle | check-cuda | bench-cuda | bench-deps | bench | check-asan | lint | install | uninstall | dist | clean
#
# CFLAGS, LDFLAGS, DESTDIR and prefix are yours; BUILD is where everything made goes. CUDA=0 leaves the CUDA back end out,
# CUDA=1 insists on it, CUDA=auto makes it where nvcc is; CUDA_ARCHS: for which devices.

VERSION := 0.1.0
BUILD   ?= build
prefix  ?= /usr/local
bindir  ?= $(prefix)/bin
libdir  ?= $(prefix)/lib
mandir  ?= $(prefix)/share/man
datadir ?= $(prefix)/share/sj
CFLAGS  ?= -O3 -g
CUDA    ?= auto
CUDA_HOME  ?= /usr/local/cuda
CUDA_ARCHS ?= 80 86 89 90 100 120
NVCCFLAGS  ?= -O3

include pipelines/build.mk
include pipelines/bundle.mk
include pipelines/verbs.mk
