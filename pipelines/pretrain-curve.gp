# pretrain-curve.gp: gnuplot -e "data='...'; out='...'" pretrain-curve.gp   what is learnt, above; ranks of recordings, below
set terminal svg size 900,620 font "sans,13" background "white" noenhanced
set output out
set datafile separator "\t"
set datafile missing "-"
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
set lmargin 10
set multiplot layout 2,1
set ylabel "loss in the batch"
set y2label "right in the batch [%]"
set y2tics
set border 11
set key top center horizontal
plot data using 1:3 skip 1 with lines lw 2 lc rgb "#1b5e8c" title "contrastive", \
     '' using 1:(100 * column(4)) skip 1 axes x1y2 with lines lw 2 lc rgb "#d9772b" title "nearest is right"
set border 3
unset y2tics
unset y2label
set xlabel "step"
set ylabel "recordings never learnt from [%]"
set yrange [0:]
plot data using 1:8 skip 1 with linespoints lw 2 pt 7 ps 0.5 lc rgb "#1b5e8c" title "R@1", \
     '' using 1:9 skip 1 with linespoints lw 2 pt 7 ps 0.5 lc rgb "#4f9bd0" title "R@10", \
     '' using 1:10 skip 1 with linespoints lw 2 pt 7 ps 0.5 lc rgb "#d9772b" title "mean rank"
unset multiplot
