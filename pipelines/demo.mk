# demo: from nothing to a retrieval table on the CPU. Stages are files, so an interrupted demo goes on where it was.
#
#   make demo                   everything, in $(BUILD)/demo
#   make demo SEED=2            other pieces and another start
#
# Pieces are made up (sj-synth). First the model that comes with the programs is asked which bass fits one of them; then a
# small model is trained, and looks for the stems of pieces that it has never heard.

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
demo: $(D)/matches.txt $(D)/table.txt $(D)/ranks.svg
	@cat $(D)/table.txt
	@echo "figure: $(D)/ranks.svg"

# Two corpora from one seed: pieces 0 .. PIECES-1 to learn from, the following HELD_OUT for the search.
$(D)/corpus/held-out.done:
	@mkdir -p $(D)/corpus
	@echo "== making $(HELD_OUT) pieces"
	@$(bin)/sj-synth --seed $(SEED) --first $(PIECES) -n $(HELD_OUT) --seconds $(SECONDS) --folder $(D)/corpus/held-out
	@touch $@

# The stems of all of them in an index, the first piece without its bass as the mix.
piece := synth-$(SEED)-$(shell printf %06d $(PIECES))
$(D)/matches.txt: $(D)/corpus/held-out.done
	@echo "== the model that comes with sj: which bass of all of them fits $(piece) without its own?"
	@$(bin)/sj-chunk --mixes $(D)/corpus/held-out | $(bin)/sj-view -q --key $(piece)/bass -o $(D)/mix.wav -
	@$(bin)/sj-index -q -m $(BUILD)/share/sj/model.h5 --store $(D)/index $(D)/corpus/held-out
	@$(bin)/sj-match --class bass -k 5 $(D)/index $(D)/mix.wav >$@.new && mv $@.new $@
	@cut -f 1-6,11 $@ | sed 's|$(abspath $(D)/corpus)/||' | column -t -s "$$(printf '\t')"

$(D)/corpus/done: $(D)/corpus/held-out.done
	@echo "== making $(PIECES) pieces to learn from"
	@seq 0 49 $$(($(PIECES) - 1)) | parallel -j$(jobs) \
	    'n=$$(( {} + 49 < $(PIECES) ? 49 : $(PIECES) - {} )); $(bin)/sj-synth --seed $(SEED) --first {} -n $$n --seconds $(SECONDS) --folder $(D)/corpus/train'
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
