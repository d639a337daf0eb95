# table1.awk PAPER.tsv METRICS...: Table 1 with the paper's values beside; METRICS are .../ROW/ENCODER.metrics.tsv of sj-knn
# --metrics. Rows without one are absent.
function metrics(at,    i, s) {
    for (i = 2; i <= 8; i++) s = s OFS ((at, i) in ours ? ours[at, i] : "-")
    return s
}
function papers(row,    i, s) {
    for (i = 3; i <= 7; i++) s = s OFS (row ? paper[row, i] : "-")
    return s
}
BEGIN { FS = OFS = "\t" }
FNR == 1 { file++ }
/^#/ { next }
file == 1 {
    if ($1 == "row") next
    order[++rows] = $1
    for (i = 2; i <= 7; i++) paper[$1, i] = $i
    next
}
$1 == "all" {
    n = split(FILENAME, part, "/")
    sub(/\.metrics\.tsv$/, "", part[n])
    for (i = 2; i <= 8; i++) ours[part[n - 1] "/" part[n], i] = $i
    queries = $2
    references = $3
}
END {
    print "model", "encoder", "queries", "references", "R@1_percent", "R@5_percent", "R@10_percent", "mean_rank_percent",
        "median_rank_percent", "paper_R@1_percent", "paper_R@5_percent", "paper_R@10_percent", "paper_mean_rank_percent",
        "paper_median_rank_percent"
    for (r = 1; r <= rows; r++) {
        row = order[r]
        if (row == "automashupper") {
            print paper[row, 2], ((row "/mash", 2) in ours ? "none" : "absent") metrics(row "/mash") papers(row)
            continue
        }
        print paper[row, 2], ((row "/target", 2) in ours ? "EMA" : "absent") metrics(row "/target") papers(row)
        if ((row "/context", 2) in ours) print paper[row, 2], "context" metrics(row "/context") papers("")
    }
    n = references
    if (n) printf "chance\t-\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f%s\n", queries, n, 100 / n, 100 * (n < 5 ? 1 : 5 / n),
        100 * (n < 10 ? 1 : 10 / n), 50 * (n + 1) / n, 50 * (n + 1) / n, papers("")
}
