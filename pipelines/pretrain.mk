# pretrain: a model for anybody's stems, learnt from rendered music: render, data set, train, evaluate, export.
#
#   make pretrain MIDI=midi/ REAL=musdb18/ [MODULES=modules/ INSTRUMENTS=modules.tsv] [OUT=build/pretrain] [STEPS=N]
#
#   MIDI=...        Standard MIDI files, or folders of them; MODULES=... tracker modules, with INSTRUMENTS (sj-render(1))
#   SOUNDFONT=A,B   the sound fonts [those of sj-render]; TAKES=N renderings of each piece [1], each of up to SECONDS [60]
#   REAL=...        recordings with stems, in any layout that sj-chunk reads: never learnt from, but what is validated on
#   MODEL_FLAGS, TRAIN_FLAGS, STEPS   of sj-train [those of the model that ships]; THREADS=N; SEED=N [1]
#   EVERY=N         steps between validations [250]
#
# Makes OUT/model.h5 (bf16), table.md beside chance, statistics of the mel, AutoMashupper and the untrained model, and the
# learning curve curve.svg with curve.tsv. A run that is interrupted goes on where it was.

BUILD   ?= build
OUT     ?= $(BUILD)/pretrain
JOBS    ?= $(shell nproc)
SEED    ?= 1
TAKES   ?= 1
SECONDS ?= 60
STEPS   ?= 4000
EVERY   ?= 250
MODEL_FLAGS ?= --dim 96 --depth 3 --heads 4 --hidden 512 --layers 4
TRAIN_FLAGS ?= --frames 640 --batch 128 --rate 2e-3 --warmup 60 --ema 0.9 --ema-end 0.99 --cosine 0 --contrastive 1 \
               --contrastive-targets encoder --augment gain=6,polarity,tilt=2,speed=2
here    := $(dir $(lastword $(MAKEFILE_LIST)))
export PATH := $(abspath $(BUILD)/bin):$(PATH)
export OMP_WAIT_POLICY := passive
threads := $(if $(THREADS),-j $(THREADS))
wants    = $(if $($(1)),,$(error $(1)=... must be given: see the head of the makefile))

.SUFFIXES:
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: pretrain FORCE
FORCE:
pretrain: $(OUT)/model.h5 $(OUT)/table.md $(OUT)/curve.svg
	@cat $(OUT)/table.md

# -- what is learnt from ------------------------------------------------------------------------------------------------
# Titles that are held out stay out of the set. Files that cannot be rendered are left out: sj-render names and counts them.
sets   := $(if $(MIDI),$(OUT)/midi.h5) $(if $(MODULES),$(OUT)/modules.h5)
render  = sj-render --augment --seed $(SEED) --takes $(TAKES) --seconds $(SECONDS) --split train -j $(JOBS)
whole   = || { [ $$? -eq 1 ] && [ -s $@ ]; }

# Other pieces or settings are another set, to be made anew.
$(OUT)/midi.settings $(OUT)/modules.settings: FORCE
	@mkdir -p $(@D) && printf '%s\n' '$(render) $(SOUNDFONT) $(INSTRUMENTS) $(if $(filter %midi.settings,$@),$(MIDI),$(MODULES))' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else rm -f $(@:.settings=.h5) $(@:.settings=.h5).part && mv $@.new $@; fi
$(OUT)/midi.h5: $(OUT)/midi.settings
	@echo "== rendering MIDI files"
	@$(render) $(if $(SOUNDFONT),--soundfont $(SOUNDFONT)) --dataset $@ $(MIDI) $(whole)
$(OUT)/modules.h5: $(OUT)/modules.settings
	@echo "== rendering modules"
	@$(call wants,INSTRUMENTS)$(render) --instruments $(INSTRUMENTS) --dataset $@ $(MODULES) $(whole)

$(OUT)/real.h5: $(OUT)/real.settings
	@$(call wants,REAL)sj-chunk --dataset $@ $(REAL)
