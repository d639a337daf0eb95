# pretrain: a model for anybody's stems, learnt from rendered music: render, data set, train, evaluate, export.
#
#   make pretrain MIDI=midi/ REAL=musdb18/ [MODULES=modules/ INSTRUMENTS=modules.tsv] [OUT=build/pretrain] [STEPS=N]
#
#   MIDI=...        Standard MIDI files, or folders of them; MODULES=... tracker modules, with INSTRUMENTS (sj-render(1))
#   SOUNDFONT=A,B   the sound fonts [those of sj-render]; TAKES=N renderings of each piece [1], each of up to SECONDS [60]
#   REAL=...        recordings with stems, in any layout that sj-chunk reads: never learnt from, but what is validated on
#   MODEL_FLAGS, TRAIN_FLAGS, STEPS   of sj-train [a small encoder, learnt by contrast frame by frame]; THREADS=N; SEED=N [1]
#   FRAMES=N        length of crops [160, 1.6 s]; WEIGHTS=W,W how often MIDI files and modules are drawn [all pieces alike]
#   ALIGNED=1       the recordings are of one length: what sounds when is compared too, in the validation and in a row
#   EVERY=N         steps between validations [250]
#   TRACKS=N        tracks of each rendered set that the linear map of spectra is learnt from [2000]
#
# Makes OUT/model.h5 (bf16), table.md beside chance, AutoMashupper, spectra and the best linear map of them (mel-statistics),
# and the untrained model, and the learning curve
# curve.svg with curve.tsv. A run that is interrupted goes on where it was.

BUILD   ?= build
OUT     ?= $(BUILD)/pretrain
JOBS    ?= $(shell nproc)
SEED    ?= 1
TAKES   ?= 1
SECONDS ?= 60
STEPS   ?= 1500
EVERY   ?= 250
FRAMES  ?= 160
TRACKS  ?= 2000
MODEL_FLAGS ?= --dim 128 --depth 3 --heads 4 --hidden 512 --layers 3 --positions rotary
TRAIN_FLAGS ?= --batch 512 --contrastive-window 16 --rate 2e-3 --warmup 100 --temperature 0.07 --ema 0.9 --ema-end 0.99 --cosine 0 --contrastive 1 \
               --contrastive-targets encoder --augment gain=9,polarity,tilt=4,speed=2,floor=-45,drive=0.3,eq=12
here    := $(dir $(lastword $(MAKEFILE_LIST)))
export PATH := $(abspath $(BUILD)/bin):$(PATH)
export OMP_WAIT_POLICY := passive
threads := $(if $(THREADS),-j $(THREADS))
include $(here)wants.mk

.SUFFIXES:
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: pretrain given FORCE
pretrain: given $(OUT)/model.h5 $(OUT)/table.md $(OUT)/curve.svg
	@cat $(OUT)/table.md
FORCE:
given:
	@$(call wants,REAL)$(if $(MODULES),,$(call wants,MIDI)):

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
	@sj-chunk --dataset $@ $(REAL)
$(OUT)/real.settings: FORCE
	@mkdir -p $(@D) && printf '%s\n' '$(REAL)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else rm -f $(@:.settings=.h5) $(@:.settings=.h5).part && mv $@.new $@; fi

# -- training -----------------------------------------------------------------------------------------------------------
train = sj-train $(threads) --seed $(SEED) $(MODEL_FLAGS) --span $(FRAMES) --frames $(FRAMES) $(TRAIN_FLAGS) $(if $(WEIGHTS),--weights $(WEIGHTS))
# A model is too dear to be replaced by the way.
$(OUT)/train.settings: FORCE
	@mkdir -p $(@D) && printf '%s\n' '$(train) --steps $(STEPS)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; elif [ -e $(OUT)/trained.h5 ]; then rm $@.new; \
	    echo "'$(OUT)/trained.h5' was trained with other settings: give another OUT, or remove it" >&2; exit 1; \
	else mv $@.new $@; fi
$(OUT)/trained.h5: $(OUT)/train.settings $(sets) $(OUT)/real.h5
	@echo "== training ($(STEPS) steps)"
	@$(train) --steps $(STEPS) --validate $(OUT)/real.h5 --validate-every $(EVERY) \
	    $(if $(ALIGNED),--validate-pool aligned) --checkpoint-every 120 --log $(OUT)/log.ndjson --resume --replace -o $@ $(sets)
