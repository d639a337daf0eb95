#!/bin/sh
# The reader of sj-stream(5) reads what the programs write: keys, headers and every value.
. tests/tap.sh
make=$BUILD/tests/make_stream
sed -n '/stream_python.t/,/^\.Ed/{/^\./d;s/\\-/-/g;p;}' man/sj-stream.5 >"$dir/reader.py"
cd "$dir" || exit 1
lines=$(wc -l <reader.py)
is "$([ "$lines" -gt 5 ] && [ "$lines" -le 15 ] && echo yes)" yes "the reader has $lines lines"
cat >compare.py <<'E'
import sys
from reader import json, np, records
stream, lines = sys.argv[1:]
want = [json.loads(line) for line in open(lines)]
head, n = want.pop(0)["head"], 0
roles = ["mix", "stem", "rest", "prediction"]
for got_head, key, h, x in records(open(stream, "rb")):
    w = want[n]
    n += 1
    assert got_head == head and key == w["key"] and roles[h["role"]] == w["role"] and list(x.shape) == w["dims"]
    assert (None if h["class"] == 0xffff else head["classes"][h["class"]]) == w["class"] and h["number"] == n
    assert (h["position"], h["part"], h["last"]) == (w["position"], w["part"], w["last"]) and h["magic"] == b"SJT1"
    x = x / 32768 if x.dtype == np.int16 else x
    if x.dtype == np.uint16:
        x = (x.astype(np.uint32) << 16).view(np.float32)
    assert np.array_equal(x.astype(np.float64), np.array(w["values"], np.float64)), key
assert n == len(want) and n > 0
E
for form in "wave 1" "wave 1 i16" "mel 2" "mel 1 bf16" "token 2 f16" "track 3"; do
    # shellcheck disable=SC2086  # words
    "$make" $form >s.sjt && "$bin/sj-view" --json --values s.sjt >s.json
    ok "reads $form" /usr/bin/python3 compare.py s.sjt s.json
done
cat s.sjt s.sjt >two.sjt
echo 'from reader import records; assert len(list(records(open("two.sjt", "rb")))) == 12' >count.py
ok "reads two streams as one" /usr/bin/python3 count.py
echo 'import sys; from reader import records; list(records(open(sys.argv[1], "rb")))' >read.py
ok "reads a whole stream" /usr/bin/python3 read.py s.sjt
size=$(wc -c <s.sjt)
caught=0 tried=0
for cut in 0 1 127 128 200 $((size / 2)) $((size - 129)) $((size - 128)) $((size - 1)); do
    head -c "$cut" s.sjt >cut.sjt
    tried=$((tried + 1))
    /usr/bin/python3 read.py cut.sjt 2>err || caught=$((caught + 1))
done
is $caught $tried "fails where a stream is cut"
finish
