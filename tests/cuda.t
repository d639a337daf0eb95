#!/bin/bash
# --backend cuda and auto where there is no device, or no plug-in that could use one; the rules that build it.
# shellcheck disable=SC2016,SC2046,SC2086  # $ is for an inner shell; arguments are split
. tests/tap.sh
make=$BUILD/tests/make_stream
plugin=$BUILD/lib/sj/libsj-cuda.so
for v in CUDA=2 "CUDA=1 CUDA_HOME=/nothing"; do # shown, not made
    fails 2 "$([ "$v" = CUDA=2 ] && echo 'auto, 0 or 1' || echo 'missing: nvcc (CUDA_HOME=/nothing)')" "make $v" \
        make --no-print-directory -n $v BUILD="$dir/build" all
done
plugins() { make --no-print-directory -n BUILD="$dir/build" "$@" all install 2>&1 | grep -c libsj-cuda; }
is "$(plugins CUDA=0)" 0 "make CUDA=0 makes no plug-in"
is "$(plugins CUDA=auto CUDA_HOME=/nothing)" 0 "nor does CUDA=auto without nvcc"
cd "$dir" || exit 1
"$BUILD/tests/make_model" model.h5 || exit 1
for k in mel melpair wave; do "$make" $k 1 >$k.sjt || exit 1; done
"$make" track 4 >track.sjt || exit 1
"$bin/sj-synth" -q -n 1 --seconds 9 --folder songs || exit 1
sound=$(echo songs/*)
printf 'key\tsplit\tlabel\n' >labels.tsv
for i in 0 1 2 3; do
    split=train
    [ $i = 2 ] && split=valid
    [ $i = 3 ] && split="test"
    for c in bass drums; do printf 'song%d/%s\t%s\t%s\n' $i $c $split $c; done
done >>labels.tsv
"$bin/sj-embed" -m model.h5 --backend cpu mel.sjt >token.sjt || exit 1

"$bin/sj-index" -q -m model.h5 songs || exit 1

# The programs that take --backend, with arguments that they can work on.
tiny="--dim 16 --depth 1 --heads 2 --hidden 16 --layers 2"
arguments() {
    case $1 in
    sj-mel) echo wave.sjt ;;
    sj-embed) echo -m model.h5 mel.sjt ;;
    sj-predict) echo -m model.h5 --class bass token.sjt ;;
    sj-index) echo -q -m model.h5 --store "$(mktemp -u index.XXXXXX)" songs ;; # one that is up to date needs no back end
    sj-match) echo -q songs "$sound/drums.wav" ;;
    sj-knn) echo --query track.sjt track.sjt ;;
    sj-align) echo --audio -m model.h5 "$sound/drums.wav" "$sound/bass.wav" ;;
    sj-probe) echo -q --epochs 2 --rates 1e-3 --labels labels.tsv track.sjt ;;
    sj-train) echo -q $tiny --steps 1 --batch 2 melpair.sjt -o new.h5 ;;
    esac
}
takers=
for p in "$bin"/sj-*; do
    "$p" --help | grep -q -e --backend && takers="$takers ${p##*/}"
done
for p in $takers; do
    [ -n "$(arguments $p)" ] || is "no arguments" "some" "$p"
done
ok "some programs take --backend" test -n "$takers"

# A library that is none, in three ways; the second device of a plug-in that is not there.
echo "no library" >text.so
echo 'extern int unrelated; int unrelated;' | ${CC:-cc} -shared -fPIC -x c -o empty.so - || exit 1
cat >old.c <<'E2'
#include "plugin.h"
extern const struct sjk_plugin sjk_cuda_plugin;
const struct sjk_plugin sjk_cuda_plugin = {"0.0.1", sizeof(struct sjk_ops), 0};
E2
${CC:-cc} -shared -fPIC -I"$root/kernels" -o old.so old.c || exit 1
for p in $takers; do
    a=$(arguments $p)
    fails 5 "/nothing: cannot open shared object file" "$p: a plug-in that is not there" \
        env SJ_CUDA_PLUGIN=/nothing "$bin/$p" --backend cuda $a
    fails 5 "text.so: " "$p: a plug-in that is no library" env SJ_CUDA_PLUGIN=./text.so "$bin/$p" --backend cuda $a
    fails 5 "'./empty.so' is no back end of sj" "$p: a library without the symbol" \
        env SJ_CUDA_PLUGIN=./empty.so "$bin/$p" --backend cuda:0 $a
    fails 5 "'./old.so' is of another version" "$p: a plug-in of another version" \
        env SJ_CUDA_PLUGIN=./old.so "$bin/$p" --backend cuda $a
    fails 2 "unknown back end 'cuda:x'" "$p: no number" "$bin/$p" --backend cuda:x $a
    ok "$p: auto goes on without it" env SJ_CUDA_PLUGIN=/nothing "$bin/$p" --backend auto $a
    is "$(wc -c <err)" 0 "$p: and says nothing"
done

# A program without its plug-in, as CUDA=0 leaves it.
mkdir -p alone/a/bin
cp "$bin/sj-knn" alone/a/bin/
if ls /usr/local/lib/sj/libsj-cuda.so >/dev/null 2>&1; then
    skip "a program without plug-in" "one is installed"
else
    fails 5 "libsj-cuda.so is neither beside this program nor in" "a program without plug-in" \
        alone/a/bin/sj-knn --backend cuda:1 --query track.sjt track.sjt
fi

# The plug-in of this build, without a device.
if [ ! -f "$plugin" ]; then
    skip "the plug-in without a device" "this build has none"
elif [ -e /dev/nvidiactl ] || [ -e /dev/dxg ]; then
    skip "the plug-in without a device" "there is one"
else
    for p in $takers; do
        for b in cuda cuda:7; do
            fails 5 "back end '$b': no NVIDIA driver on this machine" "$p --backend $b without a driver" \
                "$bin/$p" --backend $b $(arguments $p)
        done
    done
    ok "auto" "$bin/sj-knn" --backend auto --query track.sjt track.sjt -o auto.tsv
    "$bin/sj-knn" --backend cpu --query track.sjt track.sjt -o cpu.tsv
    ok "gives the CPU's results" cmp auto.tsv cpu.tsv
    LD_DEBUG=files "$bin/sj-knn" --backend auto --query track.sjt track.sjt 2>files >/dev/null
    is "$(grep -c 'libcublas\|libsj-cuda' files)" 0 "which does not load what no driver can use"
    is "$(nm -D --defined-only "$plugin" | grep -v ' sjk_cuda_')" "" "the plug-in exports nothing but its own"
    is "$(readelf -d "$plugin" | grep -c 'libcudart\|libstdc++')" 0 "and brings its runtime"
fi
is "$(for p in "$bin"/*; do readelf -d "$p" 2>/dev/null; done | grep -c 'libcu\|libnv')" 0 "no program needs CUDA's libraries"

# Installing and removing.
cd "$root" || exit 1
if [ -f "$plugin" ]; then
    made="make --no-print-directory DESTDIR=$dir/at prefix=/usr libdir=/usr/lib64"
    ok "install" $made -o all install
    ok "puts the plug-in where programs look" test -x "$dir/at/usr/lib64/sj/libsj-cuda.so"
    ok "uninstall" $made uninstall
    is "$(find "$dir/at" -name 'libsj*' -o -name sj -type d)" "" "removes it"
else
    skip "installing the plug-in" "this build has none"
fi
finish
