# listening_page.py FOLDER DOWNLOADS SCREENS: the page of a listening test of 16 trials in FOLDER, answered by script.
# Leaves the ratings in DOWNLOADS and in DOWNLOADS/expected what they must be: lines "trial condition rating".
import csv
import glob
import io
import os
import shutil
import sys
import time

from browser import Browser, Tap

folder, downloads, screens = sys.argv[1:4]
page = os.path.join(folder, "index.html")
tap = Tap()
CURRENT = "state.trials[state.at]"


def listen(b, sounds="0123", seconds=0.2):
    for i in sounds:
        b.keys(i)
        b.wait(f"{CURRENT}.heard[{i}] >= {seconds}")


def rate(b, expected):
    """Rates by keys, from 50: the true version 80 and some, the retrieved 51, the random 20."""
    trial, order = b.js(f"[{CURRENT}.trial, {CURRENT}.order]")
    for slot, condition in enumerate(order):
        b.keys(str(slot + 1))
        more = int(trial) % 5 if condition == "true" else 0
        if condition == "retrieved":
            b.keys("ARROW_RIGHT")
            value = 51
        else:
            b.keys(*3 * ["ARROW_RIGHT" if condition == "true" else "ARROW_LEFT"], shift=True)
            if more:
                b.keys(*more * ["ARROW_UP"])
            value = 80 + more if condition == "true" else 20
        tap.same(b.text(f"#value{slot}"), str(value), f"trial {trial}: {condition} rated by keys")
        expected[(trial, condition)] = value


def refusals(b):
    """Nothing may be rated before all four sounds were heard."""
    b.keys("1")
    b.wait("player.playing")
    b.keys("ARROW_RIGHT")
    tap.same(b.text("#value0"), "–", "a rating before listening is refused")
    tap.ok("Still to be heard" in b.text("#status"), "and the page says what is missing", b.text("#status"))
    b.js("document.querySelector('.version input').click()")
    tap.same(b.js(f"{CURRENT}.rating"), [None] * 3, "by the mouse, too")
    b.keys("ENTER")
    tap.ok(b.text("#count") == "Trial 1 of 12" and b.js("document.querySelector('#next').disabled"), "no going on")
    listen(b, "12")
    tap.ok(b.js("[...document.querySelectorAll('.version input')].every(s => s.disabled)"),
           "two of four are not enough")
    b.screenshot("listening-trial-begun")
    listen(b, "30")
    b.wait("[...document.querySelectorAll('.version input')].every(s => !s.disabled)")
    tap.ok("Now rate: A, B and C" in b.text("#status"), "all four are", b.text("#status"))
    b.keys("ENTER")
    tap.same(b.text("#count"), "Trial 1 of 12", "no going on without ratings")


def sounds(b):
    """What is heard: one of four that run in step."""
    tap.same(b.js("player.context.state"), "running", "the sound runs")
    before, after = b.js("(() => { const p = player.position(); listen(2); return [p, player.position()]; })()")
    tap.ok(abs(before - after) < 0.02, "switching keeps the place", (before, after))
    b.js("(window.meters = player.gains.map(g => { const m = new AnalyserNode(player.context, {fftSize: 2048}); "
         "g.connect(m); return m; })).length")
    peak = ("meters.map(m => { const x = new Float32Array(2048); m.getFloatTimeDomainData(x); "
            "return x.reduce((a, v) => Math.max(a, Math.abs(v)), 0) > 1e-3; })")
    time.sleep(0.3)
    tap.same(b.js(peak), [False, False, True, False], "one of the four is heard")
    b.keys("0")
    time.sleep(0.2)
    tap.same(b.js(peak), [True, False, False, False], "then another")
    tap.ok(b.js("player.sources.every(s => s.loop) && new Set(player.buffers.map(x => x.length)).size === 1"),
           "all repeat, equally long")
    b.keys(" ")
    tap.ok(not b.js("player.playing") and b.text("#play") == "Play", "the space key pauses")
    b.pointer("#seek", b.js("document.querySelector('#seek').clientWidth") * 0.5, 16)
    place = b.js("player.position() / player.buffers[0].duration")
    tap.ok(0.48 < place < 0.52, "a click on the bar goes there", place)
    b.keys(" ")
    b.wait("player.playing")


def interrupt(b):
    """Closes the page in the middle of trial 6 and comes back."""
    listen(b, "01")
    before = b.js(f"[{CURRENT}.trial, {CURRENT}.order.join(), state.at]")
    b.reload()
    tap.same(b.text("#kept"), "5 of 12 trials are rated and kept", "after a reload the ratings are there")
    tap.same((b.text("#begin"), b.js("document.querySelector('#name').value")), ("Go on", "Anna B"), "and the name")
    b.screenshot("listening-again")
    b.click("#begin")
    b.wait("ready")
    tap.same(b.js(f"[{CURRENT}.trial, {CURRENT}.order.join(), state.at]"), before, "it goes on with the same trial")
    tap.ok(b.js("missing().join()") == "B,C", "what was heard counts", b.js("missing().join()"))
    listen(b, "23")


