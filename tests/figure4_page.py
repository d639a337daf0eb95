# figure4_page.py RESULTS CURVES.tsv SCREENS: drives the pages that figure4_page.t made.
import re
import sys
import time

from browser import Browser, Tap, missing

results, curves_tsv, screens = sys.argv[1:]
tap = Tap()

curves = {}
with open(curves_tsv) as f:
    next(f)
    for row in f:
        query, name, lag, value, _ = row.rstrip("\n").split("\t")
        curves.setdefault((query, name), {})[lag] = float(value)

# Every sound that starts, noted before it does; what is played is the page's.
WATCH = """(() => {
  const start = AudioBufferSourceNode.prototype.start;
  window.started = [];
  AudioBufferSourceNode.prototype.start = function (...args) {
    window.started.push({when: args[0], offset: args[1], seconds: args[2], rate: this.buffer.sampleRate,
      length: this.buffer.duration, state: this.context.state,
      peak: Math.max(...this.buffer.getChannelData(0).slice(0, 5e4))});
    return start.apply(this, args);
  };
  return 1;
})()"""


def number(text):
    return float(text.replace("\u2212", "-").replace("+", ""))


def ticks(b):
    """{lag: x} of the labels below the chart."""
    found = b.js("""[...document.querySelectorAll('#chart text')].map(t =>
        [t.textContent, +t.getAttribute('x'), +t.getAttribute('y'), t.getAttribute('text-anchor')])""")
    low = max(y for _, _, y, anchor in found if anchor == "middle") - 20
    return {number(t): x for t, x, y, a in found
            if a == "middle" and abs(y - low) < 2 and re.fullmatch(r"\S?[\d.]+", t)}


def place(b, curve, lag):
    """Where the curve has its value at a lag: x by the labels, y by the path's own points."""
    t = sorted(ticks(b).items())
    x = t[0][1] + (lag - t[0][0]) * (t[-1][1] - t[0][1]) / (t[-1][0] - t[0][0])
    d = b.js(f"document.querySelector('#chart [data-curve=\"{curve}\"]').getAttribute('d')")
    points = [tuple(map(float, p.split(" "))) for p in re.findall(r"[ML]([-\d.]+ [-\d.]+)", d)]
    return min(points, key=lambda p: abs(p[0] - x))


def read_tip(b):
    """(name, lag, value) that the box at the pointer says."""
    lines = b.text("#tip").split("\n")
    lag, value = re.fullmatch(r"(\S+) s: (\S+)", lines[1]).groups()
    return lines[0], number(lag), number(value)


def looks(b):
    b.open(results + "/figure4.html")
    tap.same(b.js("document.querySelectorAll('#chart .curve').length"), 7, "five pairs, the mean and the random level")
    names = b.js("[...document.querySelectorAll('#legend .name')].map(e => e.innerText)")
    tap.ok(len(names) == 7 and "bass" in names[0] and "Mean of 8 pairs" in names[5] and "0.1700" in names[6],
           "the legend names them", names)
    tap.same(sorted(ticks(b)), [-8, -6, -4, -2, 0, 2, 4, 6, 8], "the shifts below the chart")
    return [tuple(n.split("\n")[0].split(", ")) for n in names[:5]]


def reads(b, pairs):
    for curve in (0, 3):
        for lag in ("-4.16", "0.00", "3.20"):
            x, y = place(b, curve, float(lag))
            b.pointer("#chart", x, y, click=False)
            track, name = pairs[curve]
            want = f"{track}, {name}", float(lag), round(curves[track + "/" + name, name][lag], 4)
            tap.same(read_tip(b), want, f"the value of curve {curve} at {lag} s")
    x, y = place(b, "mean", 1.6)
    b.pointer("#chart", x, y, click=False)
    tap.same(read_tip(b)[::2], ("Mean of 8 pairs", round(curves["all", "-"]["1.60"], 4)), "the mean's value")
    b.screenshot("figure4-hover")


def hears(b, pairs):
    b.js(WATCH)
    for lag in (3.2, -4.16):
        b.js("window.started.splice(0)")
        x, y = place(b, 3, lag)
        b.pointer("#chart", x, y)
        b.wait("window.started.length === 2")
        mix, stem = b.js("window.started")
        tap.same([mix["state"], stem["state"]], ["running", "running"], f"a click at {lag} s: sound runs")
        tap.ok(abs(stem["offset"] - mix["offset"] - lag) < 1e-9 and min(stem["offset"], mix["offset"]) < 1e-9,
               "the stem is taken later by it, from where both begin", (mix, stem))
        tap.ok(mix["when"] == stem["when"] and mix["seconds"] == stem["seconds"] and
               abs(mix["seconds"] - (36 - abs(lag))) < 1e-6, "both begin and end together", (mix, stem))
        tap.ok(mix["rate"] == 16000 and mix["length"] == 36 and mix["peak"] > .01 and stem["peak"] > .01,
               "sounds of 36 s", (mix, stem))
        at = b.js("+document.querySelector('#position').value")
        b.wait("+document.querySelector('#position').value > arguments[0] + .3", 10, at)
        tap.ok(True, "the position moves on")
        says, where = b.text("#what"), f"{abs(lag):.2f} s " + ("later" if lag > 0 else "earlier")
        tap.ok(pairs[3][1] in says and where in says, "the page says what is heard", says)
        if lag > 0:
            b.screenshot("figure4-playing", whole=True)
            b.click("#toggle")
            tap.same(b.text("#toggle"), "Play", "and stops")
    # another shift of the same pair goes on from where it is
    b.js("window.started.splice(0)")
    at = b.js("+document.querySelector('#position').value")
    b.pointer("#chart", *place(b, 3, 0))
    b.wait("window.started.length === 2")
    mix, stem = b.js("window.started")
    tap.ok(at <= mix["offset"] and mix["offset"] == stem["offset"], "another shift goes on from there",
           (at, mix, stem))
    b.keys("ESCAPE")
    tap.same(b.text("#toggle"), "Play", "Escape stops")


