// The sound of alignment.html: a mix and its stem, shifted; it comes after alignment-chart.js.
// -- sound
let context = null, mixGain, stemGain, playing = null, turn = 0;
const sounds = new Map();
function samplesOf(id) {
  if (!sounds.has(id)) {
    const bytes = atob($(id).textContent), view16 = new DataView(new ArrayBuffer(bytes.length));
    for (let i = 0; i < bytes.length; i++) view16.setUint8(i, bytes.charCodeAt(i));
    const x = new Float32Array(bytes.length >> 1);
    for (let i = 0; i < x.length; i++) x[i] = view16.getInt16(2 * i, true) / 32768;
    sounds.set(id, x);
  }
  return sounds.get(id);
}
function source(id, gain, pair) {
  const x = samplesOf(id), buffer = context.createBuffer(1, x.length, curves[pair].rate_hz);
  const node = context.createBufferSource();
  buffer.copyToChannel(x, 0);
  node.buffer = buffer;
  node.connect(gain);
  return node;
}
// Where mix and shifted stem both sound, in seconds of the mix's excerpt.
const overlap = (pair, lag) => [Math.max(0, -lag), curves[pair].seconds - Math.max(0, lag)];
const position = () => clamp(playing.from + context.currentTime - playing.when, playing.from, playing.end);

function choose(pair, lag) {
  chosen = pair;
  chosenLag = lag;
  for (const c of curves) c.entry.item.classList.toggle('chosen', c.pair === pair);
  const c = curves[pair], [start, end] = overlap(pair, lag);
  const where = Math.abs(lag) < .005 ? 'in its place'
    : `taken ${Math.abs(lag).toFixed(2)} s ${lag > 0 ? 'later' : 'earlier'}`;
  const far = end - start < .25 ? `: the excerpts of ${c.seconds.toFixed(1)} s do not overlap` : '';
  $('what').replaceChildren(element('b', {}, c.name), ` from ${minutes(c.start_s)}`,
    ` \u2014 mix without ${c.class}, and the ${c.class} ${where}${far}`);
  $('toggle').disabled = far !== '';
  $('position').max = c.seconds;
  tell(playing ? position() : clamp(0, start, Math.max(start, end)));
}
// Plays the pair from `from` (seconds of the mix; none: from where it is now when it is playing, else the beginning).
async function play(pair, lag, from) {
  const [start, end] = overlap(pair, lag), mine = ++turn;
  if (from === undefined) from = playing && playing.pair === pair ? position() : start;
  halt();
  choose(pair, lag);
  if (end - start < .25) { tellState(); return; }
  if (!context) {
    context = new AudioContext();
    [mixGain, stemGain] = [context.createGain(), context.createGain()];
    for (const [g, id] of [[mixGain, 'mix-level'], [stemGain, 'stem-level']]) {
      g.connect(context.destination);
      g.gain.value = $(id).value;
      $(id).oninput = () => g.gain.setTargetAtTime(+$(id).value, context.currentTime, .015);
    }
  }
  setTimeout(() => {
    if (mine === turn && context.state !== 'running')
      $('what').append('. The browser lets no sound start: is there a device for it?');
  }, 1500);
  await context.resume();
  if (mine !== turn) return; // another was asked for meanwhile
  from = from > start && from < end - .25 ? from : start;
  const mix = source(`mix-${pair}`, mixGain, pair), stem = source(`stem-${pair}`, stemGain, pair);
  const when = context.currentTime + .06;
  mix.start(when, from, end - from);
  stem.start(when, from + lag, end - from);
  playing = {pair, lag, from, end, when, nodes: [mix, stem]};
  mix.onended = () => { if (playing && playing.nodes[0] === mix) stop(); };
  tellState();
  requestAnimationFrame(follow);
}
function halt() {
  if (!playing) return;
  for (const node of playing.nodes) { node.onended = null; node.stop(); node.disconnect(); }
  playing = null;
}
function stop() {
  turn++;
  halt();
  choose(chosen, chosenLag);
  tellState();
}
function tellState() {
  $('toggle').textContent = playing ? 'Stop' : 'Play';
  drawCross();
}
function follow() {
  if (!playing) return;
  tell(position());
  requestAnimationFrame(follow);
}
function tell(seconds) {
  $('position').value = seconds;
  $('clock').textContent = `${minutes(seconds)} / ${minutes(curves[chosen].seconds)}`;
  drawLanes(seconds);
}
$('toggle').onclick = () => playing ? stop() : play(chosen, chosenLag, +$('position').value);
$('position').oninput = () => playing ? play(chosen, chosenLag, +$('position').value) : tell(+$('position').value);
addEventListener('keydown', e => { if (e.key === 'Escape' && e.target !== chart) stop(); });

// -- the two sounds side by side: the mix in its place, the stem shifted
const outlines = new Map();
function outline(id, columns) {
  const key = id + ' ' + columns;
  if (!outlines.has(key)) {
    const x = samplesOf(id), peaks = new Float32Array(columns);
    for (let k = 0; k < columns; k++)
      for (let i = Math.floor(k * x.length / columns), end = Math.floor((k + 1) * x.length / columns); i < end; i++)
        peaks[k] = Math.max(peaks[k], Math.abs(x[i]));
    outlines.set(key, peaks);
  }
  return outlines.get(key);
}
function drawLanes(seconds) {
  const canvas = $('lanes'), scale = devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  const width = Math.max(1, Math.round(box.width)), height = Math.round(box.height), lane = height / 2;
  const style = getComputedStyle(document.body), c = curves[chosen];
  if (canvas.width !== Math.round(width * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const pen = canvas.getContext('2d'), colour = name => style.getPropertyValue(name).trim();
  const [start, end] = overlap(chosen, chosenLag), x = s => s / c.seconds * width;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = colour('--card');
  if (end > start) pen.fillRect(x(start), 0, x(end) - x(start), height);
  ['mix', 'stem'].forEach((which, k) => {
    const peaks = outline(`${which}-${chosen}`, width), moved = k ? -x(chosenLag) : 0;
    const most = peaks.reduce((a, b) => Math.max(a, b), .02);
    pen.fillStyle = k ? colour(`--c${chosen % 8}`) : colour('--quiet');
    for (let i = 0; i < width; i++) {
      const h = Math.max(.5, peaks[i] / most * (lane / 2 - 5));
      pen.globalAlpha = i + moved >= x(start) && i + moved <= x(end) ? 1 : .25;
      pen.fillRect(i + moved, lane * (k + .5) - h, 1, 2 * h);
    }
    const label = k ? c.class : `mix without ${c.class}`;
    pen.font = '12px system-ui, sans-serif';
    pen.fillStyle = colour('--shade');
    pen.globalAlpha = .85;
    pen.fillRect(0, lane * k, pen.measureText(label).width + 12, 18);
    pen.globalAlpha = 1;
    pen.fillStyle = colour('--ink');
    pen.fillText(label, 6, lane * k + 13);
  });
  pen.fillStyle = colour('--play');
  pen.fillRect(x(seconds) - 1, 0, 2, height);
}

new ResizeObserver(() => { draw(); tell(+$('position').value); }).observe($('box'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => tell(+$('position').value));
draw();
hide();
choose(0, 0);
