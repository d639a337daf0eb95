# models.mk: the three variants of the model. Those that MODELS lacks are trained where TRAIN is given, else absent.
#
#   MODELS=DIR      mlp-cond.h5, mlp-nocond.h5, transformer.h5 [OUT/models]
#   TRAIN=...       training sets (HDF5, of sj-chunk --dataset), or folders of songs to make one from
#   STEPS=N, SIZE=NAME, TRAIN_FLAGS=...   of sj-train [300000 steps, base, batches of 256: the paper's]; SEED=N [1].
#                   To try the pipelines out, in minutes on two processors: STEPS=100 SIZE=tiny TRAIN_FLAGS='-b 16'
#
# A training that is interrupted goes on from its checkpoint; a model that is there is never trained again.

MODELS   ?= $(OUT)/models
STEPS    ?= 300000
SIZE     ?= base
variants := mlp-cond mlp-nocond transformer
predictor_mlp-cond    := mlp
predictor_mlp-nocond  := mlp_none
predictor_transformer := transformer
present  := $(strip $(foreach v,$(variants),$(if $(or $(TRAIN),$(wildcard $(MODELS)/$(v).h5)),$(v))))
# The model of the figures and of the listening test: the first that there is, or one that is asked for and missed.
MODEL    ?= $(firstword $(present) $(variants))
train_sets := $(filter %.h5,$(TRAIN)) $(if $(filter-out %.h5,$(TRAIN)),$(OUT)/train.h5)

$(if $(and $(filter-out file,$(origin MODELS)),$(if $(TRAIN),,none)),$(call there,MODELS))

.PHONY: models
models: $(present:%=$(MODELS)/%.h5)
	@$(if $(present),,echo "no models in '$(MODELS)', and TRAIN is not given" >&2; exit 1)

ifneq ($(filter-out %.h5,$(TRAIN)),)
# A set of other songs is another set.
$(OUT)/train.settings: FORCE
	@mkdir -p $(@D) && printf '%s\n' '$(abspath $(filter-out %.h5,$(TRAIN))) $(CHUNK_FLAGS)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else rm -f $(OUT)/train.h5 $(OUT)/train.h5.part && mv $@.new $@; fi
$(OUT)/train.h5: $(OUT)/train.settings
	@mkdir -p $(@D)
	@sj-chunk $(if $(KEEP_GOING),-k) $(CHUNK_FLAGS) --dataset $@ $(filter-out %.h5,$(TRAIN)) || \
	    { [ $$? -eq 1 ] && [ -n "$(KEEP_GOING)" ]; }
endif

ifneq ($(TRAIN),)
$(variants:%=$(MODELS)/%.h5): $(MODELS)/%.h5: | $(train_sets)
	@mkdir -p $(@D)
	@echo "== training $* ($(STEPS) steps)"
	@sj-train --seed $(SEED) -s $(SIZE) --predictor $(predictor_$*) --steps $(STEPS) $(TRAIN_FLAGS) --resume \
	    --log $(@:.h5=.log.ndjson) -o $@ $(train_sets)
endif

# What is neither there nor trained. (A rule for all names: one with a recipe of its own goes before it.)
$(MODELS)/%.h5:
	@echo "no model '$*': '$@' is not there$(if $(TRAIN),, and TRAIN is not given)" >&2; exit 1
