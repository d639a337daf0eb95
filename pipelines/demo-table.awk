# demo-table.awk untrained.metrics.tsv trained.metrics.tsv: the demo's table; with -v DATA=FILE the figure's numbers too.
BEGIN { FS = "\t"; n = split("chance class-oracle untrained trained", order, " ")
        title["chance"] = "chance"; title["class-oracle"] = "class oracle (right class, any)"
        title["untrained"] = "untrained model"; title["trained"] = "trained model" }
FNR == 1 { file++; next }
{
    name = $1 == "all" ? (file == 1 ? "untrained" : "trained") : $1
    if (!(name in title)) next
    row[name] = sprintf("%7.1f %7.1f %7.1f %10.1f %12.1f", $4, $5, $6, $7, $8)
    for (i = 4; i <= 8; i++) value[name, i] = $i
    queries = $2; references = $3
}
END {
    printf "%d held-out mixes, each without one stem, looking for it among %d stems (percent)\n\n", queries, references
    printf "%-32s %7s %7s %7s %10s %12s\n", "", "R@1", "R@5", "R@10", "mean rank", "median rank"
    for (i = 1; i <= n; i++) {
        printf "%-32s %s\n", title[order[i]], row[order[i]]
        if (!DATA) continue
        label = order[i]
        sub("-", " ", label)
        printf "%s", label >DATA
        for (k = 4; k <= 7; k++) printf "\t%s", value[order[i], k] >DATA
        printf "\n" >DATA
    }
    times = value["trained", 4] / value["chance", 4]
    printf "\nR@1 is %.0f times chance; the mean rank is %.2f of the untrained model's and %.2f of the class oracle's\n", times,
        value["trained", 7] / value["untrained", 7], value["trained", 7] / value["class-oracle", 7]
    if (times < 10 || value["trained", 7] * 2 >= value["untrained", 7] || value["trained", 7] >= value["class-oracle", 7]) {
        print "this training did NOT reach what the demo should show: R@1 ten times chance, half the untrained mean rank, below the oracle's"
        exit 1
    }
}
