// The explainer that the page shows. It is there after a while, and another one takes its place where its model could not
// be opened and the next one can.

/** @import { LoadOptions, OpenModelOptions } from '../api/pellucid' */
/** @import { PageEngine } from './types' */

import { Explainer } from '../api/pellucid.js';

/**
 * `own` is what the page itself has of Pellucid: its parts, and a model where it was saved with one.
 * @param {LoadOptions} options
 * @param {Promise<LoadOptions>} own
 * @returns {PageEngine}
 */
export function createEngine(options, own) {
  let loaded = own.then((parts) => Explainer.load({ ...options, ...parts }));
  // Whoever asks it hears why there is none.
  loaded.catch(() => {});
  return {
    get loaded() {
      return loaded;
    },
    async open(/** @type {OpenModelOptions} */ model) {
      const explainer = await loaded.catch(() => null);
      const opening = openingOf(model, await own);
      if (explainer) await explainer.open(opening);
      else {
        const next = await Explainer.load({ ...options, ...opening });
        loaded = Promise.resolve(next);
      }
      return loaded;
    },
    async beside(/** @type {OpenModelOptions} */ model) {
      const explainer = await loaded;
      const opening = openingOf({ ...model, model: model.model ?? (await explainer.file()) }, await own);
      // The compiled engine is used again.
      return Explainer.load({ ...opening, assets: explainer.assets, backend: explainer.backend.kind, workers: 1 });
    },
  };
}

/**
 * How to open a model with the page's own parts; without a model this is the way back to the page's own.
 * @param {OpenModelOptions} model
 * @param {LoadOptions} parts
 */
const openingOf = (model, parts) => (model.model ? { assets: parts.assets, ...model } : { ...parts, ...model });

/** As many workers as the API takes. */
const MOST = 8;

/**
 * How many workers the address asks for; null where it leaves that open.
 * @param {string | null} text
 */
export function workersFrom(text) {
  const number = Math.floor(Number(text));
  return text && !Number.isNaN(number) ? Math.max(1, Math.min(number, MOST)) : null;
}
