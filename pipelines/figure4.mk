# figure4: how similar a stem is to what is predicted from its mix, when it is shifted in time against it.
#
#   make figure4 MUSDB=musdb18/ MODELS=models/ [MODEL=mlp-cond]
#   FIGURE4_SONGS=N  spread evenly over the songs [8]; LAG=SECONDS to either side [32]
#
# Makes OUT/figure4.svg, .png, .tsv, .md, OUT/figure4-pairs.tsv (best offset of every pair) and OUT/figure4.html (with
# sound). Other variables: songs.mk, models.mk.

.PHONY: figure4
figure4:
include $(dir $(lastword $(MAKEFILE_LIST)))songs.mk
FIGURE4_SONGS ?= 8
LAG           ?= 32

figure4: $(OUT)/figure4.svg $(OUT)/figure4.png $(OUT)/figure4.md $(OUT)/figure4-pairs.tsv $(OUT)/figure4.html
	@cat $(OUT)/figure4.md
	@echo "figure: $(OUT)/figure4.svg, with sound: $(OUT)/figure4.html"

D := $(OUT)/figure4
M := $(MODELS)/$(MODEL).h5
$(D)/settings: FORCE
	@$(call changed,$(MODEL) $(LAG) $(CHUNK_FLAGS) $(EMBED_FLAGS))
$(D)/songs.tsv: $(S)/songs.tsv FORCE
	@mkdir -p $(@D)
	@awk -v n=$(FIGURE4_SONGS) '{ line[NR] = $$0 } \
	    END { if (n > NR) n = NR; for (i = 0; i < n; i++) print line[1 + int(i * NR / n)] }' \
	    $< >$@.new && if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(D)/stems.sjt: $(D)/songs.tsv $(OUT)/ids/$(MODEL) $(D)/settings $$(call redo,$$@)
	@$(call each,$(OUT)/ids/$(MODEL),$(chunk) --stems {files} | $(mel) | $(call embed,$M) --network target --pool frame)
$(D)/predictions.sjt: $(D)/songs.tsv $(OUT)/ids/$(MODEL) $(D)/settings $$(call redo,$$@)
	@$(call each,$(OUT)/ids/$(MODEL),$(chunk) --mixes {files} | $(mel) | $(call embed,$M) | $(call predict,$M) --pool frame)

align = sj-align -q --max-lag $(LAG) --query $(D)/predictions.sjt -o $@ $(1) $(D)/stems.sjt
$(D)/curves.tsv: $(D)/predictions.sjt $(D)/stems.sjt $(D)/settings
	@$(call align,--curve)
$(OUT)/figure4-pairs.tsv: $(D)/predictions.sjt $(D)/stems.sjt $(D)/settings
	@$(call align,)

$(OUT)/figure4.tsv: $(here)paper/figure4.tsv $(here)paper/figure4-facts.tsv $(D)/curves.tsv
	@awk -f $(here)figure4.awk $^ >$@.new && mv $@.new $@
$(OUT)/figure4.txt: $(OUT)/figure4.tsv $(S)/$(MODEL)/about $(S)/songs.tsv
	@{ awk -v songs=$(D)/songs.tsv -v left=$(D)/stems.sjt.left-out \
	    -v unlisted=$(S)/songs.tsv.left-out -f $(here)note.awk $(S)/$(MODEL)/about; \
	    awk -F '\t' '$$1 == "random pairs" && $$2 == "-" { print "no random pairs: they are of different songs" }' $<; } \
	    >$@.new && mv $@.new $@
$(OUT)/figure4.svg: $(D)/curves.tsv $(here)figure4.gp
	@awk -F '\t' '$$1 == "all" && $$3 != "-" { print $$3 "\t" $$4 }' $< >$(D)/all.tsv
	@awk -F '\t' '$$1 != "all" && $$3 != "-" && FNR > 1 { \
	    if ($$1 $$2 != last) print ""; last = $$1 $$2; print $$3 "\t" $$4 }' $< >$(D)/pairs.tsv
	@gnuplot -e "all='$(D)/all.tsv'; pairs='$(D)/pairs.tsv'; paper='$(here)paper/figure4.tsv'; out='$@.new'; \
	    random=$$(awk -F '\t' '$$1 == "random" { print $$4 == "-" ? "NaN" : $$4 }' $<)" $(here)figure4.gp && mv $@.new $@
$(OUT)/figure4.html: $(D)/curves.tsv
	@cut -f3 $(D)/songs.tsv | tr '\n' '\0' | xargs -0 sj-chunk $(if $(KEEP_GOING),-k,-q) $(CHUNK_FLAGS) --stems --mixes | \
	    sj-page --curves $< -o $@
