#!/bin/sh
# sj-page: what is in its pages, against the inputs read independently; which pairs are chosen; refusals. What browsers
# make of the pages is for figure4_page.t.
# shellcheck disable=SC2016  # $ is for an inner shell
. tests/tap.sh
page=$bin/sj-page
python=/usr/bin/python3
cd "$dir" || exit 1
"$bin/sj-synth" -q -n 3 --seconds 11 --folder songs || exit 1
"$bin/sj-chunk" -q --stems --mixes songs >songs.sjt || exit 1
awk 'BEGIN {
    OFS = "\t"
    print "query", "class", "lag_s", "similarity", "frames"
    n = split("bass drums other vocals", class, " ")
    for (t = 0; t < 3; t++)
        for (k = 1; k <= 4; k++)
            for (j = -2; j <= 2; j++)
                print "synth-0-00000" t "/" class[k], class[k], j * 0.16, j == 2 ? "-" : (t + k / 10 - 2) / 2, j == 2 ? 0 : 9
    print "all", "-", 0, 0.25, 108
    print "random", "-", "-", -0.125, 7
}' >curves.tsv
cat >check.py <<'E1'
import base64, html.parser, json, sys, wave
import numpy as np

CLASSES = ["bass", "drums", "other", "vocals"]

class Scripts(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.name, self.found = None, {}
        self.feed(text)
    def handle_starttag(self, tag, attributes):
        self.name = dict(attributes).get("id") if tag == "script" else None
    def handle_data(self, data):
        if self.name:
            self.found[self.name] = self.found.get(self.name, "") + data
    def handle_endtag(self, tag):
        self.name = None

path, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
found = Scripts(open(path).read()).found
data = json.loads(found["curves"])
assert len(data["pairs"]) == count and data["pairs_in_all"] == 12 and data["random"] == -.125
assert data["all"]["lag"] == [0] and data["all"]["similarity"] == [.25]
names = [p["query"] for p in data["pairs"]]
assert names == sorted(set(names))
for i, p in enumerate(data["pairs"]):
    t, k = int(p["query"].split("/")[0][-1]), CLASSES.index(p["class"]) + 1
    assert p["query"].endswith("/" + p["class"]) and p["frames"] == [9, 9, 9, 9, 0]
    np.testing.assert_allclose(p["lag"], np.arange(-2, 3) * .16, atol=1e-9)
    assert p["similarity"][4] is None
    np.testing.assert_allclose(p["similarity"][:4], (t + k / 10 - 2) / 2, atol=1e-9)
    part = {"mix": 0}
    for name in CLASSES:
        with wave.open("songs/" + p["query"].split("/")[0] + "/" + name + ".wav") as w:
            assert w.getsampwidth() == 2 and w.getframerate() == p["rate_hz"]
            x = np.frombuffer(w.readframes(w.getnframes()), "<i2")
        if name == p["class"]:
            part["stem"] = x
        else:
            part["mix"] = part["mix"] + x.astype(int)
    part["mix"] = np.clip(part["mix"], -32768, 32767)
    stem, n = part["stem"].astype(float), min(len(part["stem"]), int(seconds * 16000))
    starts = np.arange(0, len(stem) - n + 1, 1600)
    energy = np.concatenate([[0], np.cumsum(stem ** 2)])
    best = starts[np.argmax(energy[starts + n] - energy[starts])]
    assert abs(p["start_s"] * 16000 - best) < 1e-6 and abs(p["seconds"] * 16000 - n) < 1e-6, (p["start_s"], best / 16000)
    for role in part:
        got = np.frombuffer(base64.b64decode(found[f"{role}-{i}"], validate=True), "<i2")
        np.testing.assert_array_equal(got, part[role][best:best + n])
print(" ".join(n.split("/")[0][-1] + n.split("/")[1][0] for n in names))
E1
# shellcheck disable=SC2317
checked() { "$page" --curves curves.tsv "$@" -o page.html songs.sjt && "$python" check.py page.html "$n" "$seconds"; }
n=8 seconds=40
ok "curves and sounds are those of the inputs" checked
n=2 seconds=3.5
ok "two of twelve pairs, three and a half seconds" checked -n 2 --seconds 3.5
is "$(cat out)" "0b 2d" "of two tracks, of two classes"
n=3 seconds=2
ok "three" checked -n 3 --seconds 2
is "$(cat out)" "0b 1d 2o" "one of each track"
n=5
ok "five" checked -n 5 --seconds 2
is "$(cat out)" "0b 0d 1d 1o 2o" "then others of the first tracks"
n=12
ok "all" checked -n 100 --seconds 2
ok "the same from standard input" sh -c '"$0" --curves curves.tsv -n 100 --seconds 2 <songs.sjt | cmp - page.html' "$page"
sed 's/synth-0-000000/<\/script>/' curves.tsv >odd.tsv
fails 3 "no sound of '</script>/bass' (bass) with the role rest" "a name that is in no stream" "$page" --curves odd.tsv songs.sjt

# refusals
"$bin/sj-chunk" -q --stems songs >stems.sjt
"$bin/sj-chunk" -q --pairs -n 1 songs >pairs.sjt 2>/dev/null || "$BUILD/tests/make_stream" pair 1 >pairs.sjt
fails 2 "either --curves or --report" "nothing asked for" "$page"
fails 2 "either --curves or --report" "both asked for" "$page" --curves curves.tsv --report .
fails 2 "neither streams nor --curves" "a report of streams" "$page" --report . songs.sjt
fails 2 "neither -n nor --seconds" "a report of a number of pairs" "$page" --report . -n 3
fails 2 "both be read from standard input" "curves and sounds from one place" "$page" --curves -
fails 4 "nowhere" "no curves" "$page" --curves nowhere songs.sjt
fails 3 "with the role rest" "no rests" "$page" --curves curves.tsv stems.sjt
fails 3 "pairs" "training pairs" "$page" --curves curves.tsv pairs.sjt
off() { # NAME TEXT SED
    sed "$3" curves.tsv >off.tsv
    fails 3 "$2" "$1" "$page" --curves off.tsv songs.sjt
}
off "no column of lags" "no column 'lag_s'" '1s/lag_s/lag/'
off "a lag that is none" "line 3" '3s/-0.16/x/'
off "a similarity beyond 1" "line 4" '4s/-0.95/1.95/'
off "a similarity without frames" "line 6" '6s/-	0$/-	1/'
off "lags that do not ascend" "line 4: the lag does not ascend" '4s/	0	/	-1	/'
off "a pair that comes again" "line 8: 'synth-0-000000/bass' (bass) came before" '8s/drums/bass/g'
off "no pairs" "has no pair's curve" '2,61d'
head -n 50 curves.tsv >off.tsv
fails 3 "'off.tsv' is cut short: it has no curve of all pairs" "the first lines alone" "$page" --curves off.tsv songs.sjt

# reports
mkdir results
mkdir over
printf 'a\tb\n1\t2\n' >over/table1.tsv
cp over/table1.tsv kept.tsv
fails 2 "would replace 'over/table1.tsv'" "a report over a table that it shows" \
    "$page" --report over -o over/table1.tsv
ok "which is still there" cmp over/table1.tsv kept.tsv
ok "a report beside its tables" "$page" --report over -o over/index.html
ok "once more" "$page" --report over -o over/index.html
is "$("$page" --report results | grep -c 'class="gap"')" 6 "an empty folder: six sections are absent"
printf 'a\tb\n1\t2\n' >results/table1-second.tsv
cp results/table1-second.tsv results/table1.tsv
cp results/table1.tsv results/table10.tsv
printf 'x' >results/figure2.png
fails 3 "figure2.png' is no PNG" "a figure that is none" "$page" --report results
printf '\211PNG\r\n\032\n' >results/figure2.png
fails 3 "figure2.png' is no PNG, or cut short" "one that is cut short" "$page" --report results
printf '\211PNG\r\n\032\n\0\0\0\0IEND\256\102\140\202' >results/figure2.png
ok "a report" "$page" --report results -o report.html
is "$(grep -c '<table>' report.html)" 2 "its tables, and no others"
is "$(grep -o '<h3>.*</h3>' report.html)" "<h3>second</h3>" "the second has its name"
is "$(awk '/<h3>/ { after = 1 } /<table>/ && !after { n++ } END { print n }' report.html)" 1 "and comes after the first"
is "$(grep -c 'image/png;base64,iVBORw0KGgoAAAAASUVORK5CYII=' report.html)" 1 "a figure"
printf '<svg><g>' >results/figure2.svg
fails 3 "figure2.svg' is no SVG, or cut short" "an SVG that is cut short" "$page" --report results
printf '<svg></svg>\n' >results/figure2.svg
is "$("$page" --report results | grep -o 'data:image[^"]*')" "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4K" "an SVG comes before a PNG"
echo 'seen <twice>?' >results/figure2.txt
is "$("$page" --report results | grep -c 'seen &#60;twice&#62;?</p>')" 1 "a note"
{ printf 'a\n' && seq 21; } >results/table1-more.tsv
{ printf 'a\n' && seq 101; } >results/table1-most.tsv
is "$("$page" --report results | grep -o '<summary>21 rows\|<p><a href="table1-most.tsv">table1-most.tsv</a>: 101 rows')" \
    "<summary>21 rows
<p><a href=\"table1-most.tsv\">table1-most.tsv</a>: 101 rows" "long tables"
printf 'a\tb\n1\n' >results/table3.tsv
fails 3 "table3.tsv': line 2" "a table that is damaged" "$page" --report results
rm results/table3.tsv
printf 'name\tworth\nx\ty\n' >results/provenance.tsv
fails 3 "no column 'value'" "a provenance without values" "$page" --report results
fails 4 "nowhere" "no folder" "$page" --report nowhere

# markdown
printf 'row\tn\tR@1\nall|x\t12\t3.5\nc\\\\d\\te\t-\t-\n' >t.tsv
awk -f "$root/pipelines/markdown.awk" t.tsv >t.md
printf '%s\n' '| row    |   n | R@1 |' '| ------ | --: | --: |' '| all\|x |  12 | 3.5 |' '| c\\d e |   - |   - |' >want.md
ok "a table as Markdown" cmp t.md want.md
printf 'a\tb\n1\n' >t.tsv
fails 3 "line 2 has 1 fields" "and none of a damaged one" awk -f "$root/pipelines/markdown.awk" t.tsv
finish
