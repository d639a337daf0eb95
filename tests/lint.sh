#!/bin/sh
# lint.sh: manuals, shell scripts, C sources and house rules; exits 1 when anything is found.
set -u
bad=0
complain() { printf 'lint: %s\n' "$*"; bad=1; }

mandoc -T lint -W warning man/*.[157] || bad=1
shellcheck -S warning -x tools/sj pipelines/*.sh tests/*.sh tests/*.t tests/bench/*.sh .ci/run || bad=1
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
    --suppress=missingIncludeSystem -Ilib -Ikernels lib kernels tools || bad=1

for dep in hdf5.h:lib/h5 sndfile.h:lib/audio mpg123.h:lib/mp3 soxr.h:lib/resample aubio/aubio.h:lib/beats fftw3.h:lib/fft jansson.h:lib/json fluidsynth.h:lib/fluid xmp.h:lib/tracker dnnl.h:kernels/ dlfcn.h:kernels/plugin \
    cuda_runtime.h:kernels/cuda.h cublasLt.h:kernels/product cudnn.h:kernels/sdpa cudnn_backend.h:kernels/sdpa; do
    for f in $(grep -l "include <${dep%%:*}>" lib/* kernels/* tools/* 2>/dev/null); do
        case $f in "${dep#*:}"*) ;; *) complain "$f includes ${dep%%:*}, which belongs to ${dep#*:}*" ;; esac
    done
done
grep -nE '\b(strcpy|strcat|sprintf|vsprintf|atoi|atof|strtok|gets)\(' lib/*.[ch] kernels/*.[ch] kernels/*.cu tools/*.c && complain "banned calls"
grep -nE 'include "(\.\./)?(lib|tools)/|include "(err|json|stream|tool)\.h"' kernels/*.[ch] kernels/*.cu && complain "kernels/ must not depend on lib/"
for f in lib/*.[ch] kernels/*.[ch] kernels/*.cu tools/*.c tests/*.c tests/*/*.c tests/*/*.cpp; do
    n=$(wc -l <"$f")
    [ "$n" -le 500 ] || complain "$f has $n lines"
done
# One name, one thing: an archive would hide a second definition.
dup=$(nm -A --defined-only "${BUILD:-build}"/obj/lib/*.o "${BUILD:-build}"/obj/kernels/*.o 2>/dev/null | awk '$2 ~ /^[TDBR]$/ {print $3}' | sort | uniq -d)
[ -z "$dup" ] || complain "defined more than once: $dup"
for t in tools/sj-*.c; do
    n=$(basename "$t" .c)
    [ -f "man/$n.1" ] || complain "$n has no manual"
    head -n 3 "$t" | grep -q -- '->' || complain "$t does not open with its dataflow"
done
exit $bad
