// One thing after another, in the order in which they were asked for.

import { cancelled } from './errors.js';

/**
 * Makes a queue: `inTurn(work, { signal, whole })` resolves to what `work()` does when its turn comes. Whoever aborts
 * is answered at once, and the next waits until the work has really ended; `whole` waits for the work's own answer.
 */
export function createQueue() {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @param {{ signal?: AbortSignal, whole?: boolean }} [options]
   * @returns {Promise<T>}
   */
  return function inTurn(work, { signal, whole = false } = {}) {
    const turn = last.then(() => {
      if (signal?.aborted) throw cancelled();
      return work();
    });
    last = turn.catch(() => {});
    return whole ? turn : abortable(turn, signal);
  };
}

/**
 * A promise that rejects as soon as `signal` aborts.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
export function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(cancelled());
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
