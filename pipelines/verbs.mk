# The verbs beside `all`. Those for newcomers set up first: packages may be missing when this file is read.

.PHONY: tests demo check prove check-cuda bench-cuda check-asan lint bench-deps bench install uninstall dist clean
tests: $(tests)

demo:
	@sh pipelines/setup.sh build demo
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory -f pipelines/demo.mk BUILD=$(BUILD)

# The paper's experiments, and what makes a model from rendered music (pretrain), each by a makefile of its own, which says what it wants: make table1 MUSDB=musdb18/ MODELS=models/
experiments := table1 figure2 listening-test listening-test-analysis figure4 figure5 table3 pop909 models paper report pretrain
.PHONY: $(experiments)
makefile_listening-test-analysis := listening-test
makefile_models := table1
makefile_paper := all
makefile_report := all
$(experiments):
	@sh pipelines/setup.sh build paper
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory -f pipelines/$(or $(makefile_$@),$@).mk BUILD=$(BUILD) $@

check:
	@sh pipelines/setup.sh build demo paper test
	@$(MAKE) --no-print-directory -j2 all tests bundle-folder
	@$(MAKE) --no-print-directory prove

prove:
	@BUILD=$(BUILD) sh tests/run.sh

# On a machine with a CUDA device; from a bundle: ./run check-cuda
check-cuda:
	@$(MAKE) --no-print-directory -j2 all tests
	@BUILD=$(BUILD) bash tests/check-cuda.sh

bench-cuda:
	@$(MAKE) --no-print-directory -j2 all tests
	@BUILD=$(BUILD) bash tests/bench-cuda.sh

# The whole suite again under the address and undefined-behaviour sanitizers.
check-asan:
	@sh pipelines/setup.sh build demo paper test
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/asan CUDA=0 \
	    CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"

lint:
	@sh pipelines/setup.sh lint
	@sh tests/lint.sh

bench-deps:
	@sh pipelines/setup.sh build demo bench
	@sh tests/bench/deps.sh $(BUILD)/venv

bench:
	@$(MAKE) --no-print-directory -j2 all tests
	@BUILD=$(BUILD) sh tests/bench/run.sh

install: all
	install -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(mandir)/man5' '$(DESTDIR)$(mandir)/man7' \
	    '$(DESTDIR)$(datadir)/classes' '$(DESTDIR)$(datadir)/render' '$(DESTDIR)$(datadir)/schemas' '$(DESTDIR)$(datadir)/pages'
	install -m 755 $(tools) $(BUILD)/bin/sj '$(DESTDIR)$(bindir)'
	$(if $(plugin),install -D -m 755 $(plugin) '$(DESTDIR)$(libdir)/sj/$(notdir $(plugin))')
	for s in 1 5 7; do install -m 644 man/*.$$s '$(DESTDIR)$(mandir)/man'$$s || exit 1; done
	install -m 644 schemas/*.md '$(DESTDIR)$(datadir)/schemas'
	install -m 644 schemas/classes/* '$(DESTDIR)$(datadir)/classes'
	install -m 644 schemas/render/* '$(DESTDIR)$(datadir)/render'
	install -m 644 pipelines/pages/* '$(DESTDIR)$(datadir)/pages'
	install -m 644 pipelines/model.h5 pipelines/model.md '$(DESTDIR)$(datadir)'

uninstall:
	rm -f $(patsubst $(BUILD)/bin/%,'$(DESTDIR)$(bindir)/%',$(tools) $(BUILD)/bin/sj)
	for s in 1 5 7; do for m in man/*.$$s; do rm -f '$(DESTDIR)$(mandir)/man'$$s/$${m##*/} || exit 1; done; done
	rm -rf '$(DESTDIR)$(datadir)'
	rm -f '$(DESTDIR)$(libdir)/sj/$(notdir $(plugin_so))'
	-rmdir '$(DESTDIR)$(libdir)/sj' 2>/dev/null

dist:
	@mkdir -p $(BUILD)
	git archive --prefix=sj-$(VERSION)/ -o $(BUILD)/sj-$(VERSION).tar.gz HEAD
	@echo $(BUILD)/sj-$(VERSION).tar.gz

clean:
	rm -rf $(BUILD)
