# figure3.gp: gnuplot -e "data='...'; out='...'" figure3.gp   ratings of a listening test as box plots, by class
#
# data: what sj-ratings --boxes prints. A box reaches from quartile to quartile, its line is the median, the diamond the
# mean; whiskers as in the data, crosses are outliers. The last group holds all classes together.
set terminal svg size 900,460 font "sans,13" background "white" noenhanced
set output out
set datafile separator "\t"
set style fill solid 0.85 border lc rgb "#333333"
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set xtics scale 0
set ytics 20
set yrange [-4:104]
set ylabel "rating: how well the stem fits"
set bmargin 4.5
set key at graph 0.5, -0.12 center top horizontal Left reverse samplen 1.2 width 2

colours = "#2c7a4b #1b5e8c #b9b9b4"
names = system(sprintf("awk -F'\t' 'NR == 2 { c = $1 } NR > 1 && $1 == c { gsub(/ /, \"_\", $2); print $2 }' '%s'", data))
groups = int(system(sprintf("awk -F'\t' 'NR > 1 && !seen[$1]++ { n++ } END { print n }' '%s'", data)))
n = words(names)
set xrange [-0.6:groups - 0.4]
wide = 0.76 / n

# The rows are n for each class: row r (from 0) stands at class r / n, condition r mod n.
at(r) = int(r) / n + (int(r) % n - (n - 1) / 2.0) * 0.8 / n
is(r, k) = int(r) % n == k - 1
middle(r) = int(r) % n == n / 2
outlier(s, k) = k <= words(s) && s ne "-" ? real(word(s, k)) : NaN
most = int(system(sprintf("awk -F'\t' 'NR > 1 { k = split($10, x, \" \"); if (k > m) m = k } END { print m + 0 }' '%s'", data)))
set arrow from groups - 1.5, graph 0 to groups - 1.5, graph 1 nohead lc rgb "#bbbbbb"

plot for [k = 1:n] data using (is($0, k) ? at($0) : NaN):5:4:8:7:(wide) every ::1 with candlesticks \
         lc rgb word(colours, (k - 1) % 3 + 1) title word(names, k) whiskerbars 0.5, \
     for [k = 1:n] '' using (is($0, k) ? at($0) : NaN):6:6:6:6:(wide) every ::1 with candlesticks \
         lc rgb "#111111" lw 2 notitle, \
     '' using (at($0)):9 every ::1 with points pt 13 ps 0.7 lc rgb "#ffffff" notitle, \
     '' using (at($0)):9 every ::1 with points pt 12 ps 0.7 lc rgb "#111111" notitle, \
     for [k = 1:most] '' using (at($0)):(outlier(strcol(10), k)) every ::1 with points pt 2 ps 0.5 \
         lc rgb "#777777" notitle, \
     '' using (int($0) / n):(middle($0) ? -1000 : NaN):xtic(strcol(1)) every ::1 with points notitle