def moves(b):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
    chart, before = b.find("#chart"), ticks(b)
    origin = ScrollOrigin.from_element(chart)
    ActionChains(b.driver).scroll_from_origin(origin, 0, -400).perform()
    zoomed = ticks(b)
    tap.ok(max(zoomed) < 6 and min(zoomed) > -6 and len(zoomed) > 3, "the wheel zooms", zoomed)
    box = chart.rect
    hand = ActionChains(b.driver).move_to_element(chart).click_and_hold()
    hand.move_by_offset(round(box["width"] / 5), 0).release().perform()
    moved = ticks(b)
    tap.ok(min(moved) < min(zoomed) and max(moved) < max(zoomed) + 1e-9, "dragging moves", (zoomed, moved))
    tap.same(b.text("#toggle"), "Play", "and plays nothing")
    b.screenshot("figure4-zoomed")
    b.click("#reset")
    tap.same(ticks(b), before, "the whole again")
    b.click("#legend li:nth-child(1) input")
    tap.same(b.js("getComputedStyle(document.querySelector('#chart [data-curve=\"0\"]')).display"), "none",
             "the legend hides a curve")
    b.click("#none")
    tap.same(b.js("document.querySelectorAll('#chart .curve:not(.off)').length"), 2, "all of them; the mean stays")
    b.click("#every")


def keyboard(b, pairs):
    b.js("window.started.splice(0)")
    b.js("document.querySelector('#chart').focus()")
    b.keys("ARROW_RIGHT", "HOME", "ARROW_RIGHT", "ARROW_RIGHT")
    name, lag, value = read_tip(b)
    track, of = pairs[0]
    tap.same((name, lag, value), (f"{track}, {of}", .32, round(curves[track + "/" + of, of]["0.32"], 4)), "arrows read")
    b.keys("ARROW_DOWN")
    tap.same(read_tip(b)[:2], (", ".join(pairs[1]), .32), "and change the curve")
    tap.ok(", ".join(pairs[1]) in b.text("#live"), "which is spoken", b.text("#live"))
    b.keys("ENTER")
    b.wait("window.started.length === 2")
    mix, stem = b.js("window.started")
    tap.ok(abs(stem["offset"] - mix["offset"] - .32) < 1e-9 and mix["state"] == "running", "Enter plays there",
           (mix, stem))
    b.keys("+", "+")
    tap.ok(max(ticks(b)) < 4, "+ zooms", ticks(b))
    b.keys("0", " ")
    tap.same((max(ticks(b)), b.text("#toggle")), (8, "Play"), "0 shows all, the space bar stops")


def report(b, name):
    b.open(results + "/report.html")
    b.screenshot(name, whole=True)
    tap.same(b.js("[...document.querySelectorAll('section.absent')].map(e => e.id)"), ["figure5", "table3"],
             "absent sections")
    tap.same(b.js("[...document.querySelectorAll('#table1 tr')].map(r => [...r.children].map(c => c.innerText))"),
             [["row", "recall@1 %", "paper <b>"], ["ours", "12.50", "33.0"], ["not made", "absent", "-"]],
             "the table")
    tap.same(b.text("#table1 .note"), "2 songs left out & counted", "its note")
    tap.same(b.js("document.querySelector('#figure2 img').naturalWidth"), 300, "the figure is shown")
    tap.ok("910 rows" in b.text("#figure4"), "a long table is a link", b.text("#figure4"))
    tap.same(b.js("""[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))
        .filter(h => h[0] !== '#')"""), ["listening-test/index.html", "figure4.html", "figure4-curves.tsv"], "links")
    tap.ok("tiny.h5" in b.text("footer"), "where it comes from", b.text("footer"))
    b.click("#figure4 a.page")
    b.wait("document.title.startsWith('Figure 4')")
    tap.ok(True, "which lead there")


def quiet(b, name):
    b.collect()
    tap.same((b.complaints, b.foreign), ([], []), name + ": no complaint, nothing asked of the network")


why = missing()
if why:
    tap.skip("pages in a browser", why)
    tap.done()
with Browser(screens=screens) as page:
    shown = looks(page)
    reads(page, shown)
    hears(page, shown)
    moves(page)
    keyboard(page, shown)
    quiet(page, "figure 4")
with Browser(size=(420, 900), dark=True, screens=screens) as page:
    page.open(results + "/figure4.html")
    page.screenshot("figure4-narrow-dark", whole=True)
    tap.ok(page.js("document.documentElement.scrollWidth") <= 420, "it fits a narrow window")
    report(page, "report-narrow-dark")
    quiet(page, "the report")
with Browser(screens=screens) as page:
    page.open(results + "/report.html")
    page.screenshot("report", whole=True)
    quiet(page, "the report, wide")
tap.done()
