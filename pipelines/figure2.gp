# figure2.gp: gnuplot -e "outcomes='...'; confusion='...'; out='...'" figure2.gp   what nearest neighbours are, by class
set terminal svg size 960,470 font "sans,13" background "white" noenhanced
set output out
set datafile separator "\t"
set datafile missing "-"
stats confusion skip 1 using 0 nooutput
n = STATS_records
largest = 0
do for [i = 1:n] {
    stats confusion skip 1 using (column(i + 1)) nooutput
    largest = STATS_max > largest ? STATS_max : largest
}
shade(x) = x > largest / 2 ? 0xffffff : 0x202020

set border 3
set tics nomirror
set multiplot
set bmargin at screen 0.28
set tmargin at screen 0.86

set lmargin at screen 0.08
set rmargin at screen 0.54
set title "nearest neighbour of the prediction"
set style data histogram
set style histogram rowstacked
set style fill solid noborder
set boxwidth 0.7
set xtics scale 0
set grid ytics lc rgb "#dddddd"
set yrange [0:100]
set ylabel "share of the queries [%]"
set key at screen 0.30, screen 0.18 center top vertical maxrows 3 Left reverse samplen 1.5 width 1
set xrange [-0.6:n + 0.6]
array name[4] = ["both right", "instrument right", "song right", "both wrong"]
plot for [i = 3:6] outcomes skip 1 using i:xtic(1) lc rgb word("#1b5e8c #6fb1de #d9772b #d5d5d5", i - 2) \
         title name[i - 2], \
     outcomes skip 1 using 0:7 with points pt 3 ps 1.2 lw 2 lc rgb "black" title "paper, both right (about)"

unset key
unset grid
set lmargin at screen 0.66
set rmargin at screen 0.92
set title "its class, for each class missing"
set ylabel "class missing"
set xlabel "class of the neighbour"
set yrange [n - 0.5:-0.5]
set xrange [-0.5:n - 0.5]
set palette defined (0 "#ffffff", 1 "#1b5e8c")
set cbrange [0:]
set colorbox user origin 0.935,0.28 size 0.015,0.58
set cblabel "queries"
set border 15
set autoscale cbmax
class(i) = system(sprintf("head -n 1 '%s' | cut -f%d", confusion, i + 1))
set xtics scale 0
set xtics ("" 0)
do for [i = 1:n] { set xtics add (class(i) 0 + i - 1) }
set ytics scale 0
plot for [i = 1:n] confusion skip 1 using (i - 1):0:(i - 1.5):(i - 0.5):($0 - 0.5):($0 + 0.5):(column(i + 1)):ytic(1) \
         with boxxyerror fillstyle solid fillcolor palette, \
     for [i = 1:n] '' skip 1 using (i - 1):0:(sprintf("%d", column(i + 1))):(shade(column(i + 1))) \
         with labels font ",11" tc rgb variable
unset multiplot
