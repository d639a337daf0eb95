#!/bin/bash
# sj-trials: what is drawn and heard, by songs whose stems are one tone each; sj-ratings: against NumPy; refusals.
# shellcheck disable=SC2016  # $ is for an inner shell
. tests/tap.sh
export PATH="$bin:$PATH" PYTHONPATH=$root/tests
python=/usr/bin/python3
cd "$dir" || exit 1
ok "songs of tones are made" "$python" "$root/tests/listen_make.py" tones 6 6
[ "$failed" -eq 0 ] || finish

# -- trials
trials() { nice sj-trials -q --retrieved tones.tsv "$@"; }
ok "a test" trials -n 6 --seconds 3 -o test tones
ok "has the stems that it should, as loud as they should be" "$python" "$root/tests/listen_check.py" test 6 3
is "$(find test | sort | sed 's/0[1-6]-.*-/N-/' | sort -u | tr '\n' ' ')" "test test/audio test/audio/01.js test/audio/02.js \
test/audio/03.js test/audio/04.js test/audio/05.js test/audio/06.js test/audio/N-mix.flac test/audio/N-random.flac \
test/audio/N-retrieved.flac test/audio/N-true.flac test/index.html test/trials.json test/webmushra.yaml " "and no other files"
ok "again, by one thread" trials -j 1 -n 6 --seconds 3 -o again tones
ok "is the same" diff -r test again
ok "more trials" trials -n 9 --seconds 3 -o again tones
: >again/audio/notes.flac && : >again/audio/07-mine.js && : >again/audio/08.js.tmpAbC123
ok "then fewer in the same folder" trials -n 6 --seconds 3 -o again tones
rm again/audio/notes.flac again/audio/07-mine.js
ok "leave nothing but what was never theirs" diff -r test again
ok "by another seed" trials --seed 7 -n 6 --seconds 3 -o seed tones
ok "is another" sh -c '! cmp -s test/trials.json seed/trials.json'
ok "neighbours as JSON, from a pipe" sh -c 'awk -F"\t" "NR > 1 { printf \"{\\\"query\\\":\\\"%s\\\",\\\"query_class\\\":\\\"%s\\\",\
\\\"rank\\\":%d,\\\"reference\\\":\\\"%s\\\",\\\"class\\\":\\\"%s\\\",\\\"distance\\\":%s,\\\"more\\\":%s}\n\", \$1, \$2, \$3, \$4, \$5, \$6, \$7 }" tones.tsv |
    sj-trials -q --retrieved - -n 6 --seconds 3 -o json tones'
ok "give the same" diff -r test json
json() { "$python" -c "import json, sys; t = json.load(open(sys.argv[1])); print($2)" "$1"; }
ok "excerpts longer than the songs" trials -n 4 --seconds 30 --per-listener 2 --listen 1.5 -o long tones
is "$(json long/trials.json 't["trials"][0]["seconds"], t["trials_per_listener"], t["listen_s"]')" "6.0 2 1.5" "are the whole songs"
is "$(grep -c 'type: mushra' test/webmushra.yaml) $(grep -c "configs/resources/$(json test/trials.json 't["test"]')/audio/.*flac'$" \
    test/webmushra.yaml)" "6 24" "webMUSHRA has the same trials"

# Silent stems: song 1's bass is what would be retrieved for song 0's, whose bass is the only query.
cp -r tones quiet
ok "silence" "$python" - <<'P'
import numpy as np
from listen_make import RATE, write
for song in (1, 3, 4, 5):
    write(f"quiet/song{song}/bass.wav", np.zeros((6 * RATE, 1)), RATE)
P
cp -r quiet softer && rm -r softer/song3 softer/song4 softer/song5
grep '^song0/bass' tones.tsv | sed '$s/1$/0/' >one.tsv
fails 3 "no query is left for trial 1 (bass)" "with no other stem that sounds there is no trial" \
    sj-trials -q --retrieved one.tsv -n 1 -o x softer
rm softer/song1/bass.wav && cp tones/song1/bass.wav softer/song1/bass.wav
ok "mono stays mono" sh -c 'for f in softer/*/*.wav; do ffmpeg -v error -y -i "$f" -ac 1 -ar 22050 m.wav && mv m.wav "$f"; done
    sj-trials -q --retrieved one.tsv -n 1 --seconds 2 -o mono softer'
