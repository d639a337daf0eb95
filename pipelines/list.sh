#!/bin/sh
# list.sh OUT ARGUMENTS...: what sj-chunk --list finds, for each.sh: name, time of the last change in it, path. OUT changes when these
# do.
set -eu
out=$1
shift
sj-chunk --list "$@" -o "$out.all"
tab=$(printf '\t')
sed 1d "$out.all" | while IFS=$tab read -r name path; do
    case $name in
    */*) echo "two songs are called '${name##*/}'" >&2; exit 1 ;;
    esac
    path=$(realpath "$path")
    printf '%s\t%s\t%s\n' "$name" "$(find "$path" -type f -printf '%T@\n' | sort -n | tail -n 1)" "$path"
done >"$out.new"
if [ ! -s "$out.new" ]; then
    echo "no songs in" "$@" >&2
    exit 1
fi
rm "$out.all"
if cmp -s "$out.new" "$out"; then rm "$out.new"; else mv "$out.new" "$out"; fi
