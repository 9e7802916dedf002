// The attributes of the tag, and what they mean.

/** @import { Setting } from '../api/pellucid' */
/** @import { Controls, Look, Opening } from './types' */

import { failure } from './files.js';

/** How the model is opened: tags in which one of these differs have engines of their own. */
const MODEL = ['model', 'labels', 'preprocessing', 'preset', 'mean', 'std', 'channels', 'resize', 'interpolation', 'size', 'scores', 'head', 'backend'];

/** Attributes of the question: another value is another run. */
export const ASKED = [...MODEL, 'src', 'method', 'target', 'versus', 'layer', 'score', 'seed', 'parameters', 'precomputed', 'compare'];

/** Attributes of the look alone. */
export const SHOWN = ['alt', 'colours', 'opacity', 'controls', 'height'];

export const ATTRIBUTES = [...ASKED, ...SHOWN];

/** The method unless there is one. */
export const METHOD = 'grad-cam';

/**
 * How the model is opened, as the API takes it; what is left out is not there.
 * @param {Pick<Element, 'getAttribute'>} element
 * @returns {Opening}
 */
export function openingFrom(element) {
  /** @type {Record<string, any>} */
  const given = {};
  for (const name of MODEL) {
    const text = element.getAttribute(name)?.trim();
    if (text) given[name] = name === 'mean' || name === 'std' ? numbersFrom(name, text, 3) : name === 'size' ? numbersFrom(name, text, 2) : text;
  }
  const { model, labels, preprocessing: config, scores, size, head, backend, ...preprocessing } = given;
  return { model, labels, config, preprocessing, scores, size, head, backend };
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} count
 */
function numbersFrom(name, text, count) {
  const numbers = text.split(/[\s,x[\]]+/).filter(Boolean).map(Number);
  if (numbers.length !== count || !numbers.every(Number.isFinite)) throw failure('argument', `The attribute ${name} takes ${count} numbers; it has "${text}".`);
  return numbers;
}

/**
 * A number; what is none stays, and is refused by the engine as what it is.
 * @param {string} text
 */
export const numberFrom = (text) => /** @type {number} */ (Number.isNaN(Number(text)) ? text : Number(text));

/**
 * Parameters of a method: JSON, or `key=value` with blanks or semicolons between.
 * @param {string | null} text
 * @returns {Record<string, Setting>}
 */
export function parametersFrom(text) {
  const trimmed = text?.trim();
  if (!trimmed) return {};
  if (trimmed.startsWith('{')) return fromJson(trimmed);
  const pairs = trimmed.split(/[\s;]+/).filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw failure('argument', `"${pair}" is no parameter. Write parameters as key=value, with blanks between, or as JSON.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** @param {string} text */
function fromJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw failure('argument', 'The attribute parameters begins like JSON, and is none.');
  }
}

/**
 * How much of the tag is shown.
 * @param {string | null} text
 * @returns {Controls}
 */
export const controlsFrom = (text) => (text === 'none' || text === 'minimal' ? text : 'full');

/**
 * The look that the attributes ask for.
 * @param {Pick<Element, 'getAttribute'>} element
 * @returns {Look}
 */
export function lookFrom(element) {
  const opacity = Number.parseFloat(element.getAttribute('opacity') ?? '');
  const height = element.getAttribute('height')?.trim();
  return {
    colours: element.getAttribute('colours'),
    opacity: Number.isNaN(opacity) ? null : Math.max(0, Math.min(1, opacity)),
    // A bare number is of pixels, as in HTML.
    height: height ? (/^\d+(\.\d+)?$/.test(height) ? `${height}px` : height) : null,
  };
}

/**
 * The methods or classes that are compared: several methods, or several classes as the API takes them.
 * @param {string | null} text
 * @param {{ id: string }[]} methods
 * @returns {{ methods: string[] } | { classes: string } | null}
 */
export function comparedFrom(text, methods) {
  const items = (text ?? '').split(',').map((item) => item.trim()).filter(Boolean);
  if (!text || !items.length) return null;
  const known = items.filter((item) => methods.some(({ id }) => id === item));
  return known.length === items.length ? { methods: known } : { classes: text };
}
