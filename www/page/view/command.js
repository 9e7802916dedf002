// The explanation that is shown, as a command line that gives the same map.

/** @import { Explainer } from '../../api/pellucid' */
/** @import { State } from '../types' */

import { displayFor, displayOf } from '../state/display.js';
import { methodOf } from '../state/question.js';

/**
 * A word as a POSIX shell takes it.
 * @param {string} text
 */
const word = (text) => (/^[\w./:,+-][\w./:@%+=,-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/**
 * A file's name, which must not be taken for an option.
 * @param {string} name
 */
const file = (name) => word(name.startsWith('-') ? `./${name}` : name);

/**
 * `opened` is what the model was opened with; the target is an index, since names may stand twice. There is a
 * command once something was asked.
 * @param {State} state
 * @param {Explainer['opened']} opened
 */
export function commandOf(state, opened) {
  const { picture, run: { asked } } = state;
  if (!asked) return '';
  const index = (/** @type {number} */ target) => `index:${target}`;
  /** @type {[name: string, value: string | number | null | undefined][]} */
  const options = [
    ['model', opened.file && file(opened.file)],
    ['scores', opened.scores && word(opened.scores)],
    ['size', opened.size?.join('x')],
    ['preset', opened.preset],
    ['preprocessing', opened.configFile && file(opened.configFile)],
    ['channels', opened.channels],
    ['resize', opened.resize && word(opened.resize)],
    ['interpolation', opened.interpolation],
    ['mean', opened.mean?.join(',')],
    ['std', opened.std?.join(',')],
    ['labels', opened.labelsFile && file(opened.labelsFile)],
    ['head', state.info?.model.chosen_head],
    ['backend', opened.backend === 'auto' ? null : opened.backend],
    ['method', asked.method],
    ['target', asked.targets.map(index).join(',')],
    ['versus', asked.versus === null ? null : index(asked.versus)],
    ['layer', asked.layer && word(asked.layer)],
    ['score', asked.score],
    ['seed', asked.seed || null],
    ...Object.entries(asked.files).flatMap(([key, given]) => (given ? given.blobs.map(({ name }) => pair(key, file(name))) : [])),
    ...Object.entries(asked.parameters).map(([key, value]) => pair('set', word(`${key}=${value}`))),
    ...changes(state).map(([key, value]) => pair('display', word(`${key}=${value}`))),
    ['output', 'overlay.png'],
  ];
  const given = options.filter(([, value]) => value !== null && value !== undefined && value !== '');
  // A value that begins with a dash is taken for an option unless it is joined to its own.
  const text = (/** @type {typeof options[number]} */ [name, value]) => `--${name}${String(value).startsWith('-') ? '=' : ' '}${value}`;
  return ['pellucid explain', file(picture?.name ?? 'picture.png'), ...given.map(text)].join(' ');
}

/**
 * @param {string} name
 * @param {string} value
 * @returns {[string, string]}
 */
const pair = (name, value) => [name, value];

/**
 * The display options that differ from those that suit the method's maps.
 * @param {State} state
 */
function changes(state) {
  const usual = new Map(Object.entries(displayFor(methodOf(state), state.run.report)));
  const json = (/** @type {unknown} */ value) => JSON.stringify(value ?? null);
  const differs = (/** @type {[string, unknown]} */ [key, value]) => json(value) !== json(usual.get(key));
  const text = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : json(value));
  return Object.entries(displayOf(state)).filter(differs).map(([key, value]) => [key, text(value)]);
}
