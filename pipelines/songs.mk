# songs.mk: what the makefiles of the experiments share: where things go, and the embeddings of the songs of MUSDB.
#
#   MUSDB=DIR       tracks with stems, in any layout that sj-chunk reads
#   OUT=DIR         tables and figures; in folders beside them the stages, for an interrupted run to go on [build/paper]
#   JOBS=N          songs at a time, on each host [processors]; THREADS=N of each program [1]
#   SSHLOGINS=...   hosts, as GNU parallel takes them, or a file of them: the programs on their PATH, data and models at
#                   the same absolute paths; PARALLEL_FLAGS='--transferfile {2} --cleanup' brings each song instead, by
#                   rsync, and removes it there afterwards, where it is one file: only for hosts that do not
#                   see the same folder
#   KEEP_GOING=1    leaves out songs that cannot be read; their number stands under the tables
#   CHUNK_FLAGS, EMBED_FLAGS   more options of sj-chunk (as --class-map) and of sj-embed and sj-predict (as --backend)
#
# Folders must not have blanks in their names; what lies in them may.

songs_mk := 1
BUILD   ?= build
OUT     ?= $(BUILD)/paper
JOBS    ?= $(shell nproc)
THREADS ?= 1
SEED    ?= 1
here    := $(dir $(lastword $(MAKEFILE_LIST)))
export PATH := $(abspath $(BUILD)/bin):$(PATH)
export JOBS SSHLOGINS KEEP_GOING PARALLEL_FLAGS
export OMP_WAIT_POLICY := passive
# One run at a time; the makes that it starts are of it.
ifneq ($(SJ_HELD),$(abspath $(OUT)))
in_use := $(shell sh $(here)hold.sh $(OUT) $$PPID 2>&1)
$(if $(in_use),$(error $(in_use)))
endif
export SJ_HELD := $(abspath $(OUT))

.SUFFIXES:
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SECONDEXPANSION:
.PHONY: FORCE
FORCE:

# $(call changed,TEXT): writes TEXT to the target where it says something else, so that only a change has consequences.
changed = mkdir -p $(@D) && printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
# $(call each,FILES,COMMAND): the target from every line of the first prerequisite; FILES make older parts stale.
each    = mkdir -p $(@D) && NEWER='$(1)' sh $(here)each.sh $< $@ '$(2)'
# What an earlier run left out stops one that is not told to.
redo    = $(if $(KEEP_GOING),,$(if $(wildcard $(1).left-out),FORCE))
mel     = sj-mel -j $(THREADS)
chunk   = sj-chunk {keep} -j $(THREADS) $(CHUNK_FLAGS)
embed   = sj-embed -j $(THREADS) $(EMBED_FLAGS) -m $(abspath $(1))
predict = sj-predict -j $(THREADS) $(EMBED_FLAGS) -m $(abspath $(1))
# $(call list,FILES OR FOLDERS[,OPTIONS]): names, checksums and paths of the tracks, for each.sh.
list    = mkdir -p $(@D) && sh $(here)list.sh $@ $(CHUNK_FLAGS) $(2) $(1)

include $(here)wants.mk
$(foreach v,MUSDB TRAIN AUDIO LABELS POP909 GIANTSTEPS GTZAN MTAT NSYNTH ANNOTATIONS,$(call there,$(v)))
include $(here)models.mk

S := $(OUT)/musdb
$(S)/songs.tsv: FORCE
	@$(call wants,MUSDB)$(call list,$(MUSDB))

$(S)/settings: FORCE
	@$(call changed,$(CHUNK_FLAGS) $(EMBED_FLAGS))

# Stages between others stay.
.PRECIOUS: $(S)/%/target.sjt $(S)/%/context.sjt $(S)/%/queries.sjt $(S)/%/about %.md %.png

# What each model is: another file under its name, older or newer, is another model.
.PRECIOUS: $(OUT)/ids/%
$(OUT)/ids/%: $(MODELS)/%.h5 FORCE
	@[ -s $< ] || { echo "'$<' is empty" >&2; exit 1; }
	@$(call changed,$(abspath $(MODELS)/$*.h5) '"$$(cksum <$(MODELS)/$*.h5)"')

# Of every song: all stems by both encoders, and the predictions from the mixes that lack one of them.
stems_target  = $(chunk) --stems {files} | $(mel) | $(call embed,$(1)) --network target --pool track
stems_context = $(chunk) --stems {files} | $(mel) | $(call embed,$(1)) --pool track
mixes         = $(chunk) --mixes {files} | $(mel) | $(call embed,$(1)) | $(call predict,$(1)) --pool track
$(S)/%/target.sjt: $(S)/songs.tsv $(OUT)/ids/% $(S)/settings $$(call redo,$$@)
	@$(call each,$(OUT)/ids/$*,$(call stems_target,$(MODELS)/$*.h5))
$(S)/%/context.sjt: $(S)/songs.tsv $(OUT)/ids/% $(S)/settings $$(call redo,$$@)
	@$(call each,$(OUT)/ids/$*,$(call stems_context,$(MODELS)/$*.h5))
$(S)/%/queries.sjt: $(S)/songs.tsv $(OUT)/ids/% $(S)/settings $$(call redo,$$@)
	@$(call each,$(OUT)/ids/$*,$(call mixes,$(MODELS)/$*.h5))

# What each model is, for the notes under tables and figures.
$(S)/%/about: $(OUT)/ids/%
	@mkdir -p $(@D)
	@sj-view $(MODELS)/$*.h5 | awk -v name=$* -f $(here)about.awk >$@.new && mv $@.new $@

# TABLE.md from TABLE.tsv and TABLE.txt
%.md: %.tsv %.txt
	@{ awk -f $(here)markdown.awk $< && echo && cat $*.txt; } >$@.new && mv $@.new $@
# Figures as PNG, from the SVG
%.png: %.svg
	@rsvg-convert --zoom 2 -b white -o $@.new $< && mv $@.new $@
