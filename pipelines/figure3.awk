# figure3.awk [-v outliers=1] BOXES.tsv: sj-ratings --boxes -> place, low, quartiles and median, high, mean, condition, class; or
# place and rating of every outlier
BEGIN { FS = OFS = "\t"; shift["true"] = -0.27; shift["retrieved"] = 0; shift["random"] = 0.27 }
FNR == 1 { next }
!($1 in place) { place[$1] = classes++ }
{
    x = place[$1] + shift[$2]
    if (!outliers) print x, $4, $5, $6, $7, $8, $9, $2, $1
    else if ($(NF) != "-") for (i = split($(NF), one, " "); i; i--) print x, one[i]
}
