#!/bin/sh
# probe-note.sh NETWORK FOLDER TASK:SET...: how many examples each task had, how many were left out, and what naming the
# label that is most frequent among those to learn would give
set -eu
network=$1 folder=$2
shift 2
echo "frozen embeddings of the $network encoder, mean over time"
for what in "$@"; do
    task=${what%%:*} labels=$folder/${what#*:}/labels.tsv lost=0
    [ -f "$folder/$task.tsv" ] || continue
    if [ -f "$labels.left-out" ]; then lost=$(wc -l <"$labels.left-out"); fi
    awk -F '\t' -v task="$task" -v lost="$lost" '
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        FNR == 2 {
            printf "%s: %d examples to learn, %d to choose, %d to test", task, $at["train"], $at["valid"], $at["test"]
            if ($at["missing"] + lost) printf "; %d left out", $at["missing"] + lost
            if (lost) printf ", %d of them without audio", lost
            if ("always" in at) printf "; always \"%s\": %s%%", $at["always"], $at["always_percent"]
            print ""
        }' "$folder/$task.tsv"
done