is "$(json mono/trials.json '[t["trials"][0][k] for k in ("channels", "sample_rate_hz")]')" "[1, 22050]" "at the rate of the song"
cp -r tones mixed && ffmpeg -v error -y -i tones/song1/bass.wav -ar 48000 -ac 1 mixed/song1/bass.wav
ok "songs of several rates and channels" sj-trials -q --retrieved one.tsv -n 1 --seconds 2 -o mixed.test mixed
is "$(json mixed.test/trials.json '[t["trials"][0][k] for k in ("channels", "sample_rate_hz")]')" "[2, 44100]" "sound as the mix"
cp -r tones gap && cp quiet/song1/bass.wav gap/song1/bass.wav
ok "a silent stem that was retrieved" sj-trials -q --retrieved one.tsv -n 1 --seconds 2 -o gap.test gap
is "$(json gap.test/trials.json '[(v["song"], v["rank"]) for v in t["trials"][0]["versions"] if "rank" in v]')" "[('song2', 4)]" \
    "makes way for the next"
if command -v ffmpeg >/dev/null; then
    ffmpeg -nostats -i test/audio/01-bass-true.flac -af ebur128 -f null - 2>&1 | awk '/Summary/ { s = 1 } s && $1 == "I:" { print $2 }' >lufs
    gain=$(json test/trials.json 't["trials"][0]["gain_db"]')
    ok "ffmpeg finds -23 LUFS ($(cat lufs), gain $gain)" awk '{ exit !($1 > -23.35 && $1 < -22.65) }' lufs
fi

# -- refusals
trials_fail() { # status text name arguments
    local status=$1 text=$2 name=$3
    shift 3
    fails "$status" "$text" "$name" sj-trials -q "$@"
}
trials_fail 2 "wants -o DIR" "no folder" --retrieved tones.tsv tones
cp -r tones among
trials_fail 2 "the test would be made in 'among', which has songs" "among the songs" --retrieved tones.tsv -o among among
trials_fail 2 "wants --retrieved FILE" "no neighbours" -o x tones
trials_fail 2 "a listener cannot get 9 of 8 trials" "more trials for a listener than there are" --retrieved tones.tsv -n 8 \
    --per-listener 9 -o x tones
trials_fail 3 "6 queries for bass where 15 trials of the 60 (-n) want one" "too few queries" --retrieved tones.tsv -o x tones
sed '3s/song0/song9/' tones.tsv >key.tsv
trials_fail 3 "'key.tsv': line 3: no song given has the key 'song9'" "an unknown song" --retrieved key.tsv -n 4 -o x tones
sed '3s/\tbass/\tflute/' tones.tsv >class.tsv
trials_fail 3 "'class.tsv': line 3: the songs have no class 'flute'" "an unknown class" --retrieved class.tsv -n 4 -o x tones
sed '3s/bass\tbass/bass\t-/' tones.tsv >none.tsv
trials_fail 3 "'none.tsv': line 3: 'song0/bass' has no class" "a query without class" --retrieved none.tsv -n 4 -o x tones
grep -P '^query|^song\d/bass\tbass\t[12]\t' tones.tsv | sed '$s/1$/0/' >own.tsv
trials_fail 3 "has no neighbour of the query's class from another song" "the own song only" --retrieved own.tsv -n 1 -o x tones
cp -r tones broken && head -c 60000 tones/song3/drums.wav >broken/song3/drums.wav
trials_fail 3 "'broken/song3/drums.wav' is cut short" "a broken song" --retrieved tones.tsv -n 24 --seconds 1 -o x broken
ok "nothing says that the folder is complete" test ! -e x/index.html
sj-trials --keep-going --retrieved tones.tsv -n 8 --seconds 1 --seed 3 -o kept broken 2>kept.err
is "$? $(grep "skipped: 'broken/song3/drums.wav'" kept.err | sort -u | wc -l) $(json kept/trials.json \
    'sum(t["mix"]["song"] == "song3" for t in t["trials"])')" "1 1 0" "may be passed over"
is "$(grep -c "skipped: 'broken" kept.err) $(tail -n 1 kept.err)" "1 sj-trials: 1 input skipped" "counted once, in however many trials it is missed"

# -- ratings
cat >made.py <<'P'
import random
random.seed(3)
for l in range(7):
    with open(f"r{l}.csv", "w") as f:
        f.write("test,listener,trial,class,condition,rating,position,version,heard_s,trial_s\n")
        for c in ("bass", "drums", "vocals"):
            for t in range(3):
                for v, m in (("random", 30), ("true", 75), ("retrieved", 52)):
                    x = max(0, min(100, round(random.gauss(m, 18) + 3 * l)))
                    f.write(f"abc,l{l},{c}{t},{c},{v},{x},1,A,3.0,20.0\n")
P
cat >check.py <<'P'
# check.py SUMMARY BOXES TESTS LISTENERS: what sj-ratings printed of r*.csv is what NumPy makes of them
import csv
import glob
import itertools
import sys
import numpy as np

rows = [r for p in sorted(glob.glob("r?.csv")) for r in csv.DictReader(open(p))]
tables = [list(csv.DictReader(open(p), delimiter="\t")) for p in sys.argv[1:5]]
conditions, classes = ["true", "retrieved", "random"], ["bass", "drums", "vocals", "all"]
order = [(c, v) for c in classes for v in conditions]

