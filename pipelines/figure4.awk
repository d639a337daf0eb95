# figure4.awk PAPER.tsv FACTS.tsv CURVES.tsv: the curve of all pairs in numbers, the paper's beside
BEGIN { FS = OFS = "\t" }
FNR == 1 { file++ }
/^#/ { next }
file == 1 && $1 + 0 == $1 { paper[$1 + 0] = $2; order[++n] = $1 + 0 }
file == 2 { fact[$1] = $2 }
file == 3 && $1 == "random" { random = $4 }
file == 3 && $1 == "all" && $3 != "-" && $4 != "-" {
    lag[++lags] = $3; value[lags] = $4; frames[lags] = $5
    ours[sprintf("%.2f", $3)] = $4
    sum += $4
    if ($5 > all) all = $5
}
END {
    # means over few frames are high and low by chance (sj-align(1)): at least half of the frames
    for (i = 1; i <= lags; i++) {
        if (2 * frames[i] < all) continue
        if (!counted++ || value[i] < least) least = value[i]
        if (counted == 1 || value[i] > most) { most = value[i]; peak = lag[i] }
    }
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