def finish(b, expected):
    b.wait("document.body.dataset.state === 'end'")
    text = b.js("document.querySelector('#csv').value")
    rows = list(csv.DictReader(io.StringIO(text)))
    tap.same({(r["trial"], r["condition"]): int(r["rating"]) for r in rows}, expected, "the ratings are those given")
    tap.same(sorted(r["class"] for r in rows), sorted(9 * ["bass", "drums", "other", "vocals"]),
             "3 trials of each class")
    tap.ok(len({r["test"] for r in rows}) == 1 and all(r["listener"].startswith("Anna_B-") for r in rows),
           "test and listener are named", rows[0])
    tap.ok(all(float(r["heard_s"]) >= 0.2 for r in rows), "all were heard")
    tap.ok(len({r["version"] for r in rows if r["condition"] == "true"}) > 1, "versions stand in random order")
    b.screenshot("listening-end")
    b.click("#save")
    end = time.monotonic() + 10
    while not glob.glob(downloads + "/*.csv") and time.monotonic() < end:
        time.sleep(0.05)
    files = glob.glob(downloads + "/*.csv")
    tap.ok(len(files) == 1 and open(files[0]).read() == text, "and saved as a file", files)
    b.reload()
    tap.same(b.js("document.querySelector('#csv').value"), text, "a reload does not lose them")
    b.click("#another")
    b.driver.switch_to.alert.accept()
    b.wait("document.body.dataset.state === 'start'")
    tap.ok(not b.visible("#anew") and b.js("localStorage.length") == 0, "the next listener begins anew")
    with open(downloads + "/expected", "w") as f:
        f.writelines(f"{t} {c} {v}\n" for (t, c), v in sorted(expected.items()))


def whole_test():
    expected = {}
    with Browser(screens=screens, downloads=downloads) as b:
        b.open(page)
        tap.same(b.text("#how-many"), "12", "12 of the 16 trials are for a listener")
        b.click("#name")
        b.keys(*"Anna B")
        b.screenshot("listening-start")
        b.click("#begin")
        b.wait("ready")
        drawn = b.js("state.trials.map(t => t.trial)")
        refusals(b)
        sounds(b)
        for n in range(12):
            b.wait(f"ready && state.at === {n}")
            if n == 5:
                interrupt(b)
            elif n:
                listen(b)
            rate(b, expected)
            if n == 6:
                b.screenshot("listening-trial-rated")
            b.keys("ENTER")
        finish(b, expected)
        b.click("#begin")
        b.wait("ready")
        tap.ok(b.js("state.trials.map(t => t.trial)") != drawn, "who gets other trials")
    tap.same(b.complaints, [], "the console is silent")
    tap.ok(not b.foreign and len(b.requests) > 12, "nothing is asked of the network", b.foreign)


def by_mouse():
    """On a dark, narrow screen; ratings by the mouse; two trials."""
    with Browser(size=(430, 900), dark=True, screens=screens) as b:
        b.open(page)
        b.screenshot("listening-start-dark", whole=True)
        b.click("#begin")
        b.wait("ready")
        listen(b)
        wide = b.js("document.querySelector('.version input').clientWidth")
        for slot, at in enumerate((0.5, 0.9, 0.1)):
            b.wait(f"!document.querySelector('input[data-slot=\"{slot}\"]').disabled")
            b.pointer(f"input[data-slot=\"{slot}\"]", wide * at, 10)
        got = b.js(f"{CURRENT}.rating")
        tap.ok(all(abs(g - w) < 8 for g, w in zip(got, (50, 90, 10))), "ratings by the mouse, the middle too", got)
        b.screenshot("listening-trial-dark", whole=True)
        b.click("#next")
        b.wait("state.at === 1 && ready")
        tap.same(b.js("document.scrollingElement.scrollWidth > innerWidth"), False, "fits a narrow screen")
    tap.same((b.complaints, b.foreign), ([], []), "nothing to complain about")


def lost_sounds():
    lonely = os.path.join(downloads, "lonely.html")
    shutil.copy(page, lonely)
    with Browser() as b:
        b.open(lonely)
        b.click("#begin")
        b.wait("document.querySelector('#status').innerText.includes('cannot be read')")
        tap.ok(b.js("document.querySelector('#play').disabled"), "a page without its sounds says so")


whole_test()
by_mouse()
lost_sounds()
tap.done()
