# How the programs are built: every lib/*.c and kernels/*.c into one archive, every tools/*.c and tests/**/*.c into a program.

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

# V=1 shows the commands instead of their short form.
hide := $(if $(V),,@)
say  := @$(if $(V),:,echo)

packages := hdf5 fftw3 fftw3f sndfile libmpg123 soxr jansson
pkg      := $(shell pkg-config --silence-errors --cflags $(packages) 2>/dev/null)
libs     := $(shell pkg-config --silence-errors --libs $(packages) 2>/dev/null) -ldnnl -lm -ldl
# aubio from its archive where there is one: only what is called, which spares a program the loading of a hundred libraries.
beat_libs:= $(shell pkg-config --silence-errors --libs aubio 2>/dev/null)
beat_libs:= $(or $(wildcard $(shell pkg-config --silence-errors --variable=libdir aubio 2>/dev/null)/libaubio.a),$(beat_libs))
play_libs:= $(shell pkg-config --silence-errors --libs fluidsynth libxmp 2>/dev/null)
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef \
            -Wformat=2 -Wno-format-truncation -Wwrite-strings -Werror
ours     := -std=c11 -D_GNU_SOURCE -DSJ_VERSION='"$(VERSION)"' -DSJ_DATADIR='"$(datadir)"' \
            -DSJ_LIBDIR='"$(libdir)"' -I. -Ilib -Ikernels -fopenmp \
            -ffp-contract=off -fno-math-errno -MMD -MP $(warnings)

