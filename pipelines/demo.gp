# demo.gp: gnuplot -e "data='...'; out='...'" demo.gp   the demo's table as bars: recall on the left, mean rank on the right
set terminal svg size 900,440 font "sans,13" background "white" noenhanced
set output out
set datafile separator "\t"
set style data histogram
set style fill solid noborder
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set xtics scale 0 font ",12"
set boxwidth 0.9
set offsets 0, 0, graph 0.08, 0
set xrange [-0.6:3.6]
set tmargin at screen 0.80
set bmargin at screen 0.20
two_lines(s) = (at = strstrt(s, " ")) ? s[1:at - 1] . "\n" . s[at + 1:] : s

set multiplot title "Looking for the stem that a mix lacks, among the stems of pieces never heard" font ",15"

set style histogram clustered gap 1
set lmargin at screen 0.08
set rmargin at screen 0.59
set title "true stem among the nearest (higher is better)"
set ylabel "recall [% of mixes]"
set yrange [0:]
set key at screen 0.34, screen 0.05 center horizontal Left reverse samplen 1.5 width 2
plot for [i = 0:2] data using 2 + i:xtic(two_lines(strcol(1))) title word("R@1 R@5 R@10", i + 1) \
         lc rgb word("#1b5e8c #4f9bd0 #a9d0ea", i + 1), \
     for [i = 0:2] '' using ($0 + (i - 1) / 4.0):(column(2 + i)):(sprintf("%.2g", column(2 + i))) with labels \
         offset 0, 0.6 font ",10" notitle

set style histogram clustered gap 0.6
set lmargin at screen 0.68
set rmargin at screen 0.99
set title "its rank (lower is better)"
set ylabel "mean rank [% of stems]"
unset key
plot data using 5:xtic(two_lines(strcol(1))) lc rgb "#d9772b", \
     '' using 0:5:(sprintf("%.1f", $5)) with labels offset 0, 0.6 font ",10"
unset multiplot
