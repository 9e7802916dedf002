// A map that was made before, drawn without an engine: by the same rules as the engine draws, for the looks that maps have
// unless someone chooses another.

/** @import { Display } from '../api/pellucid' */
/** @import { Look, Panel, Picture, Shown, StoredMap } from './types' */

import { COLOURS, DIVERGING } from './colours.js';
import { classesOf, mapsIn, nameOf, usualDisplay } from './maps.js';

/** The long side of what is drawn, in pixels. */
const SIDE = 512;
/** The part of the short side that the shipped model sees, where the file does not say. */
const SEEN = 224 / 256;
const LEGEND = 256;

/**
 * @param {Blob} file
 * @param {Blob} picture
 * @param {Look} look
 */
export async function precomputed(file, picture, look) {
  const { maps, report } = await mapsIn(file);
  const planes = maps.map((map) => {
    const display = displayOf(map, report.display, look);
    return { map, display, ...planeOf(map, display) };
  });
  const magnitude = Math.max(...planes.map((plane) => plane.magnitude));
  const [{ width, height }] = planes;
  const seen = await crop(picture, report.crop, width / height);
  // Files of former versions say the method's id alone.
  const name = (/** @type {StoredMap[]} */ of) => nameOf(report.label ?? report.method ?? 'A map', of.map(({ target }) => target), report.versus);
  const title = (/** @type {StoredMap} */ map) => (maps.length > 1 && map.target?.label) || name([map]);
  const panels = planes.map((plane) => panelOf({ ...plane, magnitude }, seen, title(plane.map), report.unit ?? plane.map.unit ?? ''));
  /** @type {Shown} */
  const shown = { panels, classes: classesOf(maps), target: maps[0].target?.index ?? null, made: `${name(maps)}, made before`, notes: report.notes ?? [] };
  const { targets, ...said } = report;
  return { shown, explanations: [{ ...said, ...maps[0], targets: maps }] };
}

/**
 * @param {StoredMap} map
 * @param {Display | undefined} display
 * @param {Look} look
 * @returns {Display}
 */
function displayOf(map, display, { colours, opacity }) {
  const own = colours && colours in COLOURS ? { colours, blend: DIVERGING.has(colours) ? 'alpha-by-magnitude' : 'overlay' } : {};
  return { ...usualDisplay(map), ...display, ...own, ...(opacity === null ? {} : { opacity }) };
}

/**
 * One value for each place, and what the end of the colours stands for.
 * @param {StoredMap} map
 * @param {Display} display
 */
function planeOf({ values, shape }, { channels, sign, clip = 100, scale }) {
  const [height, width] = shape.slice(-2);
  const size = width * height;
  const plane = values.slice(0, size);
  for (let i = size; i < values.length; i++) {
    const at = i % size;
    if (channels === 'sum') plane[at] += values[i];
    else if (Math.abs(values[i]) > Math.abs(plane[at])) plane[at] = values[i];
  }
  const shown = plane.map((value) => (sign === 'absolute' ? Math.abs(value) : sign === 'positive' ? Math.max(value, 0) : sign === 'negative' ? Math.min(value, 0) : value));
  return { plane: shown, width, height, magnitude: scale ?? percentile(shown, clip) };
}

/**
 * A percentile of the sizes that are not zero, as numpy has it.
 * @param {Float32Array} values
 * @param {number} share
 */
function percentile(values, share) {
  const sizes = values.map(Math.abs).sort();
  const at = ((sizes.length - 1) * share) / 100;
  const low = Math.floor(at);
  return sizes[low] + (at - low) * ((sizes[low + 1] ?? sizes[low]) - sizes[low]);
}

/**
 * The part of a picture that the network sees. `box` is where it begins and how large it is, in shares of the picture.
 * @param {Blob} file
 * @param {[left: number, top: number, width: number, height: number] | undefined} box
 * @param {number} aspect
 */
