# figure5: which keys and chords sound where token embeddings fall into the same cluster.
#
#   make figure5 AUDIO=beatles/ LABELS=isophonics/ MODELS=models/   labels: see sj-cooccur(1); tracks have the names of files
#   make figure5 POP909=pop909.tar.xz MODELS=models/                renders the songs of POP909 first: pop909.mk
#   MODEL=NAME of the models; NETWORK=context|target [target]; CLUSTERS=N [32]; CLUSTER_FLAGS=... of sj-knn
#
# Makes OUT/figure5.svg, .png, .tsv and .txt. Other variables: songs.mk, models.mk.

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

figure5: $(OUT)/figure5.svg $(OUT)/figure5.png $(OUT)/figure5.txt
	@cat $(OUT)/figure5.txt
	@echo "figure: $(OUT)/figure5.svg"

D := $(OUT)/figure5
M := $(MODELS)/$(MODEL).h5
$(D)/settings: FORCE
	@$(some_model)$(call changed,$(MODEL) $(NETWORK) $(CLUSTERS) $(CLUSTER_FLAGS) $(SEED) $(CHUNK_FLAGS) $(EMBED_FLAGS) $(abspath $(LABELS)))
$(D)/songs.tsv: $(made) FORCE
	@$(call wants,AUDIO)$(call wants,LABELS)$(call list,$(AUDIO))

# The tokens of all songs take much room: their parts go when the whole is there.
$(D)/tokens.sjt: $(D)/songs.tsv $(M) $(D)/settings $$(call redo,$$@)
	@$(call each,$M,$(chunk) {files} | $(mel) | $(call embed,$M) --network $(NETWORK) --pool token)
	@rm -rf $@.parts
$(D)/clusters.tsv: $(D)/tokens.sjt
	@echo "== clusters"
	@sj-knn -q -j $(JOBS) --cluster $(CLUSTERS) --seed $(SEED) $(CLUSTER_FLAGS) --centroids $(D)/centroids.h5 --resume -o $@ $<
$(OUT)/figure5.tsv: $(D)/clusters.tsv
	@sj-cooccur -q --labels $(LABELS) -o $@ $<
