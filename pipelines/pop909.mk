# pop909: the songs of POP909 (MIDI with annotations of keys and chords) as sound and labels, for figure5 and table3.
#
#   make pop909 POP909=pop909.tar.xz      or the folder that it unpacks to
#   POP909_SONGS=N  the first N only [all 909]; SOUNDFONT=FILE.sf2; JOBS=N songs at a time, on this machine
#
# Makes OUT/pop909/audio/NNN.flac (16 kHz), OUT/pop909/labels/NNN/{key,chords}.lab (Isophonics syntax) and
# OUT/pop909/keys.tsv, labels for sj-probe --task key. figure5 and table3 do all of it by themselves when given POP909.

ifndef songs_mk
.PHONY: pop909
pop909:
include $(dir $(lastword $(MAKEFILE_LIST)))songs.mk
endif
POP909_SONGS ?= 909
SOUNDFONT    ?= /usr/share/sounds/sf2/FluidR3_GM.sf2

P := $(OUT)/pop909
pop909: $(P)/rendered $(P)/labelled $(P)/keys.tsv
	@echo "$$(wc -l <$(P)/rendered) songs in $(P)/audio, labels in $(P)/labels, keys in $(P)/keys.tsv"

# A folder is used as it is.
ifneq ($(wildcard $(POP909)/.),)
midi := $(abspath $(POP909))
$(P)/unpacked:
	@mkdir -p $(@D) && touch $@
else
midi := $(abspath $(P))/midi
$(P)/unpacked: | $(POP909)
	@rm -rf $(midi) && mkdir -p $(midi) && tar -xf $(POP909) -C $(midi) && touch $@
endif

# Other songs or another sound font are other sound.
$(P)/settings: FORCE
	@$(call wants,POP909)mkdir -p $(@D)
	@printf '%s\n' '$(abspath $(POP909)) $(SOUNDFONT)' "$$(stat -c '%s %Y' $(POP909))" >$@.new
	@if cmp -s $@.new $@; then rm $@.new; \
	    else rm -rf $(P)/audio $(P)/labels $(abspath $(P))/midi && mv $@.new $@; fi
$(P)/unpacked: $(P)/settings

# The numbers of the songs.
$(P)/songs: $(P)/unpacked FORCE
	@cd $(midi) && ls | grep -x '[0-9][0-9][0-9]' | head -n $(POP909_SONGS) >$(abspath $@).new
	@[ -s $@.new ] || { echo "no folders 001, 002 ... in '$(midi)'" >&2; exit 1; }
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# Without reverb and chorus; the sound font's noise above 8 kHz is filtered off, not folded down.
$(P)/rendered: $(P)/songs $(P)/settings $(here)pop909-song.sh
	@mkdir -p $(P)/audio
	@echo "== rendering $$(wc -l <$<) songs"
	@SOUNDFONT=$(SOUNDFONT) parallel --will-cite -j $(JOBS) --halt soon,fail=1 -a $< \
	    "[ -f $(P)/audio/{}.flac ] || sh $(here)pop909-song.sh $(midi)/{}/{}.mid $(P)/audio/{}.flac"
	@cp $< $@.new && mv $@.new $@

$(P)/labelled: $(P)/songs $(P)/settings
	@while read -r n; do mkdir -p $(P)/labels/$$n && \
	    awk -f $(here)pop909-labels.awk -v what=key $(midi)/$$n/key_audio.txt >$(P)/labels/$$n/key.lab && \
	    awk -f $(here)pop909-labels.awk -v what=chords $(midi)/$$n/chord_midi.txt >$(P)/labels/$$n/chords.lab || exit 1; \
	    done <$<
	@cp $< $@.new && mv $@.new $@

# Songs in one key; of ten songs eight are to learn from, one to choose by and one to test.
$(P)/keys.tsv: $(P)/labelled
	@{ printf 'key\tsplit\tlabel\tpath\n'; while read -r n; do awk -v n=$$n -v audio=$(abspath $(P))/audio \
	    'BEGIN { FS = OFS = "\t"; split_name = n % 10 == 0 ? "test" : n % 10 == 5 ? "valid" : "train" } { label = $$4 } \
	    END { if (NR == 1) print n, split_name, label, audio "/" n ".flac" }' $(P)/labels/$$n/key.lab; done \
	    <$(P)/labelled; } >$@.new && mv $@.new $@
