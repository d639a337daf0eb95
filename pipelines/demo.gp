# demo.gp: gnuplot -e "data='...'; out='...'" demo.gp   the demo's table as bars
set terminal svg size 760,420 font "sans,13" background "white"
set output out
set datafile separator "\t"
set style data histogram
set style histogram clustered gap 1.5
set style fill solid 0.9 noborder
set title "Looking for the stem that a mix lacks: held-out pieces"
set ylabel "percent"
set yrange [0:*]
set grid ytics lc rgb "#dddddd"
set key below center horizontal Left reverse
set border 3
set tics nomirror
plot data using 2:xtic(1) title "recall at 1" lc rgb "#1b5e8c", '' using 3 title "recall at 5" lc rgb "#4f9bd0", \
     '' using 4 title "recall at 10" lc rgb "#a9d0ea", '' using 5 title "mean rank (lower is better)" lc rgb "#d9772b"
