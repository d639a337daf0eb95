# align-check: whether sj-align finds shifts that are known, on made-up pieces, with a model trained for that in minutes.
#
#   make -f pipelines/align-check.mk            everything, in $(BUILD)/align-check/seed-1
#   make -f pipelines/align-check.mk SEED=2     other pieces and another start
#   TRIALS=N    held-out pieces [40]; PIECES=N to learn from [1200]; STEPS=N of training [1500, 5 minutes on two processors]
#   INPUTS="embeddings audio"                   which of the two below
#
# Mix and stems of a piece are cut out of it LENGTH seconds long, the stems up to LAG seconds earlier or later: that is
# the shift. It is found when the highest point of the curve is at most a patch, 160 ms, away. The curve of a piece is the
# mean over its stems and frames.
#
#   embeddings   shifts of whole patches; sj-embed, sj-predict, sj-align --remove mean
#   audio        shifts of any number of samples; sj-align --audio
#
# Of both the table counts what is found among shifts up to SEARCH seconds to either side.
#
# Of 40 pieces of each of the seeds 1, 2 and 3, never trained on, embeddings find 38, 38 and 39 within 1 s with the model of
# seed 1 (115 of 120, 96 %), and 38, 37 and 39 within 4 s. Shifts of whole patches are the easier ones: a beat is no whole
# number of patches, so that onsets a beat away fall on other parts of them. Audio tries every 40 ms, so that onsets a beat
# away coincide too, and of 40 pieces finds 15 within 1 s and 9 within 4 s; what it misses is mostly a whole number of beats
# away. Trained with targets that were heard up to 80 ms early or late, so that coinciding onsets tell less, a model found
# 23 there, but embeddings 84 of 120.
#
# The training must teach to tell moments of a piece from each other. So it compares window by window, 160 ms each, and with
# the same windows of other crops of the piece (--contrastive-window, --crops). Compared with other windows of its own crop
# a model learns where in the crop a window stands, and finds no shift at all; with rotary positions 77 of 120, since it sees
# the ends of the crop. Trained to predict embeddings in place (the paper's regression, targets of random weights that stand
# still, which keeps what sounds when) it takes eight times as long and finds 105 of 120.
# Learnt from 2.7 s, it does better embedding 8 s at a time (--span as it is): a beat is told by bars.

BUILD   ?= build
SEED    ?= 1
TRIALS  ?= 40
PIECES  ?= 1200
STEPS   ?= 1500
INPUTS  ?= embeddings audio
SECONDS := 20
LENGTH  := 40
LAG     := 1
SEARCH  := 1 2 4
TRAIN   := --dim 128 --depth 2 --heads 4 --hidden 512 --layers 3 --frames 272 --batch 64 --rate 4e-3 --warmup 60 --ema 0 --ema-end 0 \
           --cosine 0 --contrastive 1 --contrastive-targets encoder --temperature 0.07 --other-classes 0 \
           --crops 16 --contrastive-window 16

D    := $(BUILD)/align-check/seed-$(SEED)
here := $(dir $(lastword $(MAKEFILE_LIST)))
bin  := $(BUILD)/bin
jobs := $(shell nproc)
classes := bass drums other vocals

.DELETE_ON_ERROR:
.PHONY: align-check FORCE
align-check: $(D)/table.tsv
	@cat $<

# What was made with other settings is made anew.
FORCE:
settings = mkdir -p $(D) && printf '%s\n' '$(1)' >$@.new && if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(D)/train.settings: FORCE
	@$(call settings,$(PIECES))
$(D)/trials.settings: FORCE
	@$(call settings,$(PIECES) $(TRIALS))

# -- the model ---------------------------------------------------------------------------------------------------------
$(D)/train/done: $(D)/train.settings
	@rm -rf $(D)/train $(D)/train.h5
	@echo "== making $(PIECES) pieces to learn from" >&2
	@seq 0 49 $$(($(PIECES) - 1)) | parallel -j$(jobs) \
	    'n=$$(( {} + 49 < $(PIECES) ? 49 : $(PIECES) - {} )); $(bin)/sj-synth -q --seed $(SEED) --first {} -n $$n --seconds $(SECONDS) --folder $(D)/train'
	@touch $@

