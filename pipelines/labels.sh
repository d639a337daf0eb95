#!/bin/sh
# labels.sh SET FOLDER...: the labels of a data set for sj-probe: key, split, label (synth: style and tonality), path.
# Audio, lists and annotations are looked for by name, wherever they lie in the FOLDERs. With KEEP_GOING labels without
# audio are left out; they stand in the file LEFT_OUT.
set -eu
set_name=$1
shift
tab=$(printf '\t')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

the_file() { # the first of these names
    for n in "$@"; do
        find -L $folders -name "$n" -type f | LC_ALL=C sort | head -n 1
    done | head -n 1
}
needs() {
    f=$(the_file "$@")
    [ -n "$f" ] || { echo "$set_name: no $1 in $folders" >&2; exit 3; }
    printf '%s\n' "$f"
}
# Lines name, split, label, the name being that of a file without its ending -> with paths. A file that is missing is
# an error, or left out.
with_paths() {
    find -L $folders -type f \( -iname '*.wav' -o -iname '*.flac' -o -iname '*.mp3' -o -iname '*.ogg' -o -iname '*.au' \
        -o -iname '*.aif' -o -iname '*.aiff' -o -iname '*.m4a' \) | LC_ALL=C sort >"$work/audio"
    awk -v set="$set_name" -v keep="${KEEP_GOING:-}" -v left="${LEFT_OUT:-/dev/null}" 'BEGIN {
            FS = OFS = "\t"
            printf "" >left
        }
        NR == FNR {
            name = $0; sub(/.*\//, "", name); sub(/\.[^.]*$/, "", name)
            if (!(name in path)) path[name] = $0
            next
        }
        $1 in path { print $1, $2, $3, path[$1]; n++; next }
        !gone++ { first = $1 }
        { print $1, "no audio" >left }
        END {
            if (gone) print set ": " gone " of " gone + n " files are not there, the first is \"" first "\"" >"/dev/stderr"
            if ((gone && !keep) || !n) exit 3
        }' "$work/audio" -
}
giantsteps() {
    find -L $folders -name '*.key' -type f | LC_ALL=C sort | while IFS= read -r f; do
        name=${f##*/}
        printf '%s\ttest\t%s\n' "${name%.key}" "$(head -n 1 "$f" | tr -d '\r')"
    done
    # only keys of which the annotator was sure, and one of them
    tr -d '\r' <"$(needs annotations.txt mtg_annotations.txt)" |
        awk -F '\t' '$1 ~ /^[0-9]+$/ && $3 == 2 && $2 ~ /^[A-G][#b]? (major|minor) *$/ { sub(/ *$/, "", $2)
            print $1 ".LOFI\t" (++n % 10 ? "train" : "valid") "\t" $2 }'
}
gtzan() {
    for split in train valid test; do
        tr -d '\r' <"$(needs ${split}_filtered.txt)" | awk -v split_name=$split '/./ { n = split($0, p, "/"); name = p[n]
            sub(/\.[^.]*$/, "", name); genre = name; sub(/\..*/, "", genre); print name "\t" split_name "\t" genre }'
    done
}
# The lists are Python's pickles as text: a line S'FOLDER/NAME.npy' for each.
mtat() {
    for split in train valid test; do
        sed -n "s/^S['\"]\(.*\)\.npy['\"].*/\1/p" "$(needs ${split}_list_pub.cP)" | sed "s/.*\///; s/\$/$tab$split/"
    done >"$work/lists"
    tr -d '\r' <"$(needs annotations_final.csv)" | awk -v top="$(needs top50_tags.txt)" 'BEGIN { FS = OFS = "\t"
            while ((getline line <top) > 0) { sub(/[\r ]*$/, "", line); if (line != "") wanted[line] } }
        { gsub(/"/, "") }
        FILENAME == "-" && FNR == 1 { for (i = 2; i < NF; i++) tag[i] = $i; last = NF; next }
        FILENAME == "-" { name = $last; sub(/.*\//, "", name); sub(/\.[^.]*$/, "", name); s = ""
            for (i = 2; i < last; i++) if ($i == 1 && tag[i] in wanted) s = s (s == "" ? "" : ",") tag[i]
            label[name] = s; next }
        { print $1, $2, label[$1] }' - "$work/lists"
}
nsynth() {
    find -L $folders -name '*.wav' -type f | LC_ALL=C sort | awk 'BEGIN { FS = "/"; OFS = "\t" } {
        name = $NF; sub(/\.wav$/, "", name)
        where = /nsynth-train/ ? "train" : /nsynth-valid/ ? "valid" : /nsynth-test/ ? "test" : ""
        family = name; sub(/_(acoustic|electronic|synthetic)_.*/, "", family)
        if (where != "") print name, where, family }'
}
# Of ten pieces eight are to learn from, one to choose by and one to test; the last folder is the number of pieces.
synth() {
    find "$1" -name annotation.json | LC_ALL=C sort | head -n "$2" | while IFS= read -r f; do
        folder=$(realpath "${f%/*}")
        style=$(sed -n 's/.*"style":"\([^"]*\)".*/\1/p' "$f") mode=$(sed -n 's/.*"key":"\([^"]*\)".*/\1/p' "$f")
        printf '%s\t%s\t%s\t%s\t%s\n' "${folder##*/}" - "$style" "$mode" "$folder"
    done | awk 'BEGIN { FS = OFS = "\t" } { $2 = NR % 10 == 0 ? "test" : NR % 10 == 5 ? "valid" : "train"; print }'
}

folders=$*
# shellcheck disable=SC2086  # folders are words
case $set_name in
synth)
    synth "$1" "$2" >"$work/labels"
    [ -s "$work/labels" ] || { echo "synth: no pieces in '$1'" >&2; exit 3; }
    printf 'key\tsplit\tstyle\ttonality\tpath\n'
    cat "$work/labels"
    ;;
gs | gtzan | mtt | nsynth)
    case $set_name in
    gs) giantsteps >"$work/labels" ;;
    gtzan) gtzan >"$work/labels" ;;
    mtt) mtat >"$work/labels" ;;
    nsynth) nsynth >"$work/labels" ;;
    esac
    printf 'key\tsplit\tlabel\tpath\n'
    with_paths <"$work/labels"
    ;;
*)
    echo "labels.sh: no data set '$set_name'" >&2
    exit 2
    ;;
esac
