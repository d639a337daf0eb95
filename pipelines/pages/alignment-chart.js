// The chart of alignment.html: curves, what is read from them, moving about, the legend.
'use strict';
const data = JSON.parse(document.getElementById('curves').textContent);
const $ = id => document.getElementById(id);
const svgNS = 'http://www.w3.org/2000/svg';
const make = (name, attributes, parent) => {
  const e = document.createElementNS(svgNS, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (parent) parent.append(e);
  return e;
};
const element = (name, attributes, ...children) => {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
};
const clamp = (x, low, high) => Math.max(low, Math.min(high, x));
const signed = (x, digits = 2) => (x < 0 ? '\u2212' : x > 0 ? '+' : '') + Math.abs(x).toFixed(digits);
const number = x => (x < 0 ? '\u2212' : '') + Math.abs(x).toFixed(4);
const minutes = s => Math.floor(s / 60) + ':' + (s % 60 < 10 ? '0' : '') + (Math.floor(s % 60 * 10) / 10).toFixed(1);

// -- the curves: those of pairs, which can be heard, then the mean
const curves = data.pairs.map((p, i) => ({...p, pair: i,
  colour: `var(--c${i % 8})`, dash: ['', '8 3', '2 3'][(i >> 3) % 3],
  name: p.query.endsWith('/' + p.class) ? p.query.slice(0, -p.class.length - 1) : p.query}));
if (data.all)
  curves.push({...data.all, pair: null, colour: 'var(--ink)', dash: '', name: `Mean of ${data.pairs_in_all} pairs`});
for (const c of curves) {
  c.on = true;
  c.best = -1; // as sj-align: where at least half as many frames overlap as at any shift, of equal values the least shift
  const enough = Math.max(...c.frames) / 2, better = (i, b) => c.similarity[i] > c.similarity[b] ||
    c.similarity[i] === c.similarity[b] && Math.abs(c.lag[i]) < Math.abs(c.lag[b]);
  for (let i = 0; i < c.lag.length; i++)
    if (c.similarity[i] !== null && c.frames[i] >= enough && (c.best < 0 || better(i, c.best))) c.best = i;
}
const full = [Math.min(...curves.map(c => c.lag[0])), Math.max(...curves.map(c => c.lag[c.lag.length - 1]))];
if (full[0] === full[1]) { full[0] -= 1; full[1] += 1; }
let view = [...full], randomOn = data.random !== undefined;
let near = null;        // {curve, i}: what is being read
let chosen = 0;         // the pair that Play plays
let chosenLag = 0;

// The number of the lag that is nearest to x.
function indexAt(c, x) {
  let low = 0, high = c.lag.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (c.lag[middle] <= x) low = middle; else high = middle;
  }
  return x - c.lag[low] <= c.lag[high] - x ? low : high;
}

// -- the chart
const chart = $('chart'), margin = {left: 58, right: 22, top: 12, bottom: 46};
let plot = {}, yView = [0, 1];
const toX = lag => plot.left + (lag - view[0]) / (view[1] - view[0]) * plot.width;
const toLag = x => view[0] + (x - plot.left) / plot.width * (view[1] - view[0]);
const toY = v => plot.top + (yView[1] - v) / (yView[1] - yView[0]) * plot.height;

