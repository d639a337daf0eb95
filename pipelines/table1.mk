# table1: Table 1, stem retrieval: for every mix that lacks a stem, where that stem ranks among all stems.
#
#   make table1 MUSDB=musdb18/ MODELS=models/              or: make -f pipelines/table1.mk ...
#   make table1 MUSDB=musdb18/ TRAIN=train.h5 STEPS=300000  trains the models first
#   MASH=0          without AutoMashupper; MASH_FLAGS=... of sj-mash
#
# Makes OUT/table1.tsv and .md, and OUT/table1-by-class.tsv. Other variables: songs.mk, models.mk.

.PHONY: table1
table1:
include $(dir $(lastword $(MAKEFILE_LIST)))songs.mk
MASH ?= 1

metrics := $(foreach v,$(present),$(S)/$(v)/target.metrics.tsv $(S)/$(v)/context.metrics.tsv) \
           $(if $(filter 0,$(MASH)),,$(S)/automashupper/mash.metrics.tsv)

# What the rows are made of.
shown := $(present:%=$(S)/%/target.sjt) $(if $(filter 0,$(MASH)),,$(S)/automashupper/ranked.tsv)

table1: $(OUT)/table1.md $(if $(present),$(OUT)/table1-by-class.tsv)
	@cat $(OUT)/table1.md

.PRECIOUS: $(S)/%.metrics.tsv
$(S)/%.metrics.tsv: $(S)/%.sjt $$(dir $$@)queries.sjt
	@sj-knn -q --metrics --per-class --baselines --query $(@D)/queries.sjt -o $@ $<

# Both streams come as they are made: the sound of all songs is never kept.
$(S)/automashupper/settings: FORCE
	@$(call changed,$(MASH_FLAGS))
$(S)/automashupper/ranked.tsv: $(S)/songs.tsv $(S)/settings $(S)/automashupper/settings $$(call redo,$$@)
	@mkdir -p $(@D)
	@echo "== AutoMashupper"
	@bash -c 'songs() { cut -f3 $< | tr "\n" "\0" | \
	        xargs -0 sj-chunk $(if $(KEEP_GOING),-k,-q) -j $(JOBS) $(CHUNK_FLAGS) "$$@"; }; \
	    sj-mash $(MASH_FLAGS) -j $(JOBS) -o $@ 2> >(tee $(@D)/note >&2) --query <(songs --mixes) \
	        <(songs --stems 2> >(tee $@.said >&2))'
	@sed -n "s/^sj-chunk: skipped: \(.*\)/-\t\1/p" $@.said >$@.left-out
	@rm $@.said; [ -s $@.left-out ] || rm $@.left-out
$(S)/automashupper/mash.metrics.tsv: $(S)/automashupper/ranked.tsv
	@sj-knn -q --merge --metrics --per-class -o $@ $<

# Rows that are no longer wanted go, too.
$(S)/rows: FORCE
	@$(call changed,$(metrics))
$(OUT)/table1.tsv: $(here)paper/table1.tsv $(metrics) $(S)/rows
	@[ -n "$(metrics)" ] || { echo "no models in '$(MODELS)', no TRAIN, and MASH=0: nothing to measure" >&2; exit 1; }
	@awk -f $(here)table1.awk $(filter %.tsv,$^) >$@.new && mv $@.new $@
$(OUT)/table1.txt: $(OUT)/table1.tsv $(present:%=$(S)/%/about) $(S)/songs.tsv
	@for left in $(shown:%=%.left-out) ''; do if [ -f "$$left" ]; then break; fi; done; \
	    awk -v songs=$(S)/songs.tsv -v left="$$left" -f $(here)note.awk \
	    $(present:%=$(S)/%/about) $(if $(filter 0,$(MASH)),,$(S)/automashupper/note) >$@.new && mv $@.new $@

$(OUT)/table1-by-class.tsv: $(metrics) $(S)/rows
	@awk 'BEGIN { FS = OFS = "\t" } NR == 1 { $$1 = "model" OFS "encoder" OFS "class"; print } \
	    FNR > 1 && $$1 != "chance" && $$1 !~ /oracle/ { n = split(FILENAME, p, "/"); sub(/\.metrics\.tsv/, "", p[n]); \
	    $$1 = p[n - 1] OFS p[n] OFS $$1; print }' $(metrics) >$@.new && mv $@.new $@
