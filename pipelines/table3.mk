# table3: what frozen embeddings know: keys, genres, tags, instruments, by small networks trained on them (sj-probe).
#
#   make table3 MODELS=models/ GTZAN=gtzan/ ...       the rows of data sets that are not given are absent:
#     GIANTSTEPS=DIR  giantsteps-key (*.key beside or near audio ID.LOFI.*) to test, giantsteps-mtg-key
#                     (annotations.txt or mtg_annotations.txt, and its audio) to learn from
#     GTZAN=DIR       *.wav and the lists {train,valid,test}_filtered.txt
#     MTAT=DIR        *.mp3, annotations_final.csv, top50_tags.txt and the lists {train,valid,test}_list_pub.cP
#     NSYNTH=DIR      nsynth-train, nsynth-valid, nsynth-test, with their audio folders
#     ANNOTATIONS=DIR where lists and annotations lie that are not with the audio
#   and at hand without any of them: POP909=pop909.tar.xz (keys; pop909.mk), SYNTH=N made-up pieces [400; 0: none]
#   NETWORK=context|target [target]; LAYER=N [0: the last]; BATCH=N files in a job [16]; PROBE_FLAGS=... of sj-probe
#
# Makes OUT/table3.tsv and .md (the paper's tasks), OUT/table3-more.tsv and .md. Other variables: songs.mk, models.mk.

.PHONY: table3
table3:
include $(dir $(lastword $(MAKEFILE_LIST)))songs.mk
NETWORK       ?= target
LAYER         ?= 0
BATCH         ?= 16
SYNTH         ?= 400
SYNTH_SECONDS ?= 12
T := $(OUT)/table3

# Sets of files; tasks on them: set, --task, --label, further flags.
sets_paper := $(if $(GIANTSTEPS),gs) $(if $(GTZAN),gtzan) $(if $(MTAT),mtt) $(if $(NSYNTH),nsynth)
sets_more  := $(if $(POP909),pop909) $(if $(filter-out 0,$(SYNTH)),synth synth-stems)
# Of ten pieces one tests.
$(if $(filter-out 0 1 2 3 4 5 6 7 8 9,$(SYNTH)),,$(if $(filter-out 0,$(SYNTH)),$(error SYNTH=$(SYNTH): 10 at least, or 0 for none)))
tasks := $(strip $(sets_paper) $(if $(POP909),pop909-key) \
         $(if $(filter-out 0,$(SYNTH)),synth-key synth-style synth-instrument))
task_gs               := gs key label
task_gtzan            := gtzan class label
task_mtt              := mtt tags label --patience 10
task_nsynth           := nsynth class label --epochs 50 --patience 10
task_pop909-key       := pop909 key label
task_synth-key        := synth key tonality
task_synth-style      := synth class style
task_synth-instrument := synth-stems class label
folder_gs     := $(GIANTSTEPS)
folder_gtzan  := $(GTZAN)
folder_mtt    := $(MTAT)
folder_nsynth := $(NSYNTH)
chunk_synth-stems := --stems

shown := $(OUT)/table3.md $(if $(filter-out $(sets_paper),$(tasks)),$(OUT)/table3-more.md)
table3: $(shown)
	@$(if $(tasks),,echo "no data: GIANTSTEPS, GTZAN, MTAT, NSYNTH and POP909 are not given, and SYNTH is 0" >&2; exit 1)
	@$(if $(filter %-more.md,$(shown)),,rm -f $(OUT)/table3-more.*)
	@for f in $^; do cat $$f; echo; done

ifneq ($(POP909),)
include $(here)pop909.mk
$(T)/pop909/labels.tsv: $(P)/keys.tsv $(P)/rendered
	@mkdir -p $(@D) && cp $< $@.new && mv $@.new $@
endif

$(T)/settings: FORCE
	@$(call changed,$(present) $(NETWORK) $(LAYER) $(EMBED_FLAGS) $(PROBE_FLAGS) $(SEED))

# Labels with the path of each file: key, split, label, path. Lists or annotations that were edited are others.
annotations = find -L $(abspath $(1)) \( -name "*.key" -o -name "*.txt" -o -name "*.cP" -o -name "*.csv" \) \
              -printf "%p %s %T@\n" | LC_ALL=C sort | cksum
$(sets_paper:%=$(T)/%/where): $(T)/%/where: FORCE
	@$(call changed,$(abspath $(folder_$*)) $(abspath $(ANNOTATIONS)) '"$$($(call annotations,$(folder_$*) $(ANNOTATIONS)))"')
# What was left out is looked for again. It is listed before the labels that lack it and as long as they do, so that the
# run after one that was interrupted looks, too.
again = $(if $(wildcard $(1).left-out),FORCE)
$(sets_paper:%=$(T)/%/labels.tsv): $(T)/%/labels.tsv: $(T)/%/where $(here)labels.sh $$(call again,$$@)
	@LEFT_OUT=$@.left-out.new sh $(here)labels.sh $* $(folder_$*) $(ANNOTATIONS) >$@.new
	@if cmp -s $@.new $@ && cat /dev/null $(wildcard $@.left-out) | cmp -s - $@.left-out.new; then \
	        rm $@.new $@.left-out.new; \
	    elif [ -s $@.left-out.new ]; then mv $@.left-out.new $@.left-out && mv $@.new $@; \
	    else mv $@.new $@ && rm -f $@.left-out $@.left-out.new; fi

