# figure4.awk PAPER.tsv FACTS.tsv CURVES.tsv: the curve of all pairs in numbers, the paper's beside
BEGIN { FS = OFS = "\t" }
FNR == 1 { file++ }
/^#/ { next }
file == 1 && $1 + 0 == $1 { paper[$1 + 0] = $2; order[++n] = $1 + 0 }
file == 2 { fact[$1] = $2 }
file == 3 && $1 == "random" { random = $4 }
file == 3 && $1 == "all" && $3 != "-" && $4 != "-" {
    ours[sprintf("%.2f", $3)] = $4
    sum += $4
    lags++
    if (lags == 1 || $4 < least) least = $4
    if (lags == 1 || $4 > most) { most = $4; peak = $3 }
}
END {
    print "quantity", "similarity", "paper_similarity"
    for (i = 1; i <= n; i++) {
        at = sprintf("%.2f", order[i])
        print "at " at " s", at in ours ? ours[at] : "-", paper[order[i]]
    }
    print "largest, at " sprintf("%.2f", peak) " s", lags ? most : "-", fact["peak"]
    printf "mean\t%s\t%s\n", lags ? sprintf("%.6f", sum / lags) : "-", fact["mean"]
    print "smallest", lags ? least : "-", fact["min"]
    print "random pairs", random == "" ? "-" : random, fact["random"]
}
