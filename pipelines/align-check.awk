# align-check.awk: how many shifts are found (align-check.mk).
#   awk -F '\t' -v searches="1 2 4" -v inputs="embeddings audio" -f align-check.awk shifts.tsv embeddings.tsv audio.tsv
BEGIN { ways = split(inputs, way, " ") }
FNR == 1 { file++ }
file == 1 { shift["embeddings", $1] = $2; shift["audio", $1] = $3; piece[++pieces] = $1; next }
$3 == "-" || $3 == "lag_s" || $1 == "all" { next }
{
    from = way[file - 1]
    sub(/\/.*/, "", $1)
    for (i = 0; i < 2; i++) {
        what = i ? "all" : $2
        at = from SUBSEP what SUBSEP $1 SUBSEP $3
        sum[at] += $4 * $5
        frames[at] += $5
    }
    lag[from, $3] = $3
}

# The lag at which the curve of a piece is highest.
function peak(input, what, name, search,    key, part, top, best, at) {
    top = -2
    for (key in lag) {
        split(key, part, SUBSEP)
        at = input SUBSEP what SUBSEP name SUBSEP part[2]
        if (part[1] != input || lag[key] > search + 1e-6 || lag[key] < -search - 1e-6 || !(at in frames))
            continue
        if (sum[at] / frames[at] > top) {
            top = sum[at] / frames[at]
            best = lag[key]
        }
    }
    return best
}
END {
    print "input\tstems\tsearch_s\tpieces\tfound"
    kinds = split("all bass drums other vocals", kind, " ")
    n = split(searches, search, " ")
    for (i = 1; i <= ways; i++)
        for (k = 1; k <= kinds; k++)
            for (s = 1; s <= n; s++) {
                found = 0
                for (p = 1; p <= pieces; p++) {
                    error = peak(way[i], kind[k], piece[p], search[s]) - shift[way[i], piece[p]]
                    found += error < 0.1601 && error > -0.1601
                }
                printf "%s\t%s\t%s\t%d\t%d\n", way[i], kind[k], search[s], pieces, found
            }
}
