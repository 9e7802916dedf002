// How a map is drawn: the display options in use, from what the reader has chosen.

/** @import { Display, Explanation, Method } from '../../api/pellucid' */
/** @import { Lock, State } from '../types' */

import { methodOf } from './question.js';

/**
 * The display options in use: what was chosen, on top of what suits the method and the signs of its map.
 * @param {State} state
 * @returns {Display}
 */
export function displayOf(state) {
  return { ...displayFor(methodOf(state), state.run.report, state.lock), ...state.display };
}

/**
 * The display options that suit a method and the signs of its maps, on the scale that is locked if one is.
 * @param {Method | undefined} spec
 * @param {Explanation} [report]
 * @param {Lock | null} [lock]
 * @returns {Display}
 */
export function displayFor(spec, report, lock) {
  const unsigned = report && report.targets.every(({ min }) => min >= 0);
  const kind = spec?.layer === 'optional' && report?.layer ? 'layer' : unsigned ? 'unsigned' : 'signed';
  return { ...spec?.display[kind], ...(lock && { scale: lock.scale }) };
}
