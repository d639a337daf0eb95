# figure5: which keys and chords sound where token embeddings fall into the same cluster.
#
#   make figure5 AUDIO=beatles/ LABELS=isophonics/ MODELS=models/   labels: see sj-cooccur(1)
#   make figure5 POP909=pop909.tar.xz MODELS=models/                renders the songs of POP909 first: pop909.mk
#   MODEL=NAME of the models; NETWORK=context|target [target]; CLUSTERS=N [32]; CLUSTER_FLAGS=... of sj-knn,
#   COOCCUR_FLAGS=... of sj-cooccur
#
# Makes OUT/figure5.svg, .png, .tsv and .txt, OUT/figure5-similarity.svg and .png. Other variables: songs.mk, models.mk.

.PHONY: figure5
figure5:
include $(dir $(lastword $(MAKEFILE_LIST)))songs.mk
ifneq ($(POP909),)
include $(here)pop909.mk
AUDIO  := $(P)/audio
LABELS := $(P)/labels
made   := $(P)/rendered $(P)/labelled
endif
NETWORK  ?= target
CLUSTERS ?= 32

figure5: $(foreach f,figure5 figure5-similarity,$(OUT)/$(f).svg $(OUT)/$(f).png) $(OUT)/figure5.txt
	@cat $(OUT)/figure5.txt
	@echo "figure: $(OUT)/figure5.svg"

D := $(OUT)/figure5
M := $(MODELS)/$(MODEL).h5
$(D)/settings: FORCE
	@$(call changed,$(MODEL) $(NETWORK) $(CHUNK_FLAGS) $(EMBED_FLAGS))
$(D)/clusters.settings: FORCE
	@$(call changed,$(CLUSTERS) $(CLUSTER_FLAGS) $(SEED))
$(D)/labels.settings: $(made) FORCE
	@mkdir -p $(@D) && { printf '%s\n' '$(abspath $(LABELS)) $(COOCCUR_FLAGS)'; \
	    find -L $(LABELS) -name '*.lab' -printf '%p %T@\n' | sort | cksum; } >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(D)/songs.tsv: $(made) FORCE
	@$(call wants,AUDIO)$(call wants,LABELS)$(call list,$(if $(POP909),$$(sed "s|.*|$(P)/audio/&.flac|" $(P)/songs),$(AUDIO)))

# The tokens of all songs take much room: their parts go when the whole is there.
$(D)/tokens.sjt: $(D)/songs.tsv $(OUT)/ids/$(MODEL) $(D)/settings $$(call redo,$$@)
	@$(call each,$(OUT)/ids/$(MODEL),$(chunk) {files} | $(mel) | $(call embed,$M) --network $(NETWORK) --pool token)
	@rm -rf $@.parts
# The centroids keep the state of the clustering while it goes on; those of other vectors or settings are of no use.
$(D)/clusters.tsv: $(D)/tokens.sjt $(D)/clusters.settings
	@echo "== clusters"
	@for f in $^; do if [ $$f -nt $(D)/centroids.h5 ]; then rm -f $(D)/centroids.h5; fi; done
	@sj-knn -q -j $(JOBS) --cluster $(CLUSTERS) --seed $(SEED) $(CLUSTER_FLAGS) --centroids $(D)/centroids.h5 --resume \
	    -o $@ $<

# Every pair of combinations of key and chord; those of a key stand together.
$(OUT)/figure5.tsv: $(D)/clusters.tsv $(D)/labels.settings $$(call redo,$$(D)/unlabelled)
	@: >$(D)/unlabelled.new
	@sj-cooccur -q $(if $(KEEP_GOING),-k) --order key --labels $(LABELS) $(COOCCUR_FLAGS) -o $@.new $< 2>$(D)/said || \
	    { status=$$?; cat $(D)/said >&2; [ $$status -eq 1 ] && [ -n "$(KEEP_GOING)" ] && [ -s $@.new ] && \
	    sed -n 's/^sj-cooccur: \([0-9]* tracks\{0,1\} without annotations\).*/left out: \1/p' $(D)/said >$(D)/unlabelled.new; }
	@if [ -s $(D)/unlabelled.new ]; then mv $(D)/unlabelled.new $(D)/unlabelled.left-out; \
	    else rm -f $(D)/unlabelled.new $(D)/unlabelled.left-out; fi
	@mv $@.new $@
$(OUT)/figure5.txt: $(OUT)/figure5.tsv $(S)/$(MODEL)/about $(D)/songs.tsv
	@{ awk -F '\t' 'NR > 1 && $$1 == $$2 { n++ } END { print n " combinations of key and chord, the most frequent" }' $<; \
	    echo "tokens of the $(NETWORK) encoder in $(CLUSTERS) clusters"; \
	    awk -v songs=$(D)/songs.tsv -v left=$(D)/tokens.sjt.left-out -f $(here)note.awk \
	    $(S)/$(MODEL)/about; if [ -f $(D)/unlabelled.left-out ]; then cat $(D)/unlabelled.left-out; fi; } >$@.new && \
	    mv $@.new $@
$(D)/names: $(OUT)/figure5.tsv
	@awk -F '\t' 'NR > 1 && $$1 == $$2 { print $$1 "\t" $$3 "  " $$4 }' $< >$@.new && mv $@.new $@
what_figure5            := 7
what_figure5-similarity := 8
$(OUT)/figure5.svg $(OUT)/figure5-similarity.svg: $(OUT)/%.svg: $(OUT)/figure5.tsv $(D)/names $(here)figure5.gp
	@gnuplot -e "data='$<'; names='$(D)/names'; out='$@.new'; what=$(what_$*)" $(here)figure5.gp && mv $@.new $@
