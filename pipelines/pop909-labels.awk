# pop909-labels.awk -v what=key|chords: annotations of POP909 (start, end, label) in the syntax of Isophonics
BEGIN { OFS = "\t" }
{ sub(/\r$/, "") }
NF != 3 || $1 + 0 > $2 + 0 {
    if (!NF) next
    print FILENAME ": line " FNR " is no start, end and label" >"/dev/stderr"
    exit 1
}
what == "chords" { print $1, $2, $3 }
what == "key" {
    split($3, part, ":")
    print $1, $2, "Key", part[1] ":" (part[2] ~ /^min/ ? "minor" : "major")
}