$(OUT)/real.settings: FORCE
	@mkdir -p $(@D) && printf '%s\n' '$(REAL)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else rm -f $(@:.settings=.h5) $(@:.settings=.h5).part && mv $@.new $@; fi

# -- training -----------------------------------------------------------------------------------------------------------
train = sj-train $(threads) --seed $(SEED) $(MODEL_FLAGS) $(TRAIN_FLAGS)
$(OUT)/trained.h5: $(sets) $(OUT)/real.h5
	$(if $(sets),,$(error MIDI=... or MODULES=... must be given: see the head of the makefile))
	@echo "== training ($(STEPS) steps)"
	@$(train) --steps $(STEPS) --validate $(OUT)/real.h5 --validate-every $(EVERY) --log $(OUT)/log.ndjson --resume -o $@ $(sets)
$(OUT)/untrained.h5: $(sets)
	@sj-train -q --seed $(SEED) $(MODEL_FLAGS) $(filter-out --warmup 60,$(TRAIN_FLAGS)) --warmup 0 --steps 0 -o $@ $(sets)
$(OUT)/model.h5: $(OUT)/trained.h5
	@sj-view --bf16 -o $@ $<

# -- evaluation: for every recording without one stem, where that stem ranks among all stems of all recordings --------------
$(OUT)/%.metrics.tsv: $(OUT)/%.h5 $(OUT)/real.settings
	@sj-chunk -q --stems $(REAL) | sj-mel | sj-embed -m $< --network target --pool track -o $(OUT)/$*.stems.h5
	@sj-chunk -q --mixes $(REAL) | sj-mel | sj-embed -m $< | sj-predict -m $< --pool track | \
	    sj-knn --metrics --baselines -o $@ $(OUT)/$*.stems.h5

# The mean and deviation of every band of the mel, and the best linear map from those of mixes to those of stems.
statistics = sj-chunk -q $(1) | sj-mel --pool statistics -o $(OUT)/$(2).h5
$(OUT)/statistics.metrics.tsv: $(sets) $(OUT)/real.settings
	@echo "== statistics of the mel"
	@$(call statistics,--stems $(REAL),real-stems)
	@$(call statistics,--mixes $(REAL),real-mixes)
	@$(call statistics,--stems $(sets),learn-stems)
	@$(call statistics,--mixes $(sets),learn-mixes)
	@sj-linear --mixes $(OUT)/learn-mixes.h5 --stems $(OUT)/learn-stems.h5 $(OUT)/real-mixes.h5 | \
	    sj-knn --metrics -o $@ $(OUT)/real-stems.h5
$(OUT)/automashupper.metrics.tsv: $(OUT)/real.settings
	@echo "== AutoMashupper"
	@bash -c 'sj-mash -q -j $(JOBS) -o $(OUT)/ranked.tsv --query <(sj-chunk -q --mixes $(REAL)) <(sj-chunk -q --stems $(REAL))'
	@sj-knn -q --merge --metrics -o $@ $(OUT)/ranked.tsv

rows := untrained statistics automashupper model
$(OUT)/table.tsv: $(rows:%=$(OUT)/%.metrics.tsv)
	@awk -f $(here)pretrain-table.awk $^ >$@.new && mv $@.new $@
$(OUT)/table.md: $(OUT)/table.tsv
	@awk -f $(here)markdown.awk $< >$@.new && mv $@.new $@

# -- the learning curve ---------------------------------------------------------------------------------------------------
$(OUT)/curve.tsv: $(OUT)/trained.h5
	@awk -f $(here)pretrain-curve.awk $(OUT)/log.ndjson >$@.new && mv $@.new $@
$(OUT)/curve.svg: $(OUT)/curve.tsv
	@gnuplot -e "data='$<'; out='$@.new'" $(here)pretrain-curve.gp && mv $@.new $@
