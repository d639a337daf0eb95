#!/bin/sh
# align-check-audio.sh PIECE FOLDER COMMAND...: the curves of each stem of a piece, FOLDER/stems/PIECE/CLASS.wav, against the
# sum of the other classes of FOLDER/mixes/PIECE, by `COMMAND --audio`, without the line of names, beginning with the piece.
set -eu
piece=$1 folder=$2
shift 2
mix=$folder/mixes/$piece/rest.wav
for class in bass drums other vocals; do
    rest=
    for c in bass drums other vocals; do
        [ "$c" = "$class" ] || rest="$rest -i $folder/mixes/$piece/$c.wav"
    done
    # shellcheck disable=SC2086  # words
    ffmpeg -nostdin -v error -y $rest -filter_complex amix=inputs=3:normalize=0 -c:a pcm_f32le "$mix"
    "$@" --audio --curve --class $class "$mix" "$folder/stems/$piece/$class.wav" |
        awk -v piece="$piece" 'BEGIN { FS = OFS = "\t" } NR > 1 { $1 = piece; print }'
done
rm "$mix"
