# figure4.gp: gnuplot -e "all='...'; pairs='...'; paper='...'; random=...; out='...'" figure4.gp   similarity over shifts
set terminal svg size 900,460 font "sans,13" background "white" noenhanced
set output out
set datafile separator "\t"
set border 3
set tics nomirror
set grid lc rgb "#dddddd"
set xlabel "shift of the stem against the mix [s]"
set ylabel "mean cosine of prediction and stem"
set bmargin at screen 0.24
set key at screen 0.54, screen 0.12 center top horizontal maxrows 2 Left reverse samplen 2 width 1
set arrow from 0, graph 0 to 0, graph 1 nohead lc rgb "#999999" dt 3
plot pairs using 1:2 with lines lc rgb "#c3d9ea" lw 0.7 title "each pair", \
     all using 1:2 with lines lc rgb "#1b5e8c" lw 2.5 title "all pairs", \
     random with lines lc rgb "#555555" dt 2 lw 1.5 title "random pairs", \
     paper using 1:2 with points pt 3 ps 1 lw 1.5 lc rgb "#d9772b" title "paper, around 0", \
     0.17 with lines lc rgb "#d9772b" dt 4 lw 1 title "paper, random pairs"
