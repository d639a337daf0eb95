#!/bin/bash
# The one-liners of README.md and the EXAMPLES of the manuals, run as they stand on small data. Only what takes long or is
# elsewhere is replaced, by programs of the same names: a training is short, pieces are few, another machine is this one.
# shellcheck disable=SC2016  # $ is for an inner shell
. tests/tap.sh
if ! command -v parallel >/dev/null; then
    skip "examples" "GNU parallel is not installed"
    finish
fi
cd "$dir" || exit 1
mkdir stand-in first && cd first || exit 1

stand_in() { cat >"../stand-in/$1" && chmod +x "../stand-in/$1"; }
stand_in sj-train <<E1
#!/bin/sh
exec "$bin/sj-train" "\$@" --dim 16 --depth 1 --heads 2 --hidden 16 --layers 2 --steps 1 --batch 2
E1
stand_in sj-synth <<E1
#!/bin/sh
exec "$bin/sj-synth" "\$@" -n 2 --seconds 9
E1
stand_in sj-render <<E1
#!/bin/sh
exec "$bin/sj-render" "\$@" --soundfont "$dir/first/font.sf2"
E1
stand_in sj-chunk <<E1
#!/bin/bash
for word; do
    [ "\$word" = slakh ] && word=$root/schemas/classes/slakh.tsv
    words+=("\$word")
done
exec "$bin/sj-chunk" "\${words[@]}"
E1
# The last argument of parallel's is what the other machine's shell runs; that the login sets SHELL, it counts on.
stand_in ssh <<'E1'
#!/bin/bash
export SHELL=/bin/bash
while [[ $1 == -* ]]; do shift; done
shift
[ "$1" = -- ] && shift
command=$*
exec bash -c "${command//\/stems/songs}"
E1
export PATH="$dir/stand-in:$bin:$PATH" HOME=$dir PARALLEL_HOME=$dir SJ_MODEL=$dir/first/base.h5

# What the examples speak of.
"$BUILD/tests/make_model" base.h5 && cp base.h5 model.h5 || exit 1
"$BUILD/tests/make_vectors" instruments.h5 24 bass drums other vocals theremin || exit 1
"$BUILD/tests/make_model" vectors.h5 mlp_film instruments.h5 || exit 1
"$bin/sj-synth" -q -n 4 --seconds 9 --folder songs && cp -r songs musdb18hq || exit 1
mkdir -p midi library slakh2100_flac_redux/train/Track1/stems
for s in songs/*; do cp "$s/bass.wav" "library/$(basename "$s") bass.wav"; done
cp songs/synth-0-000000/vocals.wav mix.wav
cp songs/synth-0-000000/drums.wav loop.wav
printf 'stems:\n  S00:\n    inst_class: Bass\n  S01:\n    inst_class: Drums\n' >slakh2100_flac_redux/train/Track1/metadata.yaml
cp songs/synth-0-000000/bass.wav slakh2100_flac_redux/train/Track1/stems/S00.wav
cp songs/synth-0-000000/drums.wav slakh2100_flac_redux/train/Track1/stems/S01.wav
/usr/bin/python3 "$root/tests/render_make.py" . && mv songs/*.mid midi/ && mv midi/Three.mid midi/One.mid || exit 1
echo : >hosts
"$bin/sj-chunk" -q --dataset musdb.h5 musdb18hq
"$bin/sj-chunk" --stems --mixes songs | sj-mel --pool statistics -o all.h5
"$bin/sj-linear" -q --fit -o map.h5 --mixes all.h5 --stems all.h5
for s in 0 1; do
    "$bin/sj-chunk" --stems songs/synth-0-00000$s | sj-mel | sj-embed --pool track >part$s.sjt
    "$bin/sj-view" -o part$s.h5 part$s.sjt
done
cp part0.sjt one.sjt && cp part1.sjt two.sjt
"$bin/sj-chunk" --stems songs | sj-mel | sj-embed --pool track -o library.h5
"$bin/sj-chunk" --mixes songs | sj-mel | sj-embed | sj-predict --pool track -o queries.h5
{
    printf 'query\tclass\tlag_s\tsimilarity\tframes\n'
    for s in songs/*; do printf '%s/bass\tbass\t%s\t0.3\t9\n' "${s#songs/}" 0.00 "${s#songs/}" 0.16; done
    printf 'all\t-\t%s\t0.3\t9\n' 0.00 0.16
} >curves.tsv
"$bin/sj-knn" -q --query queries.h5 -o neighbours.tsv library.h5
for l in anna bob; do
    printf 'test,listener,trial,class,condition,rating\nt,%s,01,bass,true,70\nt,%s,01,bass,random,20\n' $l $l >ratings-$l.csv
done
mkdir results && cp curves.tsv results/table1.tsv

# A stage whose reader has enough ends by SIGPIPE.
runs() {
    bash -c "set -e -o pipefail; $1"
    local status=$?
    [ $status -eq 0 ] || [ $status -eq 141 ]
}
# One example is a line with those that continue it. Reads lines; $1 is where they are from. Those of a page run in a
# folder of its own, one after the other.
run_examples() {
    local line whole='' n=0
    cp -r "$dir/first" "$dir/$1" && cd "$dir/$1" || exit 1
    while IFS= read -r line; do
        whole+=$line$'\n'
        [[ $line =~ (\||\\)[[:space:]]*$ ]] && continue
        ok "$1: ${whole%%$'\n'*}" runs "$whole"
        n=$((n + 1))
        whole=
    done
    is "$((n > 0))" 1 "$1 has examples"
}
one_liners() { sed -n '/^## One-liners/,/^## B/p' "$root/README.md" | sed -n '/^```sh/,/^```/{/^```/d;p}' | sed 's/  *# .*//'; }
manual_examples() {
    awk '/^\.Sh/ { examples = /EXAMPLES/ } /^\.Ed/ { block = 0 } block && examples { gsub(/\\-/, "-"); gsub(/\\e/, "\\"); print }
         /^\.Bd -literal/ { block = 1 }' "$1"
}

run_examples README.md < <(one_liners)
for page in "$root"/man/*.[0-9]; do
    grep -q '^\.Sh EXAMPLES' "$page" && run_examples "${page##*/}" < <(manual_examples "$page")
done
ok "the neighbours found in parts are those of the whole" \
    sh -c 'cd "$1/sj-knn.1" && sj-knn --query queries.h5 part*.h5 | cmp - neighbours.tsv' - "$dir"
finish
