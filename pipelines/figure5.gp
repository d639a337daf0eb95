# figure5.gp: gnuplot -e "data='...'; names='...'; out='...'; what=7" figure5.gp   keys and chords that share clusters
# what: 7, how often; 8, how alike their shares of the clusters are, which does not depend on how frequent they are
set terminal svg size 1060,980 font "sans,13" background "white" noenhanced
set output out
set datafile separator "\t"
stats names using 1 nooutput
n = int(STATS_max)
set lmargin at screen 0.13
set rmargin at screen 0.87
set tmargin at screen 0.94
set bmargin at screen 0.14
set title what == 7 ? "co-occurrences: tokens of both combinations of key and chord in the same cluster" \
                      : "similarity of the shares that combinations of key and chord have of the clusters"
set palette defined (0 "#ffffff", 1 "#cfe1ef", 2 "#6fb1de", 3 "#1b5e8c", 4 "#0b2c47")
if (what == 7) { set logscale cb }
set xrange [0.5:n + 0.5]
set yrange [n + 0.5:0.5]
set tics scale 0 textcolor rgb "black"
set border 15 lc rgb "#999999"
small = n > 40 ? ",7" : ",10"
set xtics rotate by 90 right font small textcolor rgb "black"
set ytics font small textcolor rgb "black"
set cbtics textcolor rgb "black"
set xtics ("" 0)
set ytics ("" 0)
do for [i = 1:n] {
    label = system(sprintf("sed -n %dp '%s' | cut -f2", i, names))
    set xtics add (label 0 + i)
    set ytics add (label 0 + i)
}
unset key
plot data skip 1 using 2:1:(column(2) - 0.5):(column(2) + 0.5):(column(1) - 0.5):(column(1) + 0.5):(column(what) > 0 ? column(what) : NaN) \
     with boxxyerror fillstyle solid noborder fillcolor palette