def chosen(c, v):
    return np.array([float(r["rating"]) for r in rows if c in (r["class"], "all") and r["condition"] == v])

def near(row, **want):
    for name, value in want.items():
        assert abs(float(row[name]) - value) <= 1e-5 * max(1, abs(value)), (row, name, value)

for table in tables[:2] + tables[3:]:
    assert [(r["class"], r["condition"]) for r in table] == order
for row, wide, (c, v) in zip(tables[0], tables[3], order):
    x = chosen(c, v)
    q = np.percentile(x, [25, 50, 75])
    near(row, ratings=len(x), listeners=7, mean=x.mean(), lower_quartile=q[0], median=q[1], upper_quartile=q[2])
    half = 1.96 * x.std() / len(x) ** 0.5
    assert abs(float(row["mean_high"]) - float(row["mean_low"]) - 2 * half) < 0.2 * half, (row, half)
    assert abs(float(row["mean_high"]) + float(row["mean_low"]) - 2 * x.mean()) < 0.3 * half
    per = np.array([[float(r["rating"]) for r in rows if c in (r["class"], "all") and r["condition"] == v
                     and r["listener"] == f"l{l}"] for l in range(7)])
    half = 1.96 * per.mean(1).std() / 7 ** 0.5
    assert abs(float(wide["mean_high"]) - float(wide["mean_low"]) - 2 * half) < 0.25 * half, (wide, half)
for row, (c, v) in zip(tables[1], order):
    x = np.sort(chosen(c, v))
    q = np.percentile(x, [25, 50, 75])
    reach = 1.5 * (q[2] - q[0])
    inside = x[(x >= q[0] - reach) & (x <= q[2] + reach)]
    out = [k for k in x if k not in inside]
    near(row, low=inside[0], lower_quartile=q[0], median=q[1], upper_quartile=q[2], high=inside[-1], mean=x.mean())
    assert ([] if row["outliers"] == "-" else [float(k) for k in row["outliers"].split(" ")]) == out, (row, out)

def wilcoxon(d):
    """W and the exact two-sided p, by the distribution of the sum of twice the ranks."""
    d = d[d != 0]
    a = np.abs(d)
    rank = np.array([(a < k).sum() + ((a == k).sum() + 1) / 2 for k in a])
    w = rank[d > 0].sum()
    ways = {0: 1}
    for r in rank:
        new = dict(ways)
        for s, n in ways.items():
            new[s + round(2 * r)] = new.get(s + round(2 * r), 0) + n
        ways = new
    all_ways = 2 ** len(d)
    low = sum(n for s, n in ways.items() if s <= 2 * w) / all_ways
    high = sum(n for s, n in ways.items() if s >= 2 * w) / all_ways
    return len(d), w, min(1, 2 * min(low, high))

value = {(r["listener"], r["trial"], r["condition"]): float(r["rating"]) for r in rows}
pairs = list(itertools.combinations(conditions, 2))
assert [(r["class"], r["first"], r["second"]) for r in tables[2]] == [(c, *p) for c in classes for p in pairs]
for c in classes:
    found = [r for r in tables[2] if r["class"] == c]
    ps = []
    for row, (a, b) in zip(found, pairs):
        keys = sorted({(r["listener"], r["trial"]) for r in rows if c in (r["class"], "all")})
        d = np.array([value[(*k, a)] - value[(*k, b)] for k in keys])
        near(row, pairs=len(d), mean_difference=d.mean(), median_difference=np.median(d))
        ps.append(float(row["wilcoxon_p"]))
        if len(d) <= 50:
            n, w, p = wilcoxon(d)
            near(row, wilcoxon_n=n, wilcoxon_w=w)
            assert abs(float(row["wilcoxon_p"]) / p - 1) < 1e-4, (row, p)
    order_p = np.argsort(ps)
    most = 0
    for i, k in enumerate(order_p):
        most = max(most, min(1, (3 - i) * ps[k]))
        assert abs(float(found[k]["holm_p"]) / most - 1) < 1e-4
P
"$python" made.py
ok "the summary" sj-ratings -o summary.tsv r?.csv
ok "listeners drawn anew" sj-ratings --resample listeners -o wide.tsv r?.csv
ok "boxes" sj-ratings --boxes -o boxes.tsv r?.csv
ok "tests" sj-ratings --tests -o tests.tsv r?.csv
ok "are NumPy's" "$python" check.py summary.tsv boxes.tsv tests.tsv wide.tsv
ok "another seed" sh -c 'sj-ratings --seed 1 r?.csv >seed.tsv; ! cmp -s seed.tsv summary.tsv && cut -f 1-5,8- seed.tsv >a &&
    cut -f 1-5,8- summary.tsv | cmp - a'
