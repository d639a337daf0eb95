# all: every experiment for which there are data, then OUT/report.html with all tables and figures.
#
#   make paper MUSDB=musdb18/ MODELS=models/ POP909=pop909.tar.xz GTZAN=gtzan/ ...     or: make -f pipelines/all.mk ...
#
# Variables are those of table1.mk, figure2.mk, figure4.mk, listening-test.mk (MUSDB; RATINGS for its analysis),
# figure5.mk (AUDIO and LABELS, or POP909) and table3.mk. What has no data is absent from the report,
# unless an earlier run has left it in OUT.

.PHONY: paper report
paper:
include $(dir $(lastword $(MAKEFILE_LIST)))songs.mk

experiments := $(if $(MUSDB),table1 figure2 figure4 listening-test) $(if $(RATINGS),listening-test-analysis) \
               $(if $(or $(POP909),$(AUDIO)),figure5) table3
makefile_listening-test-analysis := listening-test
again = $(MAKE) --no-print-directory -f $(here)

paper:
	@$(foreach e,$(experiments),echo "==== $(e)" && $(again)$(or $(makefile_$(e)),$(e)).mk $(e) && ):
	@$(again)all.mk report
	@echo "report: $(OUT)/report.html"

$(OUT)/provenance.tsv: FORCE
	@{ printf 'name\tvalue\n'; printf 'programs\t%s\n' "$$(sj-embed --version)"; \
	    $(foreach v,MUSDB TRAIN AUDIO POP909 GIANTSTEPS GTZAN MTAT NSYNTH,$(if $($(v)),printf '$(v)\t%s\n' '$($(v))';)) \
	    $(foreach v,$(wildcard $(present:%=$(S)/%/about)),printf 'model\t%s\n' "$$(cat $(v))";) } >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
report: $(OUT)/report.html
shown := $(foreach e,tsv txt svg html,$(wildcard $(OUT)/*.$(e)))
$(OUT)/report.html: $(OUT)/provenance.tsv $(filter-out %/report.html %/provenance.tsv,$(shown))
	@sj-page --report $(OUT) -o $@
