#!/bin/bash
# The page of a listening test in a browser: a whole test answered by script, its ratings analysed by sj-ratings;
# screenshots in $BUILD/screens.
. tests/tap.sh
python=/usr/bin/python3
export PYTHONPATH=$root/tests
cd "$dir" || exit 1
missing=$("$python" -c 'import browser; print(browser.missing() or "")')
if [ -n "$missing" ]; then
    skip "the page in a browser" "$missing"
    finish
fi
"$python" "$root/tests/listen_make.py" tones 6 3 &&
    "$bin/sj-trials" -q --retrieved tones.tsv -n 16 --seconds 2 --listen 0.2 -o test tones && mkdir saved || exit 1
"$python" "$root/tests/listening_page.py" test saved "$BUILD/screens" >page.tap 2>page.err
status=$?
sed '/^1\.\.[0-9]*$/d' page.tap
count=$(grep -c -e '^ok' -e '^not ok' page.tap) failed=$(grep -c '^not ok' page.tap)
count=$((count + 1))
if [ $status -eq $((failed > 0)) ] && grep -q '^1\.\.' page.tap; then
    echo "ok $count - the page was driven to its end"
else
    echo "not ok $count - the page was driven to its end: status $status"
    sed 's/^/# /' page.err
    failed=$((failed + 1))
fi

# mean CONDITION: of the ratings given; and of what sj-ratings says
ok "sj-ratings reads what was saved" "$bin/sj-ratings" -o ratings.tsv saved/*.csv
for condition in true retrieved random; do
    given=$(awk -v c=$condition '$2 == c { s += $3; n++ } END { printf "%d %.4g", n, s / n }' saved/expected)
    is "$(awk -F'\t' -v c=$condition '$1 == "all" && $2 == c { printf "%d %.4g", $3, $5 }' ratings.tsv)" "$given" \
        "number and mean of the $condition stems' ratings"
done
ok "and tests them" "$bin/sj-ratings" --tests -o tests.tsv saved/*.csv
is "$(awk -F'\t' '$1 == "all" && $2 == "true" && $3 == "random" { print $4, $9, $10 }' tests.tsv)" "12 12 78" "pair by pair"
finish
