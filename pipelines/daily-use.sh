#!/bin/bash
# daily-use.sh FOLDER [SONG]: the README's example, with true output: all stems of the songs in FOLDER (files of four
# channels: bass, drums, other, vocals) in an index, and a song without its bass as the query. The model is found as
# always: $SJ_MODEL, else the installed one.
set -eu
[ $# -ge 1 ] || { echo "usage: daily-use.sh FOLDER [SONG]" >&2; exit 2; }
bin=$(cd "${BUILD:-build}/bin" && pwd)
export PATH="$bin:$PATH"
folder=$(realpath -- "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
song=${2:-$(cd "$folder" && find . -maxdepth 1 -name '*.flac' -printf '%f\n' | LC_ALL=C sort | sed -n 24p)}
cd "$dir"
ln -s "$folder" stems
export SJ_INDEX=$dir/index XDG_STATE_HOME=$dir
ffmpeg -v error -i "stems/$song" -af 'pan=mono|c0=c1+c2+c3' -c:a pcm_s16le mix.wav

echo "# mix.wav: \"${song%.flac}\" without its bass"
shown() { # the command as the reader would type it
    printf '$ %s\n' "$*"
    { "$@" 2>&1; } | sed "s|$folder|stems|g; s|$dir/||g"
}
shown sj index stems/
printf '$ sj match mix.wav --class bass -k 8\n'
sj match mix.wav --class bass -k 8 | sed "s|$folder|stems|g" | column -t -s "$(printf '\t')"
shown sj explain mix.wav "stems/$song:bass"