function niceStep(span, wanted) {
  const raw = span / wanted, power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 5, 10].find(m => m * power >= raw * .999);
}
function lagStep(span, wanted) {      // seconds: powers of two where the paper has its 8 s
  return [.16, .5, 1, 2, 4, 8, 16, 32, 64].find(s => span / s <= wanted) || niceStep(span, wanted);
}
function fitY() {
  let low = Infinity, high = -Infinity;
  const take = v => { low = Math.min(low, v); high = Math.max(high, v); };
  for (const c of curves) {
    if (!c.on) continue;
    for (let i = 0; i < c.lag.length; i++)
      if (c.similarity[i] !== null && c.lag[i] >= view[0] - 1e-9 && c.lag[i] <= view[1] + 1e-9) take(c.similarity[i]);
  }
  if (randomOn) take(data.random);
  if (low > high) [low, high] = [0, 1];
  const pad = Math.max((high - low) * .07, .002);
  yView = [low - pad, high + pad];
}
function pathOf(c) {
  let d = '', pen = false;
  const first = Math.max(0, indexAt(c, view[0]) - 2), last = Math.min(c.lag.length - 1, indexAt(c, view[1]) + 2);
  for (let i = first; i <= last; i++) {
    if (c.similarity[i] === null) { pen = false; continue; }
    d += (pen ? 'L' : 'M') + toX(c.lag[i]).toFixed(2) + ' ' + toY(c.similarity[i]).toFixed(2);
    pen = true;
  }
  return d;
}
function drawAxes(g) {
  const stepX = lagStep(view[1] - view[0], plot.width / 46);
  const stepY = niceStep(yView[1] - yView[0], plot.height / 46);
  const digits = Math.max(0, -Math.floor(Math.log10(stepY) + 1e-9)), lines = make('g', {class: 'grid'}, g);
  for (let k = Math.ceil(view[0] / stepX - 1e-9); k * stepX <= view[1] + 1e-9; k++) {
    const x = toX(k * stepX);
    make('line', {x1: x, x2: x, y1: plot.top, y2: plot.top + plot.height}, lines);
    make('text', {x, y: plot.top + plot.height + 18, 'text-anchor': 'middle'}, g).textContent =
      signed(k * stepX, stepX < .5 ? 2 : stepX < 1 ? 1 : 0);
  }
  for (let k = Math.ceil(yView[0] / stepY); k * stepY <= yView[1]; k++) {
    const y = toY(k * stepY);
    make('line', {x1: plot.left, x2: plot.left + plot.width, y1: y, y2: y}, lines);
    make('text', {x: plot.left - 8, y: y + 4, 'text-anchor': 'end'}, g).textContent =
      (k < 0 ? '\u2212' : '') + Math.abs(k * stepY).toFixed(digits);
  }
  const x = plot.left + plot.width / 2, y = plot.top + plot.height / 2;
  make('text', {x, y: plot.top + plot.height + 38, 'text-anchor': 'middle'}, g).textContent =
    'the stem is taken later by (seconds)';
  make('text', {x: 14, y, 'text-anchor': 'middle', transform: `rotate(-90 14 ${y})`}, g).textContent =
    'cosine similarity';
  if (view[0] < 0 && view[1] > 0)
    make('line', {class: 'zero', x1: toX(0), x2: toX(0), y1: plot.top, y2: plot.top + plot.height}, g);
}
let cross;
function draw() {
  const box = chart.getBoundingClientRect();
  plot = {left: margin.left, top: margin.top, width: Math.max(50, box.width - margin.left - margin.right),
    height: Math.max(50, box.height - margin.top - margin.bottom)};
  chart.setAttribute('viewBox', `0 0 ${box.width} ${box.height}`);
  fitY();
  chart.replaceChildren();
  const clip = make('clipPath', {id: 'clip'}, make('defs', {}, chart));
  make('rect', {x: plot.left, y: plot.top, width: plot.width, height: plot.height}, clip);
  drawAxes(make('g', {}, chart));
  const g = make('g', {'clip-path': 'url(#clip)'}, chart);
  if (data.random !== undefined)
    make('line', {class: 'curve random' + (randomOn ? '' : ' off'), x1: plot.left, x2: plot.left + plot.width,
      y1: toY(data.random), y2: toY(data.random)}, g);
  for (const c of curves)
    c.path = make('path', {class: 'curve' + (c.pair === null ? ' mean' : '') + (c.on ? '' : ' off'), d: pathOf(c),
      style: `stroke: ${c.colour}`, 'stroke-dasharray': c.dash || 'none',
      'data-curve': c.pair === null ? 'mean' : c.pair}, g);
  cross = make('g', {}, chart);
  drawCross();
  $('reset').disabled = $('out').disabled = view[0] <= full[0] && view[1] >= full[1];
}
function drawCross() {
  cross.replaceChildren();
  const inside = lag => lag >= view[0] - 1e-9 && lag <= view[1] + 1e-9;
  if (playing && inside(playing.lag)) {
    const x = toX(playing.lag), y = plot.top;
    make('line', {class: 'playing', x1: x, x2: x, y1: y, y2: y + plot.height}, cross);
    make('path', {class: 'playing-mark', d: `M${x - 5} ${y}h10l-5 8z`}, cross);
  }
  chart.classList.toggle('some', near !== null);
  for (const c of curves) c.path.classList.toggle('near', near !== null && near.curve === c);
  if (near === null || !inside(near.curve.lag[near.i])) return;
  const c = near.curve, x = toX(c.lag[near.i]), y = toY(c.similarity[near.i]);
  make('line', {class: 'cross', x1: x, x2: x, y1: plot.top, y2: plot.top + plot.height}, cross);
  make('circle', {class: 'dot', cx: x, cy: y, r: 6, style: `fill: ${c.colour}`}, cross);
}

