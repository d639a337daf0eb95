#!/bin/sh
# The interactive figure 4 and the report in a browser: what is drawn, read, heard and asked for; screenshots of both in
# $BUILD/screens.
. tests/tap.sh
python=/usr/bin/python3
cd "$dir" || exit 1
"$bin/sj-synth" -q -n 2 --seconds 38 --folder songs || exit 1
# Curves of a known form: pair k has 0.3 + 0.02 k + 0.1 exp(-lag^2) + a wave, at lags of 0.16 s.
awk 'BEGIN {
    OFS = "\t"
    print "query", "class", "lag_s", "similarity", "frames"
    n = split("bass drums other vocals", class, " ")
    for (k = 0; k < 8; k++)
        for (j = -50; j <= 50; j++) {
            x = j * 0.16
            y = 0.3 + 0.02 * k + 0.1 * exp(-x * x) + 0.01 * sin(x * (1 + k / 4))
            sum[j] += y
            print "synth-0-00000" int(k / 4) "/" class[1 + k % 4], class[1 + k % 4], sprintf("%.2f", x), \
                sprintf("%.6f", y), 86 - (j < 0 ? -j : j)
        }
    for (j = -50; j <= 50; j++) print "all", "-", sprintf("%.2f", j * 0.16), sprintf("%.6f", sum[j] / 8), 8 * 86
    print "random", "-", "-", "0.170000", 1000
}' >curves.tsv
"$bin/sj-chunk" -q --stems --mixes songs >songs.sjt || exit 1
mkdir -p results/listening-test
"$bin/sj-page" --curves curves.tsv -n 5 --seconds 36 -o results/figure4.html songs.sjt || exit 1
cp curves.tsv results/figure4-curves.tsv
printf 'row\trecall@1_percent\tpaper_<b>\nours\t12.50\t33.0\nnot made\tabsent\t-\n' >results/table1.tsv
echo '2 songs left out & counted' >results/table1.txt
echo '<p>The test</p>' >results/listening-test/index.html
cat >results/figure2.svg <<'E1'
<svg xmlns="http://www.w3.org/2000/svg" width="300" height="120"><rect width="300" height="120" fill="#fff"/>
<rect x="20" y="30" width="40" height="80" fill="#0b63b0"/>
<rect x="80" y="60" width="40" height="50" fill="#c2410c"/></svg>
E1
printf 'name\tvalue\nmodel\ttiny.h5\n' >results/provenance.tsv
"$bin/sj-page" --report results -o results/report.html || exit 1
"$python" "$root/tests/figure4_page.py" results curves.tsv "$BUILD/screens"
