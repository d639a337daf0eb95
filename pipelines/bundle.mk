# bundle: one folder with the programs, their tests and every library that a bare machine lacks; and as an archive.
# It runs wherever it lies: run paths are relative. CUDA_ARCHS limits the size of the plug-in.

bundle       := $(BUILD)/bundle/sj-$(VERSION)
# Without what needs aubio or libfluidsynth: these libraries are larger than all others, and nothing of the programs runs
# on a device.
bundle_tools := $(patsubst tools/%.c,$(bundle)/bin/%,$(filter-out $(beat_users) tools/sj-render.c,$(tool_src)))
bundle_tests := $(patsubst tests/%.c,$(bundle)/tests/%,$(wildcard tests/*.c tests/bench/*.c) tests/kernels/ops.c \
                tests/unit/knn.c)
# RPATH, not RUNPATH: it also holds for what the libraries need.
bundle_link  := -s -Wl,--disable-new-dtags '-Wl,-rpath,$$ORIGIN/../lib:$$ORIGIN/../../lib'

.PHONY: bundle bundle-folder
bundle: bundle-folder
	@sh pipelines/bundle-pack.sh $(bundle)

bundle-folder: $(bundle_tools) $(bundle_tests) $(plugin)
	@sh pipelines/bundle.sh $(bundle) $(plugin)

$(bundle)/bin/%: $(BUILD)/obj/tools/%.o $(archive)
	@mkdir -p $(@D)
	$(say) LD $@
	$(hide)$(CC) $(CFLAGS) -fopenmp $(LDFLAGS) $(bundle_link) $^ $(libs) -o $@

$(bundle)/tests/%: $(BUILD)/obj/tests/%.o $(archive)
	@mkdir -p $(@D)
	$(say) LD $@
	$(hide)$(CC) $(CFLAGS) -fopenmp $(LDFLAGS) $(bundle_link) $^ $(libs) -o $@
