# figure2: what the nearest neighbours of the predictions are: right instrument, right song, by class; and confusions.
#
#   make figure2 MUSDB=musdb18/ MODELS=models/ [MODEL=mlp-cond]
#
# Makes OUT/figure2.svg, .png, .tsv, .md and OUT/figure2-confusion.tsv. Other variables: songs.mk, models.mk.

.PHONY: figure2
figure2:
include $(dir $(lastword $(MAKEFILE_LIST)))songs.mk

figure2: $(OUT)/figure2.svg $(OUT)/figure2.png $(OUT)/figure2.md
	@cat $(OUT)/figure2.md
	@echo "figure: $(OUT)/figure2.svg"

F := $(S)/$(MODEL)
$(F)/confusion.tsv: $(F)/target.sjt $(F)/queries.sjt
	@sj-knn -q --confusion --query $(F)/queries.sjt -o $@ $<

# Two tables one after the other become files; the paper's values stand beside the first.
$(OUT)/figure2.tsv: $(here)paper/figure2.tsv $(F)/confusion.tsv
	@awk -f $(here)figure2.awk $^ >$@.new && mv $@.new $@
$(OUT)/figure2-confusion.tsv: $(F)/confusion.tsv $(S)/figure2.model
	@sed '1,/^$$/d' $< >$@.new && mv $@.new $@
$(OUT)/figure2.txt: $(OUT)/figure2.tsv $(F)/about $(S)/songs.tsv
	@awk -v songs=$(S)/songs.tsv -v left=$(F)/queries.sjt.left-out -f $(here)note.awk $(F)/about >$@.new && \
	    mv $@.new $@
# Another MODEL is another figure.
$(S)/figure2.model: FORCE
	@$(call changed,$(MODEL))
$(OUT)/figure2.tsv: $(S)/figure2.model

$(OUT)/figure2.svg: $(OUT)/figure2.tsv $(OUT)/figure2-confusion.tsv $(here)figure2.gp
	@gnuplot -e "outcomes='$<'; confusion='$(OUT)/figure2-confusion.tsv'; out='$@.new'" $(here)figure2.gp && mv $@.new $@
