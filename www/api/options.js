// The options of the API, checked: a misspelt one would silently be its default.

/** @import { LoadOptions, OpenModelOptions } from './pellucid' */
/** @import { Assets, Opening } from './types' */

import { SHIPPED, address, assetsFrom } from './assets.js';
import { PellucidError } from './errors.js';
import { MOST_WORKERS } from './workers.js';

const QUESTION = ['method', 'target', 'layer', 'versus', 'score', 'seed', 'parameters', 'background', 'baseline', 'segments', 'samples'];
const MODEL = ['model', 'files', 'labels', 'preprocessing', 'scores', 'size', 'head', 'name', 'assets', 'signal'];

/** The options of each call. */
const KNOWN = {
  load: [...MODEL, 'backend', 'workers', 'timeout', 'retries', 'onProgress', 'onRestart', 'onDead'],
  open: MODEL,
  see: ['signal'],
  classify: ['signal', 'top', 'preprocessing', 'head'],
  explain: [...QUESTION, 'signal', 'onProgress', 'partial'],
  sweep: [...QUESTION, 'signal', 'onProgress'],
  segments: ['method', 'parameters', 'signal'],
  hide: ['signal'],
  draw: ['canvas', 'shared', 'small', 'values', 'signal'],
  png: ['shared', 'signal'],
  npy: ['signal'],
};

/**
 * What the options that JavaScript itself uses may be; the engine checks the others. Each is a check and its words.
 * @type {[keys: string[], fits: (value: any) => boolean, words: string][]}
 */
const CHECKS = [
  [['workers'], (value) => isWhole(value) && value > 0 && value <= MOST_WORKERS, `a whole number from 1 to ${MOST_WORKERS}`],
  [['retries', 'top'], (value) => isWhole(value), 'a whole number from 0'],
  [['timeout'], (value) => value > 0, 'a number above 0'],
  [['signal'], (value) => value instanceof AbortSignal, 'the signal of an AbortController'],
  [['onProgress', 'onRestart', 'onDead'], (value) => typeof value === 'function', 'a function'],
  [['files'], (value) => [...value].every((file) => file instanceof Blob), 'a list of Files: the model’s own, not their addresses'],
  [['preprocessing', 'assets'], (value) => typeof value === 'object', 'an object'],
  [['background'], (value) => !Array.isArray(value) || value.length > 0, 'an image or a list of some'],
];

/** @param {unknown} value */
export const isWhole = (value) => Number.isInteger(value) && /** @type {number} */ (value) >= 0;

/**
 * Refuses a value by its name, with what is allowed.
 * @param {string} name
 * @param {unknown} value
 * @param {string} words
 */
export function unfit(name, value, words) {
  const given = typeof value === 'string' ? JSON.stringify(value) : Array.isArray(value) ? `[${value}]` : String(value);
  return new PellucidError('argument', `${name} is ${given}, and should be ${words}`);
}

/**
 * The options of a call, which are all known and of their kinds.
 * @template {object} Options
 * @param {keyof typeof KNOWN} call
 * @param {Options} options
 * @returns {Options}
 */
export function optionsFrom(call, options) {
  const known = KNOWN[call];
  const given = options ?? /** @type {Options} */ ({});
  for (const [key, value] of Object.entries(given)) {
    if (!known.includes(key)) throw new PellucidError('argument', `${call} has no option ${JSON.stringify(key)}; it has ${known.join(', ')}`);
    const [, , words] = CHECKS.find(([keys, fits]) => keys.includes(key) && value !== undefined && value !== null && !isFit(fits, value)) ?? [];
    if (words) throw unfit(key, value, words);
  }
  return given;
}

/**
 * @param {(value: any) => boolean} fits
 * @param {unknown} value
 */
function isFit(fits, value) {
  try {
    return fits(value);
  } catch {
    return false;
  }
}

/** @param {Pick<LoadOptions, 'assets'>} options */
export const assetsFor = ({ assets }) => assetsFrom(assets);

/**
 * How to open what is asked for, or the model that ships.
 * @param {OpenModelOptions} options
 * @param {Assets} assets
 * @returns {Opening}
 */
export function openingFrom({ model, files, labels, preprocessing, scores, size, head, name }, assets) {
  const file = model === undefined || model === null ? assets.model : fileOf('model', model);
  const names = labels === undefined || labels === null || isList(labels) ? undefined : fileOf('labels', labels);
  return {
    model: file,
    name: String(name ?? (model === undefined || model === null ? SHIPPED : nameOf(model))),
    labels: names,
    labelsFile: labels instanceof File ? labels.name : undefined,
    files: files && [...files],
    config: preprocessing?.config instanceof Blob ? preprocessing.config : undefined,
    options: { ...preprocessingFrom(preprocessing), scores, size, labels: isList(labels) ? labels : undefined, head },
  };
}

/** The keys of preprocessing. */
const PREPROCESSING = ['preset', 'config', 'mean', 'std', 'channels', 'resize', 'interpolation'];

/**
 * The options of a trial, as a model is opened with them; none where they are left out.
 * @param {Pick<OpenModelOptions, 'preprocessing' | 'head'>} options
 * @returns {Promise<Opening['options'] | undefined>}
 */
export async function trialFrom({ preprocessing, head }) {
  if (preprocessing === undefined && head === undefined) return undefined;
  const config = preprocessing?.config instanceof Blob ? await preprocessing.config.text() : preprocessing?.config;
  return { ...preprocessingFrom({ ...preprocessing, config }), head };
}

/**
 * @param {OpenModelOptions['preprocessing']} given
 * @returns {Partial<Opening['options']>}
 */
function preprocessingFrom(given) {
  const { resize, config, ...rest } = given ?? {};
  const unknown = Object.keys(rest).find((key) => !PREPROCESSING.includes(key));
  if (unknown !== undefined) {
    throw new PellucidError('argument', `preprocessing has no option ${JSON.stringify(unknown)}; it has ${PREPROCESSING.join(', ')}`);
  }
  return { ...rest, config: typeof config === 'string' ? config : undefined, resize: resize === undefined ? undefined : String(resize) };
}

/** @param {unknown} labels @returns {labels is string[]} */
const isList = (labels) => Array.isArray(labels);

/**
 * A file, or its address.
 * @param {string} what
 * @param {unknown} source
 */
export function fileOf(what, source) {
  if (source instanceof Blob) return source;
  if (typeof source === 'string' || source instanceof URL) return addressOf(what, source);
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return new Blob([/** @type {BlobPart} */ (source)]);
  throw unfit(what, source, 'an address, a File or Blob, or its bytes');
}

/**
 * An address, made absolute.
 * @param {string} what
 * @param {string | URL} source
 */
export function addressOf(what, source) {
  try {
    return address(source);
  } catch {
    throw new PellucidError('argument', `${JSON.stringify(String(source))} is no address of ${what === 'model' ? 'a model' : what}.`);
  }
}

/**
 * A model's name where its file does not say it.
 * @param {unknown} model
 */
function nameOf(model) {
  const path = model instanceof File ? model.name : typeof model === 'string' || model instanceof URL ? address(model) : 'model';
  const file = path.split(/[?#]/)[0].split('/').pop() || path;
  return file.replace(/\.onnx$/i, '');
}
