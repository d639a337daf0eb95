# demo: from nothing to a retrieval table on the CPU. Stages are files, so an interrupted demo goes on where it was.
#
#   make demo                   everything, in $(BUILD)/demo
#   make demo SEED=2            other pieces and another start
#
# Made-up pieces (sj-synth) train a small model; it then looks for the stems of pieces that it has never heard.

BUILD    ?= build
SEED     ?= 1
PIECES   := 400
HELD_OUT := 64
SECONDS  := 12
TRAIN    := --dim 96 --depth 3 --heads 4 --hidden 256 --frames 400 --batch 64 --rate 4e-3 --warmup 40 --ema 0.99 --ema-end 0.999 \
            --contrastive 3 --temperature 0.07 --steps 500

D    := $(BUILD)/demo/seed-$(SEED)
here := $(dir $(lastword $(MAKEFILE_LIST)))
bin  := $(BUILD)/bin
jobs := $(shell nproc)

.DELETE_ON_ERROR:
.PHONY: demo
demo: $(D)/table.txt $(D)/ranks.svg
	@cat $(D)/table.txt
	@echo "figure: $(D)/ranks.svg"

# Two corpora from one seed: pieces 0 .. PIECES-1 to learn from, the following HELD_OUT for the search.
$(D)/corpus/done:
	@mkdir -p $(D)/corpus
	@echo "== making $(PIECES) pieces to learn from and $(HELD_OUT) others"
	@seq 0 49 $$(($(PIECES) - 1)) | parallel -j$(jobs) \
	    'n=$$(( {} + 49 < $(PIECES) ? 49 : $(PIECES) - {} )); $(bin)/sj-synth --seed $(SEED) --first {} -n $$n --seconds $(SECONDS) --folder $(D)/corpus/train'
	@$(bin)/sj-synth --seed $(SEED) --first $(PIECES) -n $(HELD_OUT) --seconds $(SECONDS) --folder $(D)/corpus/held-out
	@touch $@

$(D)/train.h5: $(D)/corpus/done
	@$(bin)/sj-chunk --dataset $@ $(D)/corpus/train

$(D)/trained.h5: $(D)/train.h5
	@echo "== training"
	@$(bin)/sj-train --seed $(SEED) $(TRAIN) --log $(D)/log.ndjson -o $@ $<

$(D)/untrained.h5: $(D)/train.h5
	@$(bin)/sj-train --seed $(SEED) $(TRAIN) --steps 0 --warmup 0 -o $@ $<

$(D)/%.metrics.tsv: $(D)/%.h5 $(D)/corpus/done
	@$(bin)/sj-chunk --stems $(D)/corpus/held-out | $(bin)/sj-mel | \
	    $(bin)/sj-embed -m $< --network target --pool track -o $(D)/$*.stems.h5
	@$(bin)/sj-chunk --mixes $(D)/corpus/held-out | $(bin)/sj-mel | $(bin)/sj-embed -m $< | \
	    $(bin)/sj-predict -m $< --pool track | $(bin)/sj-knn --metrics --baselines -o $@ $(D)/$*.stems.h5

# The table says no (and make fails) when the training did not reach what it should.
$(D)/table.txt: $(D)/untrained.metrics.tsv $(D)/trained.metrics.tsv
	@awk -v DATA=$(D)/ranks.tsv -f $(here)demo-table.awk $^ >$@.new || { cat $@.new; exit 1; }
	@mv $@.new $@

$(D)/ranks.svg: $(D)/table.txt
	@gnuplot -e "data='$(D)/ranks.tsv'; out='$@'" $(here)demo.gp