$(OUT)/untrained.h5: $(sets)
	@sj-train -q --seed $(SEED) $(MODEL_FLAGS) --span $(FRAMES) --warmup 0 --steps 0 -o $@ $(sets)
$(OUT)/model.h5: $(OUT)/trained.h5
	@sj-view --bf16 -o $@ $<

# -- evaluation: for every recording without one stem, where that stem ranks among all stems of all recordings --------------
# On average over time (SPEC 8.1), and by what sounds when too, where all recordings have one length.
search = sj-chunk -q --stems $(REAL) | sj-mel | sj-embed -m $< --network target --pool $(1) -o $(OUT)/$*.$(1).h5 && \
         sj-chunk -q --mixes $(REAL) | sj-mel | sj-embed -m $< | sj-predict -m $< --pool $(1) | \
         sj-knn --metrics --baselines -o $@ $(OUT)/$*.$(1).h5
$(OUT)/%.metrics.tsv: $(OUT)/%.h5 $(OUT)/real.settings
	@$(call search,track)
$(OUT)/%.aligned.tsv: $(OUT)/%.h5 $(OUT)/real.settings
	@$(call search,aligned)

$(OUT)/automashupper.metrics.tsv: $(OUT)/real.settings
	@echo "== AutoMashupper"
	@bash -c 'sj-mash -q -j $(JOBS) -o $(OUT)/ranked.tsv --query <(sj-chunk -q --mixes $(REAL)) <(sj-chunk -q --stems $(REAL))'
	@sj-knn -q --merge --metrics -o $@ $(OUT)/ranked.tsv

# Spectra alone: mean and deviation of each band, from mix to stem by ridge regression, learnt from what the model learns
# from. Tracks of one stem teach nothing and are passed over; mixes of classes that are not among what was rendered stay out
# of the row, whose count of queries says so.
statistics = sj-mel $(threads) --pool statistics
$(OUT)/statistics.settings: FORCE
	@mkdir -p $(@D) && printf '%s\n' '$(TRACKS)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(OUT)/statistics.map.h5: $(OUT)/statistics.settings $(sets)
	@echo "== spectra"
	@sj-chunk -q -k --stems --mixes --take $(TRACKS) $(sets) | $(statistics) -o $(OUT)/statistics.train.h5
	@sj-linear --fit -o $@ --mixes $(OUT)/statistics.train.h5 --stems $(OUT)/statistics.train.h5
	@rm $(OUT)/statistics.train.h5
$(OUT)/mel-statistics.metrics.tsv: $(OUT)/statistics.map.h5 $(OUT)/real.settings
	@sj-chunk -q --stems $(REAL) | $(statistics) | sj-linear -m $< --references -o $(OUT)/statistics.stems.h5
	@sj-chunk -q --mixes $(REAL) | $(statistics) -o $(OUT)/statistics.mixes.h5
	@sj-linear -k -m $< --standard -o $(OUT)/statistics.predicted.h5 $(OUT)/statistics.mixes.h5 || [ $$? -eq 1 ]
	@sj-knn --metrics --query $(OUT)/statistics.predicted.h5 -o $@ $(OUT)/statistics.stems.h5

rows := untrained.metrics automashupper.metrics mel-statistics.metrics model.metrics $(if $(ALIGNED),untrained.aligned model.aligned)
$(OUT)/table.tsv: $(rows:%=$(OUT)/%.tsv)
	@awk -f $(here)pretrain-table.awk $^ >$@.new && mv $@.new $@
$(OUT)/table.md: $(OUT)/table.tsv
	@awk -f $(here)markdown.awk $< >$@.new && mv $@.new $@

# -- the learning curve ---------------------------------------------------------------------------------------------------
$(OUT)/curve.tsv: $(OUT)/trained.h5
	@awk -f $(here)pretrain-curve.awk $(OUT)/log.ndjson >$@.new && mv $@.new $@
$(OUT)/curve.svg: $(OUT)/curve.tsv
	@gnuplot -e "data='$<'; out='$@.new'" $(here)pretrain-curve.gp && mv $@.new $@
