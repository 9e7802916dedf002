// The reader hides and shows segments of the picture, and the answers move with each click.

/** @import { ClassScore, Classification, Pixels, Segments } from '../../api/pellucid' */
/** @import { Store, WhatIf, WhatIfFlow } from '../types' */

import { $, $$, contextOf, h, show } from '../dom.js';
import { plural, quoted, share } from '../format.js';
import { methodOf } from '../state/question.js';

/** About how many pixels wide the segments are drawn. */
const WIDTH = 900;
/** How many segments an arrow key moves on. */
const STEPS = new Map(Object.entries({ ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }));

/**
 * @param {Store} store
 * @param {WhatIfFlow} flow
 */
export function setUpWhatIf(store, flow) {
  const keys = 'Arrow keys choose a segment, space hides or shows it, escape ends.';
  const help = h('span', { class: 'visually-hidden', id: 'parts-help' }, keys);
  const canvas = h('canvas', {
    id: 'parts',
    class: 'parts',
    tabindex: 0,
    role: 'application',
    'aria-describedby': help.id,
    hidden: true,
  });
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
    parts.take(cut ?? null);
    if (cut) canvas.focus({ preventScroll: true });
  });
  store.watch(({ whatIf, crop }) => [whatIf?.cut, whatIf?.hidden, crop], () => parts.draw());
  store.watch(
    ({ whatIf, classes, target }) => [whatIf?.classes, classes, target],
    (now, classes) => classes && drawShares(classes.classes, now ?? null),
  );
}

/**
 * @param {string} label
 * @param {() => unknown} onClick
 */
function button(label, onClick) {
  const made = h('button', { type: 'button', class: 'button small' }, label);
  made.addEventListener('click', onClick);
  return made;
}

/**
 * @param {WhatIf | null} whatIf
 * @param {Classification | null} classes
 */
function words(whatIf, classes) {
  if (!whatIf) return '';
  if (!whatIf.cut) return 'Cutting the picture into segments';
  const { hidden, cut, classes: now } = whatIf;
  if (!hidden.size) return `Click a segment to hide it; there are ${cut.count}`;
  const [best] = now ?? [];
  const changed = best && best.index !== classes?.classes[0].index;
  return `${hidden.size} of ${plural(cut.count, 'segment')} hidden${changed ? `: now ${quoted(best.label)}, ${share(best)}` : ''}`;
}

/**
 * The answers as they are now, beside what they were.
 * @param {ClassScore[]} before
 * @param {ClassScore[] | null} now
 */
function drawShares(before, now) {
  for (const row of $$('#answers .answer')) {
    const index = Number(row.querySelector('input')?.value);
    const [was, is] = [before, now ?? before].map((classes) => classes.find((each) => each.index === index));
    if (!was || !is) continue;
    $('.answer-share', row).textContent = now ? `${share(was)} → ${share(is)}` : share(was);
    if (is.probability === null) continue;
    const bar = $('.answer-bar', row);
    bar.dataset.share = String(is.probability);
    bar.style.setProperty('transform', `scaleX(${Math.max(is.probability, 0.004)})`);
  }
}

/**
 * The canvas: the picture with its hidden segments filled, the one under the pointer outlined.
 * @param {Store} store
 * @param {WhatIfFlow} flow
 * @param {HTMLCanvasElement} canvas
 */
function setUpParts(store, flow, canvas) {
  const context = contextOf(canvas);
  /** @type {Segments | null} */
  let cut = null;
  /** @type {Path2D[]} */
  let outlines = [];
  /** @type {number | null} */
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
    const line = (/** @type {number} */ segment, /** @type {number} */ width, /** @type {string} */ color) => {
      [context.lineWidth, context.strokeStyle] = [width, color];
      context.stroke(outlines[segment]);
    };
    for (let segment = 0; segment < cut.count; segment++) line(segment, 0.3, 'rgb(255 255 255 / 0.55)');
    for (const segment of whatIf.hidden) line(segment, 0.6, 'rgb(0 0 0 / 0.7)');
    if (at === null) return canvas.setAttribute('aria-label', 'The picture in segments');
    canvas.setAttribute('aria-label', `Segment ${at + 1} of ${cut.count}, ${whatIf.hidden.has(at) ? 'hidden' : 'shown'}`);
    line(at, 2, 'rgb(0 0 0 / 0.75)');
    line(at, 1, '#fff');
  }

  /** @param {number | null} segment */
  function move(segment) {
    if (segment === at) return;
    at = segment;
    draw();
  }

  const segmentAt = (/** @type {MouseEvent} */ { clientX, clientY }) => {
    if (!cut) return null;
    const box = canvas.getBoundingClientRect();
    /** @type {(share: number, size: number) => number} */
    const place = (share, size) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
    const row = place((clientY - box.top) / box.height, cut.height);
    return cut.labels[row * cut.width + place((clientX - box.left) / box.width, cut.width)];
  };

  canvas.addEventListener('pointermove', (event) => move(segmentAt(event)));
  canvas.addEventListener('pointerleave', () => move(null));
  canvas.addEventListener('click', (event) => {
    const segment = segmentAt(event);
    if (segment !== null) flow.toggle(segment);
  });
  canvas.addEventListener('keydown', (event) => {
    const step = STEPS.get(event.key);
    if (step && cut) move(at === null ? 0 : (at + step + cut.count) % cut.count);
    else if (event.key === 'Escape') flow.leave();
    else if ([' ', 'Enter'].includes(event.key) && at !== null) flow.toggle(at);
    else return;
    event.preventDefault();
  });

  return {
    draw,
    /** @param {Segments | null} next */
    take(next) {
      [cut, at] = [next, null];
      outlines = cut ? outlinesOf(cut) : [];
    },
  };
}

/**
 * @param {Pixels} image
 * @param {Pixels['rgba']} rgba
 */
function canvasOf({ width, height }, rgba) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

/**
 * The outline of each segment: the edges between its pixels and others.
 * @param {Segments} segments
 */
function outlinesOf({ width, height, count, labels }) {
  const paths = Array.from({ length: count }, () => new Path2D());
  /** @type {(label: number | undefined, x: number, y: number, dx: number, dy: number) => void} */
  const edge = (label, x, y, dx, dy) => {
    if (label === undefined) return;
    paths[label].moveTo(x, y);
    paths[label].lineTo(x + dx, y + dy);
  };
  /** @type {(x: number, y: number) => number | undefined} */
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
