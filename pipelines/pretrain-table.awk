# pretrain-table.awk DIR/ROW.metrics.tsv... DIR/ROW.aligned.tsv...: one line for each, after chance and the class oracle, which sj-knn adds to a model's.
BEGIN {
    FS = OFS = "\t"
    title["chance"] = "chance"; title["class-oracle"] = "right class, any song"; title["untrained"] = "untrained model"
    title["automashupper"] = "AutoMashupper"; title["mel-statistics"] = "spectra, linear map"; title["model"] = "the model"
    title["untrained.aligned"] = "untrained model, aligned"; title["model.aligned"] = "the model, aligned"
    print "row", "queries", "references", "R@1_percent", "R@5_percent", "R@10_percent", "mean_rank_percent",
        "median_rank_percent"
}
function row(name) { print title[name], $2, $3, $4, $5, $6, $7, $8 }
FNR == 1 { n = split(FILENAME, part, "/"); name = part[n]; sub(/(\.metrics)?\.tsv$/, "", name) }
$1 == "chance" || $1 == "class-oracle" { if (!done[$1]++) row($1) }
$1 == "all" { line[name] = title[name] OFS $2 OFS $3 OFS $4 OFS $5 OFS $6 OFS $7 OFS $8; order[++rows] = name }
END { for (i = 1; i <= rows; i++) print line[order[i]] }