$(D)/train.h5: $(D)/train/done
	@$(bin)/sj-chunk -q --dataset $@ $(D)/train

$(D)/model.settings: FORCE
	@$(call settings,$(STEPS))
$(D)/model.h5: $(D)/model.settings $(D)/train.h5
	@echo "== training" >&2
	@$(bin)/sj-train --resume --replace --seed $(SEED) $(TRAIN) --steps $(STEPS) --log $(D)/log.ndjson -o $@ $(D)/train.h5

# -- pieces with shifts ------------------------------------------------------------------------------------------------
# shifts.tsv: piece, shift in seconds for embeddings, for audio.
$(D)/trials/done: $(D)/trials.settings
	@echo "== making $(TRIALS) other pieces" >&2
	@rm -rf $(D)/trials $(D)/embeddings $(D)/audio
	@$(bin)/sj-synth -q --seed $(SEED) --first $(PIECES) -n $(TRIALS) --seconds $$(($(LENGTH) + 10)) --folder $(D)/trials
	@touch $@

$(D)/shifts.tsv: $(D)/trials/done
	@ls $(D)/trials | grep -v done | awk -v seed=$(SEED) -v lag=$(LAG) 'BEGIN { srand(seed) } \
	    function draw() { return lag * (2 * rand() - 1) } \
	    { print $$0 "\t" 0.16 * sprintf("%d", draw() / 0.16) "\t" sprintf("%.4f", draw()) }' >$@

# Mixes begin 5 s into the piece, stems as much earlier as they are to be late. $(1): column of the shift.
cut = while IFS="$$(printf '\t')" read -r piece whole any; do \
          shift=$(1); mkdir -p $(@D)/mixes/$$piece $(@D)/stems/$$piece; \
          for c in $(classes); do \
              from=$(D)/trials/$$piece/$$c.wav; \
              ffmpeg -nostdin -v error -y -ss 5 -t $(LENGTH) -i $$from $(@D)/mixes/$$piece/$$c.wav && \
              ffmpeg -nostdin -v error -y -ss $$(echo "$$shift" | awk '{ printf "%.4f", 5 - $$1 }') -t $(LENGTH) -i $$from \
                  $(@D)/stems/$$piece/$$c.wav || exit 1; \
          done; \
      done <$(D)/shifts.tsv
$(D)/embeddings/done: $(D)/shifts.tsv
	@mkdir -p $(@D) && $(call cut,$$whole) && touch $@
$(D)/audio/done: $(D)/shifts.tsv
	@mkdir -p $(@D) && $(call cut,$$any) && touch $@

# -- curves: piece, class, lag_s, similarity, frames -------------------------------------------------------------------
m := $(D)/model.h5
$(D)/embeddings.tsv: $(D)/embeddings/done $m
	@$(bin)/sj-chunk -q --stems $(<D)/stems | $(bin)/sj-mel | $(bin)/sj-embed -m $m --network target --pool frame -o $(D)/stems.sjt
	@$(bin)/sj-chunk -q --mixes $(<D)/mixes | $(bin)/sj-mel | $(bin)/sj-embed -m $m | $(bin)/sj-predict -m $m --pool frame | \
	    $(bin)/sj-align -q --curve --remove mean --max-lag $(lastword $(SEARCH)) $(D)/stems.sjt >$@

$(D)/audio.tsv: $(D)/audio/done $m
	@cut -f1 $(D)/shifts.tsv | parallel -k -j$(jobs) 'sh $(here)align-check-audio.sh {} $(<D) $(bin)/sj-align -q -j1 -m $m \
	    --max-lag $(lastword $(SEARCH))' >$@

$(D)/table.tsv: $(D)/shifts.tsv $(INPUTS:%=$(D)/%.tsv) $(here)align-check.awk FORCE
	@awk -F '\t' -v searches='$(SEARCH)' -v inputs='$(INPUTS)' -f $(here)align-check.awk $(filter %.tsv,$^) >$@.new && mv $@.new $@