// -- reading values
const titleOf = c => c.pair === null ? c.name : `${c.name}, ${c.class}`;
const pairOf = c => c.pair === null ? chosen : c.pair;
function show(c, i, at) {
  near = {curve: c, i};
  const lag = c.lag[i], value = c.similarity[i];
  const mean = data.all && c.pair !== null ? curves[curves.length - 1] : null;
  const rows = [element('b', {}, titleOf(c)), `${signed(lag)} s: ${number(value)}`];
  if (c.frames[i]) rows.push(element('span', {class: 'hint'}, `over ${c.frames[i]} frames`));
  if (mean) {
    const k = indexAt(mean, lag);
    if (mean.similarity[k] !== null && Math.abs(mean.lag[k] - lag) < .08)
      rows.push(element('span', {class: 'hint'}, `mean ${number(mean.similarity[k])}`));
  }
  if (c.pair === null) rows.push(element('span', {class: 'hint'}, `click plays ${titleOf(curves[chosen])}`));
  $('tip').replaceChildren(...rows.flatMap((r, k) => k ? [element('br', {}), r] : [r]));
  $('tip').hidden = false;
  const box = $('box').getBoundingClientRect(), tip = $('tip').getBoundingClientRect();
  const x = at ? at.x : toX(lag), y = at ? at.y : toY(value);
  const left = x + 16 + tip.width > box.width ? x - tip.width - 16 : x + 16;
  $('tip').style.left = clamp(left, 0, Math.max(0, box.width - tip.width)) + 'px';
  $('tip').style.top = clamp(y - tip.height - 12, 0, Math.max(0, box.height - tip.height)) + 'px';
  $('reading').replaceChildren(element('b', {}, titleOf(c)), ` at ${signed(lag)} s: ${number(value)}`);
  drawCross();
}
function hide() {
  near = null;
  $('tip').hidden = true;
  $('reading').textContent = data.all && data.all.lag.length
    ? `${curves.length - 1} of ${data.pairs_in_all} pairs shown` : `${curves.length} pairs shown`;
  drawCross();
}
function nearest(x, y) {
  let best = null;
  for (const c of curves) {
    if (!c.on) continue;
    const lag = toLag(x), i = indexAt(c, lag);
    if (c.similarity[i] === null) continue;
    const across = Math.max(0, Math.abs(toX(c.lag[i]) - x) - plot.width / c.lag.length);
    const away = Math.hypot(toY(c.similarity[i]) - y, across);
    if (!best || away < best.away) best = {curve: c, i, away};
  }
  return best;
}
const at = event => {
  const box = chart.getBoundingClientRect();
  return {x: event.clientX - box.left, y: event.clientY - box.top};
};
const within = p => p.x >= plot.left - 4 && p.x <= plot.left + plot.width + 4 &&
  p.y >= 0 && p.y <= plot.top + plot.height + 4;

// -- moving about
function setView(low, high) {
  const span = clamp(high - low, Math.min(1, full[1] - full[0]), full[1] - full[0]);
  low = clamp(low + (high - low - span) / 2, full[0], full[1] - span);
  const moved = low !== view[0] || low + span !== view[1];
  view = [low, low + span];
  if (moved) draw();
  return moved;
}
function zoom(factor, centre = near ? near.curve.lag[near.i] : (view[0] + view[1]) / 2) {
  const c = clamp(centre, view[0], view[1]);
  let span = clamp((view[1] - view[0]) * factor, Math.min(1, full[1] - full[0]), full[1] - full[0]);
  const low = c - (c - view[0]) / (view[1] - view[0]) * span;
  return setView(low, low + span);
}
chart.addEventListener('wheel', e => {
  const p = at(e), along = Math.abs(e.deltaX) > Math.abs(e.deltaY), unit = e.deltaMode ? 30 : 1;
  const by = e.deltaX * unit / plot.width * (view[1] - view[0]);
  const moved = along ? setView(view[0] + by, view[1] + by)
    : zoom(Math.exp(clamp(e.deltaY * unit, -200, 200) * .002), toLag(p.x));
  if (moved || e.deltaY < 0) e.preventDefault(); // at the whole, the page scrolls on
}, {passive: false});
const fingers = new Map();
let drag = null;
chart.addEventListener('pointerdown', e => {
  if (e.button) return;
  fingers.set(e.pointerId, at(e));
  chart.setPointerCapture(e.pointerId);
  drag = {from: at(e), view: [...view], moved: fingers.size > 1, spread: 0};
});
chart.addEventListener('pointermove', e => {
  const p = at(e);
  if (!fingers.has(e.pointerId)) {
    const found = within(p) && nearest(p.x, p.y);
    if (found) show(found.curve, found.i, p); else hide();
    return;
  }
  fingers.set(e.pointerId, p);
  if (fingers.size === 2) {
    const [a, b] = [...fingers.values()], spread = Math.max(20, Math.abs(a.x - b.x));
    if (drag.spread) zoom(drag.spread / spread, toLag((a.x + b.x) / 2));
    drag.spread = spread;
  } else if (drag.moved || Math.abs(p.x - drag.from.x) > 5) {
    const by = (drag.from.x - p.x) / plot.width * (drag.view[1] - drag.view[0]);
    if (!drag.moved) hide();
    drag.moved = true;
    chart.classList.add('dragging');
    setView(drag.view[0] + by, drag.view[1] + by);
  }
});
const release = e => {
  if (!fingers.delete(e.pointerId)) return;
  const p = at(e), click = e.type === 'pointerup' && !drag.moved && within(p);
  chart.classList.remove('dragging');
  if (fingers.size) { drag = {from: [...fingers.values()][0], view: [...view], moved: true, spread: 0}; return; }
  const found = click && nearest(p.x, p.y);
  if (found) { show(found.curve, found.i, p); play(pairOf(found.curve), found.curve.lag[found.i]); }
};
chart.addEventListener('pointerup', release);
chart.addEventListener('pointercancel', release);
chart.addEventListener('pointerleave', () => { if (!fingers.size) hide(); });
chart.addEventListener('blur', hide);

