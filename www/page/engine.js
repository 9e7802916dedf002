// The explainer that the page shows. It is there after a while, and another one takes its place where its model could not
// be opened and the next one can.

/** @import { LoadOptions, OpenModelOptions } from '../api/pellucid' */
/** @import { PageEngine } from './types' */

import { Explainer } from '../api/pellucid.js';

/**
 * @param {LoadOptions} options
 * @returns {PageEngine}
 */
export function createEngine(options) {
  let loaded = Explainer.load(options);
  // Whoever asks it hears why there is none.
  loaded.catch(() => {});
  return {
    get loaded() {
      return loaded;
    },
    async open(/** @type {OpenModelOptions} */ model) {
      const explainer = await loaded.catch(() => null);
      if (explainer) await explainer.open(model);
      else {
        const next = await Explainer.load({ ...options, ...model });
        loaded = Promise.resolve(next);
      }
      return loaded;
    },
  };
}

/**
 * How many workers the address asks for; null where it leaves that open.
 * @param {string | null} text
 */
export function workersFrom(text) {
  const number = Number(text);
  return text && !Number.isNaN(number) ? number : null;
}
