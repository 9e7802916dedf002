// Latest wins: while one thing is being made, only the newest wish is kept.

import { codeOf } from '../shared/errors.js';

/**
 * Wraps `work(wish)`: it is called with one wish at a time, and never with one that another has replaced. `onError` hears why
 * one failed.
 * @template {unknown[]} Wish
 * @param {(...wish: Wish) => Promise<unknown>} work
 * @param {(error: unknown) => unknown} onError
 */
export function latest(work, onError) {
  /** @type {Wish | null} */
  let wanted = null;
  let busy = false;
  return async (/** @type {Wish} */ ...wish) => {
    wanted = wish;
    if (busy) return;
    busy = true;
    while (wanted) {
      /** @type {Wish} */
      const next = wanted;
      wanted = null;
      try {
        await work(...next);
      } catch (error) {
        // A map that is gone belongs to a run that another has replaced.
        if (!['argument', 'crashed', 'cancelled'].includes(codeOf(error))) onError(error);
      }
    }
    busy = false;
  };
}
