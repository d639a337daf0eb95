# note.awk -v songs=SONGS.tsv -v left=LEFT-OUT [-v unlisted=LEFT-OUT] [ABOUT...]: the footer of a table: how many songs, which
# were left out, why; the lines of ABOUT as they are. unlisted: what is not among the songs at all [SONGS.tsv.left-out].
BEGIN {
    FS = "\t"
    while ((getline line <songs) > 0) n++
    while (left != "" && (getline line <left) > 0) {
        split(line, field, "\t")
        if (field[1] == "-" || !(field[1] in seen)) gone++
        seen[field[1]]
        reason[++lines] = (field[1] == "-" ? "" : field[1] ": ") field[2]
    }
    n -= gone
    if (unlisted == "") unlisted = songs ".left-out"
    while ((getline line <unlisted) > 0) {
        split(line, field, "\t")
        gone++
        reason[++lines] = field[2]
    }
    printf "%d songs", n
    if (gone) printf "; %d left out", gone
    print ""
    for (i = 1; i <= lines; i++) print "left out: " reason[i]
}
{ print }
