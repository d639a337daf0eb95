# listening-test: makes the test of what the model retrieved, and analyses what listeners said.
#
#   make listening-test MUSDB=musdb18/ MODELS=models/ [MODEL=mlp-cond]     OUT/listening-test/index.html runs it
#   make listening-test-analysis RATINGS='ratings/*.csv'                    OUT/figure3.svg, .png, .tsv, .md
#   TRIALS=N [60]; TRIAL_FLAGS=... of sj-trials (as --seconds 10); RATING_FLAGS=... of sj-ratings
#
# Other variables: songs.mk, models.mk.

.PHONY: listening-test listening-test-analysis
listening-test:
include $(dir $(lastword $(MAKEFILE_LIST)))songs.mk
TRIALS ?= 60

L := $(OUT)/listening-test
listening-test: $(L)/index.html
	@echo "test: $(L)/index.html"
listening-test-analysis: $(OUT)/figure3.md $(OUT)/figure3-tests.tsv $(OUT)/figure3.svg $(OUT)/figure3.png
	@cat $(OUT)/figure3.md
	@echo "figure: $(OUT)/figure3.svg"

# Restricted to the instrument that a mix lacks, of other songs.
.PRECIOUS: $(S)/%/listening.tsv
$(S)/%/listening.tsv: $(S)/%/target.sjt $(S)/%/queries.sjt
	@sj-knn -q -k 20 --same-class --exclude-same-track --query $(@D)/queries.sjt -o $@ $<
$(S)/listening.settings: FORCE
	@$(call changed,$(MODEL) $(TRIALS) $(TRIAL_FLAGS) $(SEED))
$(L)/index.html: $(S)/$(MODEL)/listening.tsv $(S)/listening.settings
	@sj-trials $(if $(KEEP_GOING),-k,-q) -j $(JOBS) $(CHUNK_FLAGS) --seed $(SEED) -n $(TRIALS) $(TRIAL_FLAGS) \
	    --retrieved $< -o $(L) $(MUSDB) || \
	    { [ $$? -eq 1 ] && [ -n "$(KEEP_GOING)" ]; } || \
	    { echo "options of sj-trials are TRIALS=$(TRIALS) (-n) and TRIAL_FLAGS" >&2; exit 1; }

# Whatever was rated since.
ratings := $(wildcard $(RATINGS))
analyse  = $(call wants,RATINGS)$(if $(ratings),,$(error RATINGS=$(RATINGS): there is no such file))sj-ratings -q -o $@
$(OUT)/figure3/ratings: FORCE
	@$(call changed,$(ratings) $(RATING_FLAGS) $(SEED))
$(OUT)/figure3.tsv: $(OUT)/figure3/ratings $(ratings)
	@$(analyse) --seed $(SEED) $(RATING_FLAGS) $(ratings)
$(OUT)/figure3-tests.tsv: $(OUT)/figure3/ratings $(ratings)
	@$(analyse) --tests --seed $(SEED) $(RATING_FLAGS) $(ratings)
$(OUT)/figure3/boxes.tsv: $(OUT)/figure3/ratings $(ratings)
	@$(analyse) --boxes $(ratings)
$(OUT)/figure3.txt: $(OUT)/figure3.tsv
	@echo "ratings from 0 to 100 of $(words $(ratings)) files" >$@
$(OUT)/figure3.svg: $(OUT)/figure3/boxes.tsv $(here)figure3.gp
	@gnuplot -e "data='$<'; out='$@.new'" $(here)figure3.gp && mv $@.new $@
