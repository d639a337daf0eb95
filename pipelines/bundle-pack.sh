#!/bin/sh
# bundle-pack.sh FOLDER: FOLDER.tar.xz, and its size; fails when it is larger than 60 MiB.
set -eu
folder=$1
most=$((60 * 1024 * 1024))
tar -C "$(dirname "$folder")" --sort=name --owner=0 --group=0 --numeric-owner -cf - "$(basename "$folder")" |
    xz -T1 -9 >"$folder.tar.xz.new"
mv "$folder.tar.xz.new" "$folder.tar.xz"
size=$(wc -c <"$folder.tar.xz")
awk -v n="$size" -v f="$folder.tar.xz" 'BEGIN { printf "%s: %.1f MiB\n", f, n / 1048576 }'
if [ "$size" -gt $most ]; then
    echo "bundle-pack.sh: more than 60 MiB: name fewer CUDA_ARCHS" >&2
    exit 1
fi