function read(c, i) {
  if (c.lag[i] < view[0] || c.lag[i] > view[1]) {
    const half = (view[1] - view[0]) / 2;
    setView(c.lag[i] - half, c.lag[i] + half);
  }
  show(c, i);
  $('live').textContent = $('reading').textContent;
}
function step(c, i, by) {
  const end = by < 0 ? 0 : c.lag.length - 1;
  for (i = clamp(i + by, 0, c.lag.length - 1); c.similarity[i] === null && i !== end;) i += Math.sign(by);
  if (c.similarity[i] !== null) read(c, i);
}
chart.addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const visible = curves.filter(c => c.on && c.best >= 0);
  const now = near && near.curve.on ? near : visible.length
    ? {curve: visible[0], i: indexAt(visible[0], chosenLag), fresh: true} : null;
  const along = {ArrowLeft: -1, ArrowRight: 1}[e.key], across = {ArrowUp: -1, ArrowDown: 1}[e.key];
  if (e.key === 'Escape') stop();
  else if (e.key === '+' || e.key === '=') zoom(.6);
  else if (e.key === '-') zoom(1 / .6);
  else if (e.key === '0') setView(...full);
  else if (!now) return;
  else if (now.fresh && (along || across)) step(now.curve, now.i - 1, 1);
  else if (along) step(now.curve, now.i, along * (e.shiftKey ? 10 : 1));
  else if (across) {
    const c = visible[(visible.indexOf(now.curve) + across + visible.length) % visible.length];
    step(c, indexAt(c, now.curve.lag[now.i]) - 1, 1);
  } else if (e.key === 'Home') step(now.curve, indexAt(now.curve, 0) - 1, 1);
  else if (e.key === 'End') read(now.curve, now.curve.best);
  else if (e.key === ' ' && playing) stop();
  else if (e.key === 'Enter' || e.key === ' ') {
    read(now.curve, now.i);
    play(pairOf(now.curve), now.curve.lag[now.i]);
  } else return;
  e.preventDefault();
});
$('in').onclick = () => zoom(.6);
$('out').onclick = () => zoom(1 / .6);
$('reset').onclick = () => setView(...full);

// -- the legend
function entry(name, detail, colour, dash, on, change, button) {
  const tick = element('input', {type: 'checkbox'});
  tick.checked = on;
  tick.onchange = () => { change(tick.checked); draw(); };
  const swatch = element('span', {class: 'swatch',
    style: `border-color: ${colour}; border-top-style: ${dash ? 'dashed' : 'solid'}`});
  const text = element('span', {class: 'name', title: name}, name, element('small', {}, detail));
  const item = element('li', {}, element('label', {}, tick, swatch, text), ...(button ? [button] : []));
  $('legend').append(item);
  return {item, tick};
}
for (const c of curves) {
  const hear = c.pair === null ? null
    : element('button', {'aria-label': `Hear ${titleOf(c)} at its best shift`}, 'Hear');
  if (hear) hear.onclick = () => play(c.pair, c.best < 0 ? 0 : c.lag[c.best]);
  const peak = c.best < 0 ? 'no value' : `${number(c.similarity[c.best])} at ${signed(c.lag[c.best])} s`;
  c.entry = entry(titleOf(c), peak, c.colour, c.dash, true, on => { c.on = on; }, hear);
}
if (data.random !== undefined)
  entry('Random pairs', `stems of other tracks: ${number(data.random)}`, 'var(--quiet)', '7 5', true,
    on => { randomOn = on; });
const setAll = on => {
  for (const c of curves) if (c.pair !== null) c.on = c.entry.tick.checked = on;
  draw();
};
$('every').onclick = () => setAll(true);
$('none').onclick = () => setAll(false);
if (data.all) $('mean-of').textContent = `; the mean is over ${data.pairs_in_all} pairs of mix and stem`;
if (data.random !== undefined)
  $('random-is').textContent = 'Random pairs are stems with the predictions from other tracks. ';