# Sources. kernels/*_cpu.c is compiled once per instruction set; -ffp-contract is theirs to choose.
isas        := avx512bf16 avx512 avx2 portable
isa_avx512  := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mprefer-vector-width=512
isa_avx512bf16 := $(isa_avx512) -mavx512bf16
isa_avx2    := -mavx2 -mfma -mf16c
isa_portable:=
kernel_src  := $(wildcard kernels/*_cpu.c)
lib_src     := $(wildcard lib/*.c) $(filter-out $(kernel_src),$(wildcard kernels/*.c))
tool_src    := $(wildcard tools/sj-*.c)
test_src    := $(wildcard tests/*.c tests/unit/*.c tests/kernels/*.c tests/bench/*.c)

lib_obj  := $(lib_src:%.c=$(BUILD)/obj/%.o) $(foreach i,$(isas),$(kernel_src:%.c=$(BUILD)/obj/%.$(i).o))
tools    := $(tool_src:tools/%.c=$(BUILD)/bin/%)
tests    := $(test_src:tests/%.c=$(BUILD)/tests/%)
archive  := $(BUILD)/libsj.a

# What programs look for in share/sj: beside those in $(BUILD)/bin, too.
data_src := $(wildcard pipelines/pages/*.html pipelines/pages/*.js schemas/classes/*.tsv schemas/render/*.tsv pipelines/model.h5 pipelines/model.md)
data     := $(addprefix $(BUILD)/share/sj/,$(patsubst pipelines/%,%,$(data_src:schemas/%=%)))

# The CUDA back end: kernels/*.cu and what they share with the rest, in a library that programs load when asked to.
nvcc     := $(wildcard $(CUDA_HOME)/bin/nvcc)
nvcc_home:= $(nvcc:/bin/nvcc=)
cuda_src := $(wildcard kernels/*_cuda.cu)
cuda_obj := $(cuda_src:%.cu=$(BUILD)/obj/%.o) $(BUILD)/obj/pic/fail.o
cuda_own := -std=c++17 -DSJ_VERSION='"$(VERSION)"' -Ikernels -MMD -MP -Werror all-warnings \
            -Xcompiler -fPIC,-fvisibility=hidden,-fno-exceptions,-fno-rtti,-fno-threadsafe-statics \
            -Xcompiler -Wall,-Wextra,-Wshadow,-Wpointer-arith,-Wwrite-strings,-Werror \
            $(foreach a,$(CUDA_ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
            -gencode arch=compute_$(lastword $(CUDA_ARCHS)),code=compute_$(lastword $(CUDA_ARCHS))
cuda_lib := $(firstword $(wildcard $(nvcc_home)/lib64 $(nvcc_home)/lib))
plugin_so:= $(BUILD)/lib/sj/libsj-cuda.so

ifneq ($(filter-out 0 1 auto,$(CUDA)),)
$(error CUDA=$(CUDA): auto, 0 or 1)
endif
lacks    := $(if $(nvcc),,nvcc (CUDA_HOME=$(CUDA_HOME)))
lacks    += $(if $(wildcard $(nvcc_home)/include/cudnn.h),,cuDNN)
lacks    += $(if $(shell command -v $(CXX)),,a C++ compiler)
plugin   := $(if $(filter-out 0,$(CUDA)),$(if $(strip $(lacks)),,$(plugin_so)))
ifeq ($(CUDA)$(plugin),1)
$(error CUDA=1, but missing: $(lacks))
endif

.PHONY: all
all: $(tools) $(data) $(BUILD)/bin/sj $(plugin)

$(tools): | $(data)
$(BUILD)/share/sj/model.%: pipelines/model.%
	@mkdir -p $(@D)
	@cp $< $@
$(BUILD)/share/sj/pages/%: pipelines/pages/%
	@mkdir -p $(@D)
	@cp $< $@
$(BUILD)/share/sj/classes/%: schemas/classes/%
	@mkdir -p $(@D)
	@cp $< $@
$(BUILD)/share/sj/render/%: schemas/render/%
	@mkdir -p $(@D)
	@cp $< $@

$(archive): $(lib_obj)
	@rm -f $@
	$(say) AR $@
	$(hide)$(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(hide)$(CC) $(ours) $(pkg) $(CFLAGS) -c $< -o $@

$(BUILD)/obj/lib/classmap.o: schemas/classes/four.tsv # built in

define isa_rule
$(BUILD)/obj/kernels/%_cpu.$(1).o: kernels/%_cpu.c
	@mkdir -p $$(@D)
	$(say) CC $$< for $(1)
	$(hide)$$(CC) $$(ours) $$(CFLAGS) -ffp-contract=fast $$(isa_$(1)) -DSJK_ISA=$(1) -c $$< -o $$@
endef
$(foreach i,$(isas),$(eval $(call isa_rule,$(i))))

$(BUILD)/obj/%.o: %.cu
	@mkdir -p $(@D)
	$(say) NVCC $<
	$(hide)$(nvcc) $(cuda_own) $(NVCCFLAGS) -MF $(@:.o=.d) -c $< -o $@

$(BUILD)/obj/pic/%.o: kernels/%.c
	@mkdir -p $(@D)
	$(say) CC $< for the plug-in
	$(hide)$(CC) $(ours) $(CFLAGS) -fPIC -fvisibility=hidden -c $< -o $@

$(plugin_so): $(cuda_obj)
	@mkdir -p $(@D)
	$(say) LD $@
	$(hide)$(CC) -shared $(LDFLAGS) $^ -L$(cuda_lib) -lcublasLt -lcudnn -lcudart_static -lrt -lpthread -ldl -lm \
	    -Wl,-z,defs -Wl,--exclude-libs,ALL -Wl,-rpath,'$$ORIGIN:$(cuda_lib)' -o $@

# The front command is a script.
$(BUILD)/bin/sj: tools/sj
	@mkdir -p $(@D)
	@cp $< $@

$(BUILD)/bin/%: $(BUILD)/obj/tools/%.o $(archive)
	@mkdir -p $(@D)
	$(say) LD $@
	$(hide)$(CC) $(CFLAGS) -fopenmp $(LDFLAGS) $^ $(libs) -o $@

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(archive)
	@mkdir -p $(@D)
	$(say) LD $@
	$(hide)$(CC) $(CFLAGS) -fopenmp $(LDFLAGS) $^ $(libs) -o $@

# Programs with lib/beats.c in them; no other has what aubio brings: GPL 3, and where it is shared a hundred libraries.
beat_users := $(addprefix tools/,sj-mash.c sj-facts.c sj-index.c sj-match.c)
$(beat_users:tools/%.c=$(BUILD)/bin/%) $(addprefix $(BUILD)/tests/unit/,beats facts): libs += $(beat_libs)

# Programs with lib/fluid.c and lib/tracker.c in them.
$(BUILD)/bin/sj-render: libs += $(play_libs)

# The own CUDA kernels a second time, for the host (tests/kernels/emulation.h), with checks of the bounds of arrays.
own_cuda := $(foreach f,sums layout norm activation film rotate objective adamw search mel attention_f32 attention linear product_own, \
              kernels/$(f)_cuda.cu)
emulated := $(patsubst %,$(BUILD)/obj/emulated/%.o,$(own_cuda:.cu=) \
            $(addprefix tests/kernels/,emulation emulated_table emulated_libraries emulated_faults))

emulate = $(CXX) -x c++ -std=gnu++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics -D_GNU_SOURCE \
          -DSJ_EMULATED -I. -Ikernels -Itests/kernels -ffp-contract=off \
          -fno-math-errno -MMD -MP -Wall -Wextra -Wshadow -Wformat=2 -Werror -Wno-unknown-pragmas \
          -Wno-uninitialized -Wno-maybe-uninitialized $(CFLAGS) \
          -fsanitize=bounds -fsanitize-undefined-trap-on-error

$(BUILD)/obj/emulated/%.o: %.cu
	@mkdir -p $(@D)
	$(say) CXX $< for the host
	$(hide)$(emulate) -c $< -o $@

$(BUILD)/obj/emulated/%.o: %.cpp
	@mkdir -p $(@D)
	$(say) CXX $<
	$(hide)$(emulate) -c $< -o $@

$(BUILD)/tests/kernels/emulated: $(emulated)
$(BUILD)/tests/kernels/choices: $(BUILD)/obj/emulated/kernels/choices_cuda.o

# The device's memory and recorded work of the CUDA back end, for the host, on a stand-in for the CUDA runtime.
recorded := $(foreach f,dev repeat inbox,$(BUILD)/obj/recorded/$(f)_cuda.o) \
            $(BUILD)/obj/tests/kernels/runtime/runtime.o $(BUILD)/obj/kernels/fail.o
$(BUILD)/tests/kernels/recorded: $(recorded)
$(BUILD)/obj/tests/kernels/recorded.o: ours += -Itests/kernels/runtime
$(BUILD)/obj/recorded/%.o: kernels/%.cu
	@mkdir -p $(@D)
	$(say) CXX $<
	$(hide)$(CXX) -x c++ -std=gnu++17 -fno-exceptions -fno-rtti -Itests/kernels/runtime -Ikernels -MMD -MP \
	    -Wall -Wextra -Wshadow -Werror $(CFLAGS) -c $< -o $@

# A driver that tests plan with where there is no device.
$(BUILD)/tests/driver/libcuda.so.1: tests/driver/libcuda.c
	@mkdir -p $(@D)
	$(say) LD $@
	$(hide)$(CC) $(warnings) $(CFLAGS) -shared -fPIC -Wl,-soname,libcuda.so.1 $< -o $@

$(BUILD)/tests/kernels/cudnn_plans: | $(BUILD)/tests/driver/libcuda.so.1 $(plugin)

.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
