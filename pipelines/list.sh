#!/bin/sh
# list.sh OUT ARGUMENTS...: what sj-chunk --list finds, for each.sh: name, checksum of the names, sizes and times of its files
# (annotations, *.lab, aside), path. What cannot be listed stops it; with KEEP_GOING it stands in OUT.left-out, as each.sh
# has it. OUT changes when these do.
set -eu
out=$1
shift
sj-chunk --list ${KEEP_GOING:+-k} "$@" -o "$out.all" 2>"$out.said" || {
    status=$?
    if [ "$status" -ne 1 ] || [ -z "${KEEP_GOING:-}" ]; then
        cat "$out.said" >&2
        exit "$status"
    fi
}
tab=$(printf '\t')
sed -n "s/^sj-chunk: skipped: /-$tab/p" "$out.said" >"$out.left-out.new"
sed 1d "$out.all" | while IFS=$tab read -r name path; do
    case $name in
    */*)
        if [ -z "${KEEP_GOING:-}" ]; then
            echo "two songs are called '${name##*/}'" >&2
            exit 1
        fi
        printf -- "-\t'%s': another song is called like it\n" "$path" >>"$out.left-out.new"
        continue
        ;;
    esac
    path=$(realpath "$path")
    files=$(find -L "$path" -type f ! -name '*.lab' -printf '%P %s %T@\n' | LC_ALL=C sort | cksum)
    printf '%s\t%s\t%s\n' "$name" "$files" "$path"
done >"$out.new"
if [ ! -s "$out.new" ]; then
    echo "no songs in" "$@" >&2
    exit 1
fi
rm "$out.all" "$out.said"
[ -s "$out.left-out.new" ] || rm "$out.left-out.new"
if cmp -s "$out.new" "$out" && { cmp -s "$out.left-out.new" "$out.left-out" ||
    [ ! -e "$out.left-out.new" ] && [ ! -e "$out.left-out" ]; }; then
    rm -f "$out.new" "$out.left-out.new"
else
    rm -f "$out.left-out"
    if [ -e "$out.left-out.new" ]; then mv "$out.left-out.new" "$out.left-out"; fi
    mv "$out.new" "$out"
fi
