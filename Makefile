# sj: stem compatibility as a Unix pipeline.
#
#   make demo     set up, build, train a small model on made-up pieces, print a retrieval table   (start here)
#   make check    set up, build, run every test
#   make all | bench-deps | bench | check-asan | lint | install | uninstall | dist | clean
#
# CFLAGS, LDFLAGS, DESTDIR and prefix are yours; BUILD is where everything made goes.

VERSION := 0.1.0
BUILD   ?= build
prefix  ?= /usr/local
bindir  ?= $(prefix)/bin
mandir  ?= $(prefix)/share/man
datadir ?= $(prefix)/share/sj
CUDA    ?= auto
CFLAGS  ?= -O3 -g

include pipelines/build.mk
include pipelines/verbs.mk
