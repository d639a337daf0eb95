# table3.awk -v which=paper|more PAPER.tsv RESULTS...: the measures of sj-probe by model; RESULTS are .../TASK.tsv with a line
# for each model's .../MODEL.sjt. which=paper: the paper's tasks, its values beside; more: all others.
function cell(row, task, measure) {
    return ((row, task, measure) in ours) ? ours[row, task, measure] : "absent"
}
function task_of(path,    n, part) {
    n = split(path, part, "/")
    sub(/\.[a-z0-9]*$/, "", part[n])
    return part[n]
}
BEGIN {
    FS = OFS = "\t"
    columns = split("gs:mirex_percent gtzan:accuracy_percent mtt:roc_auc_percent mtt:average_precision_percent " \
                    "nsynth:accuracy_percent", column, " ")
    split("GS GTZAN MTT_ROC MTT_AP NSynth", title, " ")
}
FNR == 1 { file++; task = task_of(FILENAME) }
/^#/ { next }
file == 1 {
    if ($1 == "row") next
    row[++rows] = $1
    name[$1] = $2
    for (i = 1; i <= columns; i++) paper[$1, i] = $(2 + i)
    next
}
FNR == 1 { for (i = 1; i <= NF; i++) at[i] = $i; fields = NF; next }
{
    model = task_of($1)
    seen[model]
    for (i = 1; i <= fields; i++) {
        ours[model, task, at[i]] = $i
        if (at[i] !~ /^(valid|always)_/ && at[i] ~ /_percent$|^r2$/ && at[i] !~ /^accuracy/) special[task] = at[i]
    }
    if (task !~ /^(gs|gtzan|mtt|nsynth)$/ && !(task in known)) { known[task]; more[++tasks] = task }
}
END {
    printf "model"
    if (which == "paper")
        for (i = 1; i <= columns; i++) printf "\t%s_percent\tpaper_%s_percent", title[i], title[i]
    else
        for (i = 1; i <= tasks; i++) printf "\t%s_percent", more[i]
    print ""
    for (r = 1; r <= rows; r++) {
        if (which != "paper" && row[r] ~ /^(mule|jukebox)$/) continue
        printf "%s", name[row[r]]
        if (which == "paper")
            for (i = 1; i <= columns; i++) {
                split(column[i], c, ":")
                printf "\t%s\t%s", cell(row[r], c[1], c[2]), paper[row[r], i]
            }
        else
            for (i = 1; i <= tasks; i++)
                printf "\t%s", cell(row[r], more[i], more[i] in special ? special[more[i]] : "accuracy_percent")
        print ""
    }
}
