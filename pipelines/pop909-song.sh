#!/bin/sh
# pop909-song.sh IN.mid OUT.flac: a song as sound, one channel at 16 kHz; whole or not at all
set -eu
folder=$(dirname "$2") name=$(basename "$2")
pcm=$folder/.$name.pcm new=$folder/.$name # sj-chunk passes over names that begin with a dot
trap 'rm -f "$pcm" "$new"' EXIT
fluidsynth -n -i -q -R 0 -C 0 -g 0.5 -r 32000 -T raw -O s16 -F "$pcm" "$SOUNDFONT" "$1" >/dev/null
[ -s "$pcm" ] || { echo "fluidsynth made no sound of '$1'" >&2; exit 1; }
ffmpeg -nostdin -v error -y -f s16le -ar 32000 -ac 2 -i "$pcm" -ac 1 -ar 16000 -sample_fmt s16 "$new"
mv "$new" "$2"
