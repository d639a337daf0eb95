# figure3.gp: gnuplot -e "boxes='...'; outliers='...'; out='...'" figure3.gp   ratings by class and condition, as box plots
set terminal svg size 900,460 font "sans,13" background "white" noenhanced
set output out
set datafile separator "\t"
set border 3
set tics nomirror
set xtics scale 0
set grid ytics lc rgb "#dddddd"
set yrange [-2:102]
set ytics 0, 20, 100
set ylabel "how well the stem fits [0 to 100]"
set boxwidth 0.22
set style fill solid 0.75 border lc rgb "#333333"
set bmargin at screen 0.17
set key at screen 0.54, screen 0.06 center horizontal Left reverse samplen 1.5 width 3
classes = int(system("cut -f9 '" . boxes . "' | uniq | wc -l"))
set xrange [-0.6:classes - 0.4]
set xtics ("" 0)
do for [i = 1:classes] {
    set xtics add (system(sprintf("cut -f9 '%s' | uniq | sed -n %dp", boxes, i)) 0 + i - 1)
}
is(name) = strcol(8) eq name
plot for [i = 1:3] boxes using (is(word("true retrieved random", i)) ? $1 : NaN):3:2:6:5 with candlesticks whiskerbars 0.5 \
         lw 1 lc rgb word("#1b5e8c #d9772b #b9b9b9", i) title word("true retrieved random", i), \
     boxes using 1:4:4:4:4 with candlesticks lw 2 lc rgb "black" notitle, \
     boxes using 1:7 with points pt 2 ps 0.8 lw 1.5 lc rgb "black" title "mean", \
     outliers using 1:2 with points pt 6 ps 0.5 lc rgb "#555555" notitle
