// Maps that were made before, read from a file: a report of the command line (`--output map.json`), or an array of numpy.

/** @import { ClassScore, Display, Target } from '../api/pellucid' */
/** @import { StoredMap } from './types' */

import { failure } from './files.js';

/** More values are no map. */
const MOST = 1 << 26;

/**
 * The maps of a file, and what it says of them.
 * @param {Blob} file
 * @returns {Promise<{ maps: StoredMap[], report: Record<string, any> }>}
 */
export async function mapsIn(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === 0x93) return { maps: fromNumpy(bytes), report: {} };
  let report;
  try {
    report = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw damaged('is neither JSON nor an array of numpy');
  }
  const targets = report?.targets ?? [report];
  const maps = targets.map((/** @type {any} */ target) => ({ ...target, ...arrayOf(target?.values, target?.shape) }));
  return { maps, report };
}

/** @param {string} why */
const damaged = (why) => failure('argument', `The file of precomputed ${why}. Make it with pellucid explain --output map.json.`);

/**
 * @param {unknown} values
 * @param {unknown} shape
 */
function arrayOf(values, shape) {
  const isShape = Array.isArray(shape) && [2, 3].includes(shape.length) && shape.every((side) => Number.isInteger(side) && side > 0);
  if (!isShape || values === undefined) throw damaged('has no values with their shape');
  const data = typeof values === 'string' ? floats(values) : Float32Array.from(/** @type {number[]} */ (values));
  return checked(data, shape);
}

/**
 * @param {Float32Array<ArrayBuffer>} values
 * @param {number[]} shape
 */
function checked(values, shape) {
  const size = shape.reduce((product, side) => product * side, 1);
  if (size !== values.length || size > MOST || !values.every(Number.isFinite)) throw damaged(`is damaged: its values are not those of ${shape.join(' x ')}`);
  return { values, shape };
}

/**
 * Numbers of 32 bits, the low byte first, in base64.
 * @param {string} text
 */
function floats(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return numbers(bytes, 4);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {4 | 8} width
 */
function numbers(bytes, width) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = (/** @type {number} */ i) => (width === 4 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true));
  return Float32Array.from({ length: Math.floor(bytes.length / width) }, (_, i) => read(i));
}

/**
 * A `.npy` file: a map [H, W] or [C, H, W], or several along a first axis more.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {StoredMap[]}
 */
function fromNumpy(bytes) {
  const view = new DataView(bytes.buffer);
  const long = bytes[6] > 1;
  const start = (long ? 12 : 10) + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder().decode(bytes.subarray(0, start));
  const [, width] = /'descr':\s*'<f([48])'/.exec(header) ?? [];
  const sides = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1].split(',').map(Number).filter(Boolean) ?? [];
  if (!width || /'fortran_order':\s*True/.test(header)) throw damaged('holds no float32 values in C order');
  const values = numbers(bytes.subarray(start), width === '4' ? 4 : 8);
  // Four axes are several maps; three are channels.
  const [count, shape] = sides.length === 4 ? [sides[0], sides.slice(1)] : [1, sides];
  const size = values.length / count;
  if (![2, 3].includes(shape.length) || !Number.isInteger(size)) throw damaged('holds no map: its shape is not [H,W] or [C,H,W]');
  return Array.from({ length: count }, (_, k) => checked(values.slice(k * size, (k + 1) * size), shape));
}

/**
 * The display options of a map that has none: for both signs, or for one.
 * @param {StoredMap} map
 * @returns {Display}
 */
export function usualDisplay({ values, shape }) {
  const fine = shape.length === 3;
  if (values.every((value) => value >= 0)) {
    return { colours: 'inferno', sign: 'absolute', channels: 'max-abs', opacity: fine ? 0.85 : 0.6, clip: fine ? 99.5 : 100, blend: 'overlay', underlay: 'colour' };
  }
  return { colours: 'blue-red', sign: 'both', channels: 'sum', opacity: fine ? 1 : 0.85, clip: fine ? 99.5 : 100, blend: 'alpha-by-magnitude', underlay: fine ? 'pale' : 'grey' };
}

/**
 * The words for what maps show.
 * @param {string} label
 * @param {(Target | undefined)[]} targets
 * @param {Target | null} [versus]
 */
export function nameOf(label, targets, versus) {
  const labels = targets.flatMap((target) => (target ? `“${target.label}”` : []));
  return [label, labels.length && ` for ${labels.join(', ')}`, versus && ` rather than “${versus.label}”`].filter(Boolean).join('');
}

/**
 * The classes of maps, with their scores.
 * @param {StoredMap[]} maps
 * @returns {ClassScore[]}
 */
export const classesOf = (maps) =>
  maps.flatMap(({ target, logit = 0, probability = null }) => (target ? [{ ...target, logit, probability }] : []));
