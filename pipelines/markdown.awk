# markdown.awk TABLE.tsv: a table with its line of names as Markdown; columns of numbers are aligned to the right.
# \t, \n and \\ in fields stand for tab, newline and backslash (schemas/reports.md); "-" is a field without a value.
function plain(s,    out, c, i) {
    if (!index(s, "\\") && !index(s, "|")) return s
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c == "\\") {
            c = substr(s, ++i, 1)
            c = c == "t" || c == "n" ? " " : c
            if (c == "\\") c = "\\\\"
        }
        out = out (c == "|" ? "\\|" : c)
    }
    return out
}
function line(row,    i, gap, s) {
    s = "|"
    for (i = 1; i <= columns; i++) {
        gap = sprintf("%" (width[i] - length(cell[row, i])) "s", "")
        s = s " " (number[i] ? gap cell[row, i] : cell[row, i] gap) " |"
    }
    return s
}
BEGIN { FS = "\t" }
NR == 1 { columns = NF }
NF != columns {
    printf "markdown.awk: %s: line %d has %d fields where the first names %d\n", FILENAME, FNR, NF, columns >"/dev/stderr"
    off = 1
    exit 3
}
{
    for (i = 1; i <= columns; i++) {
        cell[NR, i] = plain($i)
        if (length(cell[NR, i]) > width[i]) width[i] = length(cell[NR, i])
        if (NR == 1 || $i == "-") continue
        if ($i ~ /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/) numbers[i]++
        else texts[i]++
    }
}
END {
    if (off) exit 3
    if (!NR) {
        print "markdown.awk: the table is empty" >"/dev/stderr"
        exit 3
    }
    for (i = 1; i <= columns; i++) {
        number[i] = numbers[i] && !texts[i]
        if (width[i] < 3) width[i] = 3
    }
    print line(1)
    rule = "|"
    for (i = 1; i <= columns; i++) {
        dashes = sprintf("%" (width[i] - number[i]) "s", "")
        gsub(" ", "-", dashes)
        rule = rule " " dashes (number[i] ? ":" : "") " |"
    }
    print rule
    for (r = 2; r <= NR; r++) print line(r)
}
