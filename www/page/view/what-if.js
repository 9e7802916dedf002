// The reader hides and shows segments of the picture, and the answers move with each click.

import { $, $$, h, show } from '../dom.js';
import { plural, quoted, share } from '../format.js';
import { methodOf } from '../state/question.js';

/** About how many pixels wide the segments are drawn. */
const WIDTH = 900;

export function setUpWhatIf(store, flow) {
  const help = h('span', { class: 'visually-hidden', id: 'parts-help' }, 'Arrow keys choose a segment, space hides or shows it, escape ends.');
  const canvas = h('canvas', { id: 'parts', class: 'parts', tabindex: 0, role: 'application', 'aria-describedby': help.id, hidden: true });
  $('#stage').append(canvas, help);
  const begin = button('Hide parts yourself', flow.enter);
  const reset = button('Reset', flow.reset);
  const done = button('Done', flow.leave);
  const text = h('span', { role: 'status' });
  const bar = h('div', { class: 'what-if', id: 'what-if' }, text, begin, reset, done);
  $('#status').after(bar);
  const parts = setUpParts(store, flow, canvas);

  store.watch(
    ({ methods, method, crop, classes, whatIf }) => [methods, method, crop, classes, whatIf],
    (methods, method, crop, classes, whatIf) => {
      show(bar, Boolean(whatIf || (crop && classes && methodOf(store.state)?.segments)));
      show(begin, !whatIf);
      show(reset, Boolean(whatIf?.cut));
      reset.disabled = !whatIf?.hidden.size;
      show(done, Boolean(whatIf));
      show(canvas, Boolean(whatIf?.cut));
      text.textContent = words(whatIf, classes);
    },
  );
  store.watch(({ whatIf }) => [whatIf?.cut], (cut) => {
    parts.take(cut);
    if (cut) canvas.focus({ preventScroll: true });
  });
  store.watch(({ whatIf, crop }) => [whatIf?.cut, whatIf?.hidden, crop], () => parts.draw());
  store.watch(
    ({ whatIf, classes, target }) => [whatIf?.classes, classes, target],
    (now, classes) => classes && drawShares(classes.classes, now),
  );
}

function button(label, onClick) {
  const made = h('button', { type: 'button', class: 'button small' }, label);
  made.addEventListener('click', onClick);
  return made;
}

function words(whatIf, classes) {
  if (!whatIf) return '';
  if (!whatIf.cut) return 'Cutting the picture into segments';
  const { hidden, cut, classes: now } = whatIf;
  if (!hidden.size) return `Click a segment to hide it; there are ${cut.count}`;
  const [best] = now ?? [];
  const changed = best && best.index !== classes.classes[0].index;
  return `${hidden.size} of ${plural(cut.count, 'segment')} hidden${changed ? `: now ${quoted(best.label)}, ${share(best)}` : ''}`;
}

/** The answers as they are now, beside what they were. */
function drawShares(before, now) {
  const find = (classes, index) => classes.find((each) => each.index === index);
  for (const input of $$('#answers input')) {
    const [was, is] = [before, now ?? before].map((classes) => find(classes, Number(input.value)));
    if (!was || !is) continue;
    const row = input.parentElement;
    const bar = $('.answer-bar', row);
    $('.answer-share', row).textContent = now ? `${share(was)} → ${share(is)}` : share(was);
    if (!bar) continue;
    bar.dataset.share = is.probability;
    bar.style.setProperty('transform', `scaleX(${Math.max(is.probability, 0.004)})`);
  }
}

/** The canvas: the picture with its hidden segments filled, the one under the pointer outlined. */
function setUpParts(store, flow, canvas) {
  const context = canvas.getContext('2d');
  let cut = null;
  let outlines = [];
  let at = null;

  function draw() {
    const { whatIf, crop } = store.state;
    if (!cut || !whatIf || !crop) return;
    const scale = Math.ceil(WIDTH / cut.width);
    [canvas.width, canvas.height] = [cut.width * scale, cut.height * scale];
    context.drawImage(canvasOf(crop, crop.rgba), 0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = false;
    const filled = cut.rgba.slice();
    cut.labels.forEach((label, i) => (filled[4 * i + 3] = whatIf.hidden.has(label) ? 255 : 0));
    context.drawImage(canvasOf(cut, filled), 0, 0, canvas.width, canvas.height);
    context.scale(scale, scale);
    context.lineCap = 'square';
    const line = (segment, width, color) => {
      [context.lineWidth, context.strokeStyle] = [width, color];
      context.stroke(outlines[segment]);
    };
    for (let segment = 0; segment < cut.count; segment++) line(segment, 0.3, 'rgb(255 255 255 / 0.55)');
    for (const segment of whatIf.hidden) line(segment, 0.6, 'rgb(0 0 0 / 0.7)');
    canvas.setAttribute('aria-label', at === null ? 'The picture in segments' : `Segment ${at + 1} of ${cut.count}, ${whatIf.hidden.has(at) ? 'hidden' : 'shown'}`);
    if (at === null) return;
    line(at, 2, 'rgb(0 0 0 / 0.75)');
    line(at, 1, '#fff');
  }

  function move(segment) {
    if (segment === at) return;
    at = segment;
    draw();
  }

  const segmentAt = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    const place = (value, low, extent, size) => Math.max(0, Math.min(size - 1, Math.floor(((value - low) / extent) * size)));
    return cut.labels[place(clientY, box.top, box.height, cut.height) * cut.width + place(clientX, box.left, box.width, cut.width)];
  };

  canvas.addEventListener('pointermove', (event) => move(segmentAt(event)));
  canvas.addEventListener('pointerleave', () => move(null));
  canvas.addEventListener('click', (event) => flow.toggle(segmentAt(event)));
  canvas.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) move(at === null ? 0 : (at + step + cut.count) % cut.count);
    else if (event.key === 'Escape') flow.leave();
    else if ([' ', 'Enter'].includes(event.key) && at !== null) flow.toggle(at);
    else return;
    event.preventDefault();
  });

  return {
    draw,
    take(next) {
      [cut, at] = [next, null];
      outlines = cut ? outlinesOf(cut) : [];
    },
  };
}

function canvasOf({ width, height }, rgba) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d').putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

/** The outline of each segment: the edges between its pixels and others. */
function outlinesOf({ width, height, count, labels }) {
  const paths = Array.from({ length: count }, () => new Path2D());
  const edge = (label, x, y, dx, dy) => {
    if (label === undefined) return;
    paths[label].moveTo(x, y);
    paths[label].lineTo(x + dx, y + dy);
  };
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? undefined : labels[y * width + x]);
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      const [here, left, above] = [at(x, y), at(x - 1, y), at(x, y - 1)];
      if (here !== left) [here, left].forEach((label) => edge(label, x, y, 0, 1));
      if (here !== above) [here, above].forEach((label) => edge(label, x, y, 1, 0));
    }
  }
  return paths;
}
