// The parts of the model that is open, and the notes on it.

/** @import { Head, Model } from '../../api/pellucid' */

import { h } from '../dom.js';
import { dimensions } from '../format.js';

/** The heads, in words. @type {Record<Head, string>} */
const HEADS = {
  softmax: 'a softmax: one class of all is right',
  sigmoid: 'sigmoids: each class is right or not by itself',
  none: 'none, only scores',
};

/** The card, and what fills it. */
export function createCard() {
  const facts = h('dl', { class: 'facts' });
  const notes = h('div', { class: 'prose' });
  const show = (/** @type {Model} */ model) => {
    facts.replaceChildren(...about(model).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
    notes.replaceChildren(...told(model).map((note) => h('p', {}, note)));
  };
  return { facts, notes, show };
}

/** Most kinds of operators that are named. */
const MOST = 8;

/**
 * How many nodes there are of each kind, the most frequent first.
 * @param {Model['summary']['operators']} counts
 */
function operators(counts) {
  const named = counts.slice(0, MOST).map(([name, count]) => `${count}\u00a0${name}`);
  const rest = counts.slice(MOST).reduce((sum, [, count]) => sum + count, 0);
  return [...named, ...(rest ? [`${rest} others`] : [])].join(', ');
}

/**
 * A guess goes first: it needs a correction most.
 * @param {Model} model
 */
const told = ({ guess, notes }) => (guess ? [guess, ...notes] : notes);

/**
 * How pictures are prepared, in words.
 * @param {Model['preprocessing']} preprocessing
 */
function prepared({ mean, std, channels, resize, interpolation }) {
  const list = (/** @type {number[]} */ values) => values.map((value) => Number(value.toFixed(2))).join(', ');
  return `(${channels.toUpperCase()} − ${list(mean)}) / ${list(std)}; ${resize}, ${interpolation}`;
}

/**
 * @param {Model} model
 * @returns {[name: string, value: string][]}
 */
function about({ name, input, classes, head, layers, license, missing, preprocessing, guess, summary }) {
  return [
    ['Open now', name],
    ['Input', dimensions(input)],
    [guess ? 'Pictures (a guess)' : 'Pictures', prepared(preprocessing)],
    ['Classes', `${classes.toLocaleString('en')}${missing.includes('labels') ? ', without names' : ''}`],
    ['Probabilities', HEADS[head]],
    ['Parameters', `${summary.parameters.toLocaleString('en')} (${summary.element_types.join(', ')})`],
    ['Operators', operators(summary.operators)],
    ['Memory, about', `${Math.max(1, Math.round(summary.memory / 2 ** 20)).toLocaleString('en')} MB`],
    ['Layers', String(layers.length)],
    ...(license ? [/** @type {[string, string]} */ (['Licence', license])] : []),
  ];
}
