// Raw values under the pointer, a finger or the arrow keys.

/** @import { MapValues, Store } from '../types' */

import { $, show } from '../dom.js';
import { number } from '../format.js';

const CHANNELS = ['R', 'G', 'B'];
/**
 * Cells to the right and down by which each key moves.
 * @type {Map<string, [number, number]>}
 */
const STEPS = new Map([['ArrowLeft', [-1, 0]], ['ArrowRight', [1, 0]], ['ArrowUp', [0, -1]], ['ArrowDown', [0, 1]]]);

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {{ width: number, height: number, channels: number }} Grid */

/** @param {Store} store */
export function setUpProbe(store) {
  const canvas = $('#canvas');
  const cell = $('#cell');
  const tip = $('#tip');
  const readout = $('#readout');
  /**
   * In cells of the map.
   * @type {Point | null}
   */
  let at = null;
  let byKeyboard = false;

  function draw() {
    const { values, pictureOnly } = store.state;
    const shown = Boolean(at && values && !pictureOnly);
    show(cell, shown);
    show(tip, shown && !byKeyboard);
    if (!shown || !at || !values) {
      readout.textContent = '';
      return;
    }
    const grid = gridOf(values.shape);
    const point = { x: Math.min(at.x, grid.width - 1), y: Math.min(at.y, grid.height - 1) };
    const text = describe(values, grid, point, values.unit);
    place(cell, tip, grid, point);
    tip.textContent = text.replaceAll('  ', '\n');
    readout.textContent = byKeyboard ? text.replaceAll('  ', ' · ') : '';
  }

  /** @param {PointerEvent} event */
  function point(event) {
    const { values } = store.state;
    if (!values) return;
    const box = canvas.getBoundingClientRect();
    const grid = gridOf(values.shape);
    /** @type {(value: number, low: number, size: number) => number} */
    const share = (value, low, size) => Math.max(0, Math.min(0.9999, (value - low) / size));
    at = {
      x: Math.floor(share(event.clientX, box.left, box.width) * grid.width),
      y: Math.floor(share(event.clientY, box.top, box.height) * grid.height),
    };
    byKeyboard = false;
    draw();
  }

  canvas.addEventListener('pointermove', point);
  canvas.addEventListener('pointerdown', point);
  canvas.addEventListener('pointerleave', (event) => {
    if (event.pointerType === 'touch' || byKeyboard) return;
    at = null;
    draw();
  });
  canvas.addEventListener('keydown', (event) => {
    const step = STEPS.get(event.key);
    const { values } = store.state;
    if (!values) return;
    if (event.key === 'Escape') at = null;
    else if (step) at = move(at, step, gridOf(values.shape), event.shiftKey ? 10 : 1);
    else return;
    event.preventDefault();
    byKeyboard = true;
    draw();
  });
  canvas.addEventListener('blur', () => {
    if (!byKeyboard) return;
    at = null;
    draw();
  });
  store.watch(({ values, pictureOnly }) => [values, pictureOnly], draw);
}

/**
 * The extent of a map: [H,W] or [C,H,W].
 * @param {MapValues['shape']} shape
 * @returns {Grid}
 */
function gridOf(shape) {
  const [height, width] = shape.slice(-2);
  return { width, height, channels: shape.length === 3 ? shape[0] : 1 };
}

/**
 * @param {Point | null} at
 * @param {[number, number]} step
 * @param {Grid} grid
 * @param {number} times
 */
function move(at, [dx, dy], { width, height }, times) {
  if (!at) return { x: width >> 1, y: height >> 1 };
  const clamp = (/** @type {number} */ value, /** @type {number} */ size) => Math.max(0, Math.min(size - 1, value));
  return { x: clamp(at.x + dx * times, width), y: clamp(at.y + dy * times, height) };
}

/**
 * @param {MapValues} values
 * @param {Grid} grid
 * @param {Point} point
 * @param {string} unit
 */
function describe(values, { width, height, channels }, { x, y }, unit) {
  const plane = width * height;
  const at = y * width + x;
  const where = `column ${x + 1} of ${width}, row ${y + 1} of ${height}`;
  const of = unit ? ` ${unit}` : '';
  if (channels === 1) return `${number(values.data[at], { signed: true })}${of}  ${where}`;
  const parts = Array.from({ length: channels }, (_, c) => values.data[c * plane + at]);
  const names = parts.map((value, c) => `${channels === 3 ? CHANNELS[c] : c} ${number(value, { signed: true })}`);
  const sum = parts.reduce((a, b) => a + b, 0);
  return `${number(sum, { signed: true })}${of}  ${names.slice(0, 4).join('   ')}  ${where}`;
}

/**
 * Frames the cell and puts the tip beside it, on the side with more room.
 * @param {HTMLElement} cell
 * @param {HTMLElement} tip
 * @param {Grid} grid
 * @param {Point} point
 */
function place(cell, tip, { width, height }, { x, y }) {
  /**
   * @param {HTMLElement} element
   * @param {Record<string, string>} styles
   */
  const set = (element, styles) => Object.entries(styles).forEach(([key, value]) => element.style.setProperty(key, value));
  const per = (/** @type {number} */ value, /** @type {number} */ size) => `${(value / size) * 100}%`;
  const fine = width > 64;
  const pad = fine ? 3 : 0;
  set(cell, {
    left: `calc(${per(x, width)} - ${pad}px)`,
    top: `calc(${per(y, height)} - ${pad}px)`,
    width: `calc(${per(1, width)} + ${2 * pad}px)`,
    height: `calc(${per(1, height)} + ${2 * pad}px)`,
  });
  const right = x / width > 0.5;
  const low = y / height > 0.5;
  set(tip, {
    left: right ? 'auto' : `calc(${per(x + 1, width)} + 10px)`,
    right: right ? `calc(100% - ${per(x, width)} + 10px)` : 'auto',
    top: low ? 'auto' : `calc(${per(y, height)} + 4px)`,
    bottom: low ? `calc(100% - ${per(y + 1, height)} + 4px)` : 'auto',
  });
}
