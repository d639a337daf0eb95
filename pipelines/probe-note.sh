#!/bin/sh
# probe-note.sh NETWORK TASKS FOLDER: how many examples each task had, and how many were left out
set -eu
echo "frozen embeddings of the $1 encoder, mean over time"
for task in $2; do
    [ -f "$3/$task.tsv" ] || continue
    awk -F '\t' -v task="$task" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        NR == 2 { printf "%s: %d examples to learn, %d to choose, %d to test", task, $at["train"], $at["valid"], $at["test"]
                  if ($at["missing"]) printf "; %d left out", $at["missing"]
                  print "" }' "$3/$task.tsv"
done
