#!/bin/sh
# probe-note.sh NETWORK FOLDER TASK:SET:TYPE:COLUMN...: how many examples each task had, how many were left out, and
# what naming the label that is most frequent among those to learn would give
set -eu
network=$1 folder=$2
shift 2
echo "frozen embeddings of the $network encoder, mean over time"
for what in "$@"; do
    IFS=: read -r task set_name type column <<END
$what
END
    [ -f "$folder/$task.tsv" ] || continue
    labels=$folder/$set_name/labels.tsv lost=0
    if [ -f "$labels.left-out" ]; then lost=$(wc -l <"$labels.left-out"); fi
    awk -F '\t' -v task="$task" -v type="$type" -v column="$column" -v lost="$lost" '
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        FILENAME ~ /labels\.tsv$/ && $at["split"] == "train" && ++n[$at[column]] > n[most] { most = $at[column] }
        FILENAME ~ /labels\.tsv$/ && $at["split"] == "test" { test[$at[column]]++; tests++ }
        FILENAME !~ /labels\.tsv$/ && FNR == 2 {
            printf "%s: %d examples to learn, %d to choose, %d to test", task, $at["train"], $at["valid"], $at["test"]
            if ($at["missing"] + lost) printf "; %d left out", $at["missing"] + lost
            if (lost) printf ", %d of them without audio", lost
            if (type == "class")
                printf "; always \"%s\": %.2f%% right", most, tests ? 100 * test[most] / tests : 0
            print ""
        }' "$labels" "$folder/$task.tsv"
done