ok "JSON" sh -c 'sj-ratings --boxes --json r?.csv | '"$python"' -c "import json, sys
r = [json.loads(l) for l in sys.stdin]
assert len(r) == 12 and isinstance(r[0][\"outliers\"], list) and r[0][\"class\"] == \"bass\""'
# As spreadsheets write: a mark at the beginning, CR LF, quotes, other columns in another order.
{ printf '\357\273\277rating,"class",note,test,listener,trial,condition\r\n'
    sed 1d r0.csv | awk -F, '{ printf "%s,%s,\"a \"\"note\"\", with a comma\",%s,%s,%s,\"%s\"\r\n", $6, $4, $1, $2, $3, $5 }'; } >odd.csv
ok "a file as spreadsheets write" sh -c 'sj-ratings odd.csv >a; sj-ratings r0.csv | cmp - a'
{ echo '"session_test_id","session_uuid","trial_id","rating_stimulus","rating_score","rating_time","rating_comment"'
    sed 1d r0.csv | awk -F, '{ print $1 "," $2 "," $4 "-" $3 "," $5 "," $6 ",1000," }'
    echo 'abc,l0,bass-bass0,reference,0,900,'; } >mushra.csv
ok "webMUSHRA's file" sh -c 'sj-ratings mushra.csv >a; sj-ratings r0.csv | cmp - a'
ok "figure 3" gnuplot -e "data='boxes.tsv'; out='figure3.svg'" "$root/pipelines/figure3.gp"
is "$(grep -c '<svg' figure3.svg) $(wc -c <err)" "1 0" "is drawn without complaint"
awk -F '\t' -v OFS='\t' "NR > 1 { \$1 = \"'; touch drawn; '\"; \$2 = \"\\\$(touch drawn)\" \$2 } 1" boxes.tsv >bad.tsv
ok "figure 3 of names that look like commands" gnuplot -e "data='bad.tsv'; out='bad.svg'" "$root/pipelines/figure3.gp"
ok "runs none of them" test ! -e drawn

# bad NAME TEXT EDIT: an edited r0.csv is refused in so many words, after the name of the file and the line
bad() {
    sed "$3" r0.csv >bad.csv
    fails 3 "'bad.csv': $2" "$1" sj-ratings r1.csv bad.csv
}
bad "a column is missing" "line 1: no column 'rating'" '1s/rating/ranking/'
bad "fields are missing" "line 5: 9 fields where the first line has 10" '5s/,[^,]*$//'
bad "a rating above 100" "line 4: rating" '4s/,true,[0-9]*,/,true,101,/;4s/,retrieved,[0-9]*,/,retrieved,101,/'
bad "no number" "line 3: rating" '3s/,true,[0-9]*,/,true,good,/'
bad "not a number" "line 3: rating" '3s/,true,[0-9]*,/,true,nan,/'
bad "a class 'all'" "line 2: has a class 'all'" '2s/^\([^,]*,[^,]*,[^,]*\),[^,]*/\1,all/'
bad "no rating" "line 3: the rating is missing" '3s/,true,[0-9]*,/,true,,/'
bad "no listener" "line 3: the listener is missing" '3s/,l0,/,,/'
bad "another test" "line 6: ratings of the test 'abd' beside those of 'abc'" '6s/abc/abd/'
bad "rated twice" "line 3: rates again what this listener rated before" '3s/,true,/,random,/'
bad "a trial of two classes" "line 3: gives the trial another class than before" '3s/bass,/drums,/'
bad "an open quote" "line 3: has a quote that does not end its field" '3s/true/"true/'
bad "a quote that goes on" "line 3: has a quote that does not end its field" '3s/true/"true"e/'
bad "another line of names" "line 1: no column 'test'" '2,$d;1s/test/tst/'
bad "a column twice" "line 1: more than one column 'rating'" '1s/position/rating/'
bad "a rating in hexadecimal" "line 3: rating" '3s/,true,[0-9]*,/,true,0x10,/'
head -c -1 r0.csv >bad.csv
fails 3 "'bad.csv': line $(wc -l <r0.csv): is cut short" "a last line without its end" sj-ratings bad.csv
head -n 1 r0.csv >bad.csv
fails 3 "'bad.csv' has no ratings" "no ratings" sj-ratings bad.csv
fails 3 "line 2: rates again what this listener rated before" "the same file twice" sj-ratings r0.csv r0.csv
head -c 300 /dev/zero >bad.csv
fails 3 "'bad.csv': line 1: is no text" "bytes" sj-ratings bad.csv
fails 2 "--boxes and --tests exclude each other" "two tables" sj-ratings --boxes --tests r0.csv
fails 2 "--seed does nothing with --boxes" "an option without effect" sj-ratings --boxes --seed 3 r0.csv
finish