async function crop(file, box, aspect) {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  const short = SEEN * Math.min(bitmap.width / Math.max(aspect, 1), bitmap.height * Math.min(aspect, 1));
  const [width, height] = box ? [box[2] * bitmap.width, box[3] * bitmap.height] : [short * Math.max(aspect, 1), short / Math.min(aspect, 1)];
  const [left, top] = box ? [box[0] * bitmap.width, box[1] * bitmap.height] : [(bitmap.width - width) / 2, (bitmap.height - height) / 2];
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(aspect >= 1 ? SIDE : SIDE * aspect);
  canvas.height = Math.round(aspect >= 1 ? SIDE / aspect : SIDE);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.imageSmoothingQuality = 'high';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, left, top, width, height, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** @typedef {{ map: StoredMap, display: Display, plane: Float32Array<ArrayBuffer>, width: number, height: number, magnitude: number }} Plane */

/**
 * @param {Plane} plane
 * @param {ImageData} seen
 * @param {string} title
 * @param {string} unit
 * @returns {Panel}
 */
function panelOf(plane, seen, title, unit) {
  const { display, magnitude } = plane;
  const under = underlay(seen, display.underlay ?? 'colour');
  const over = { ...under, rgba: under.rgba.slice() };
  const colour = colourOf(display, magnitude);
  const byMagnitude = display.blend === 'alpha-by-magnitude';
  const value = interpolated(plane, under);
  for (let i = 0; i < under.width * under.height; i++) {
    const v = value(i);
    const alpha = byMagnitude ? Math.min(1, Math.abs(v) / (magnitude || 1)) : 1;
    const rgb = colour(v);
    for (let c = 0; c < 3; c++) over.rgba[4 * i + c] = alpha * rgb[c] + (1 - alpha) * under.rgba[4 * i + c];
  }
  const low = ['both', 'negative'].includes(display.sign ?? 'both') ? -magnitude : 0;
  const high = display.sign === 'negative' ? 0 : magnitude;
  const legend = new Uint8ClampedArray(4 * LEGEND);
  for (let i = 0; i < LEGEND; i++) legend.set([...colour(low + ((high - low) * i) / (LEGEND - 1)), 255], 4 * i);
  const places = low < 0 && high > 0 ? [0, 0.5, 1] : [0, 1];
  const ticks = places.map((position) => ({ position, label: String(Number((low + (high - low) * position).toPrecision(2))) }));
  return { title, under, over, opacity: display.opacity ?? 1, legend, ticks, unit, signed: low < 0 && high > 0, notice: null };
}

/**
 * The value at each pixel, between the four around it.
 * @param {Plane} plane
 * @param {Picture} over
 */
function interpolated({ plane, width, height, display }, over) {
  const smooth = display.interpolation !== 'nearest';
  /** @type {(at: number, size: number, count: number) => [number, number, number]} */
  const place = (at, size, count) => {
    const exact = ((at + 0.5) * count) / size - 0.5;
    const clamp = (/** @type {number} */ i) => Math.max(0, Math.min(count - 1, i));
    if (!smooth) return [clamp(Math.round(exact)), 0, 0];
    const low = Math.floor(exact);
    return [clamp(low), clamp(low + 1), exact - low];
  };
  const columns = Array.from({ length: over.width }, (_, x) => place(x, over.width, width));
  const rows = Array.from({ length: over.height }, (_, y) => place(y, over.height, height));
  return (/** @type {number} */ i) => {
    const [x0, x1, u] = columns[i % over.width];
    const [y0, y1, v] = rows[Math.floor(i / over.width)];
    const row = (/** @type {number} */ y) => plane[y * width + x0] * (1 - u) + plane[y * width + x1] * u;
    return row(y0) * (1 - v) + row(y1) * v;
  };
}

/**
 * @param {Display} display
 * @param {number} magnitude
 * @returns {(value: number) => number[]}
 */
function colourOf({ colours = 'blue-red', sign }, magnitude) {
  const stops = COLOURS[colours in COLOURS ? colours : 'blue-red'];
  const diverges = sign === 'both' || DIVERGING.has(colours);
  return (value) => {
    const share = Math.max(-1, Math.min(1, value / (magnitude || 1)));
    const at = (diverges ? 0.5 + 0.5 * share : Math.abs(share)) * (stops.length - 1);
    const [a, b] = [stops[Math.floor(at)], stops[Math.min(stops.length - 1, Math.floor(at) + 1)]];
    return a.map((low, c) => low + (b[c] - low) * (at % 1));
  };
}

/**
 * The picture under the map.
 * @param {ImageData} seen
 * @param {string} kind
 * @returns {Picture}
 */
function underlay({ width, height, data }, kind) {
  const rgba = new Uint8ClampedArray(data);
  for (let i = 0; i < rgba.length; i += 4) {
    const grey = 0.299 * rgba[i] + 0.587 * rgba[i + 1] + 0.114 * rgba[i + 2];
    const light = kind === 'grey' ? grey : kind === 'pale' ? 170 + grey / 3 : kind === 'faint' ? 217 + 0.15 * grey : null;
    if (light !== null) rgba[i] = rgba[i + 1] = rgba[i + 2] = light;
  }
  return { width, height, rgba };
}