# Made-up pieces, 50 to a job.
$(T)/synth/made: FORCE
	@$(call changed,$(SYNTH) $(SYNTH_SECONDS) $(SEED))
$(T)/synth/done: $(T)/synth/made
	@rm -rf $(T)/synth/pieces
	@echo "== making $(SYNTH) pieces"
	@seq 0 50 $$(($(SYNTH) - 1)) | parallel --will-cite -j $(JOBS) --halt soon,fail=1 \
	    'n=$$(( {} + 50 < $(SYNTH) ? 50 : $(SYNTH) - {} )); \
	    sj-synth -q -j 1 --seed $(SEED) --first {} -n $$n --seconds $(SYNTH_SECONDS) --folder $(T)/synth/pieces'
	@touch $@
$(T)/synth/labels.tsv: $(T)/synth/done
	@sh $(here)labels.sh synth $(T)/synth/pieces $(SYNTH) >$@.new && mv $@.new $@
$(T)/synth-stems/labels.tsv: $(T)/synth/labels.tsv
	@mkdir -p $(@D) && awk 'BEGIN { FS = OFS = "\t"; n = split("bass drums other vocals", stem, " ") } \
	    NR == 1 { print "key", "split", "label", "path" } \
	    NR > 1 { for (i = 1; i <= n; i++) print $$1 "/" stem[i], $$2, stem[i], $$NF }' $< >$@.new && mv $@.new $@

# BATCH files in a job.
.PRECIOUS: $(T)/%/list $(foreach v,$(present),$(T)/%/$(v).sjt)
$(T)/%/list: $(T)/%/labels.tsv
	@awk -F '\t' -v batch=$(BATCH) 'NR == 1 || $$NF in seen { next } { seen[$$NF]; sep = n++ % batch ? "\037" : "" } \
	    !sep { if (n > 1) print ""; printf "%06d\t-\t", n } { printf "%s%s", sep, $$NF } END { print "" }' \
	    $< >$@.new && mv $@.new $@

# $(call tracks,SET,MODEL): one vector of each file
tracks = sj-chunk {keep} -j $(THREADS) $(chunk_$(1)) {files} | $(mel) | \
         $(call embed,$(2)) --network $(NETWORK) --layer $(LAYER) --pool track
define embeddings
$(T)/%/$(1).sjt: $(T)/%/list $(OUT)/ids/$(1) $(T)/settings $$$$(call redo,$$$$@)
	@$$(call each,$$< $(OUT)/ids/$(1),$$(call tracks,$$*,$(MODELS)/$(1).h5))
endef
$(foreach v,$(present),$(eval $(call embeddings,$(v))))

# A line for every model. Files left out lack an embedding: sj-probe counts them then.
define probe
$(T)/$(1).tsv: $(T)/$(word 1,$(task_$(1)))/labels.tsv $(present:%=$(T)/$(word 1,$(task_$(1)))/%.sjt)
	@echo "== probing $(1)"
	@sj-probe -q -j $(JOBS) $(if $(KEEP_GOING),-k) --seed $(SEED) --task $(word 2,$(task_$(1))) \
	    --label $(word 3,$(task_$(1))) \
	    $(wordlist 4,9,$(task_$(1))) $(PROBE_FLAGS) --labels $$< -o $$@ $$(filter %.sjt,$$^) || \
	    { [ $$$$? -eq 1 ] && [ -n "$(KEEP_GOING)" ] && [ -s $$@ ]; }
endef
$(foreach t,$(tasks),$(eval $(call probe,$(t))))

note_of  = $(t):$(word 1,$(task_$(t)))
results := $(if $(present),$(tasks:%=$(T)/%.tsv))
$(OUT)/table3.tsv: $(here)paper/table3.tsv $(results) $(T)/settings
	@awk -v which=paper -f $(here)table3.awk $(filter %.tsv,$^) >$@.new && mv $@.new $@
$(OUT)/table3-more.tsv: $(here)paper/table3.tsv $(results) $(T)/settings
	@awk -v which=more -f $(here)table3.awk $(filter %.tsv,$^) >$@.new && mv $@.new $@
$(OUT)/table3.txt: $(OUT)/table3.tsv $(present:%=$(S)/%/about)
	@{ echo "percent; GS: weighted score of MIREX, MTT: macro ROC-AUC and average precision, the others: accuracy"; \
	    sh $(here)probe-note.sh $(NETWORK) $(T) $(foreach t,$(sets_paper),$(note_of)); \
    cat /dev/null $(present:%=$(S)/%/about); } >$@.new && mv $@.new $@
$(OUT)/table3-more.txt: $(OUT)/table3-more.tsv $(present:%=$(S)/%/about)
	@{ echo "percent; keys: weighted score of MIREX, the others: accuracy"; \
	    sh $(here)probe-note.sh $(NETWORK) $(T) $(foreach t,$(filter-out $(sets_paper),$(tasks)),$(note_of)); \
    cat /dev/null $(present:%=$(S)/%/about); } >$@.new && mv $@.new $@
