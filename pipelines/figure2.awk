# figure2.awk PAPER.tsv CONFUSION.tsv: the first table of sj-knn --confusion, the paper's R@1 beside
BEGIN { FS = OFS = "\t" }
FNR == 1 { file++ }
/^#/ { next }
file == 1 { paper[$1] = $2; next }
/^$/ { exit }
FNR == 1 { $(NF + 1) = "paper_both_right_percent"; print; next }
{ $(NF + 1) = $1 in paper ? paper[$1] : "-"; print }
