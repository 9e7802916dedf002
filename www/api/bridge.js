// Promises over a worker: one message out, one answer back, with progress between and a signal to stop.

/** @import { ArgumentsOf, FromWorker, Operation, ToWorker, ValueOf } from '../shared/wire' */
/** @import { CallOptions } from './types' */

import { messageOf } from '../shared/errors.js';
import { PellucidError, cancelled } from './errors.js';
import { startWorker } from './start.js';

/**
 * A call that has no answer yet.
 * @template {Operation} O
 * @typedef {object} Pending
 * @property {(value: ValueOf<O>) => void} resolve
 * @property {(error: PellucidError) => void} reject
 * @property {CallOptions<O>['onProgress']} [onProgress]
 * @property {() => void} settle
 */

export class Bridge {
  /** @type {ReturnType<typeof startWorker> | null} */
  #worker;
  /**
   * The calls without an answer. Their operations differ, so what is known of one is in `call` alone.
   * @type {Map<number, Pending<any>>}
   */
  #pending = new Map();
  #next = 1;
  #onCrash;
  #onSummon;

  /**
   * `script` is the worker's script, or its address. `onCrash(error)` is called once, when the worker can no longer be
   * used; `onSummon(present)` when it wants helpers besides those whose numbers are given.
   * @param {string | Blob} script
   * @param {(error: PellucidError) => unknown} onCrash
   * @param {(present: number[]) => unknown} [onSummon]
   */
  constructor(script, onCrash, onSummon) {
    this.#onCrash = onCrash;
    this.#onSummon = onSummon;
    this.#worker = startWorker(script, (message) => this.#receive(message), (error) => this.#crash(error));
  }

  /**
   * Asks the worker for `op`; rejects with a PellucidError.
   * @template {Operation} O
   * @param {O} op
   * @param {ArgumentsOf<O>} args
   * @param {CallOptions<O>} [options]
   * @returns {Promise<ValueOf<O>>}
   */
  call(op, args, { signal, onProgress, transfer = [] } = {}) {
    return new Promise((resolve, reject) => {
      if (!this.#worker) return reject(new PellucidError('crashed', 'the engine is not running'));
      if (signal?.aborted) return reject(cancelled());
      try {
        if (!transfer.length) structuredClone(args);
      } catch (error) {
        return reject(new PellucidError('argument', `An option cannot be sent to the worker: ${messageOf(error)} Give plain values and files.`));
      }
      const id = this.#next++;
      const stop = () => this.#worker?.post({ id, stop: true });
      signal?.addEventListener('abort', stop, { once: true });
      const settle = () => signal?.removeEventListener('abort', stop);
      this.#pending.set(id, { resolve, reject, onProgress, settle });
      this.#worker.post(/** @type {ToWorker} */ ({ id, op, args }), transfer);
    });
  }

  /** Ends the worker; what is pending is rejected. */
  close(why = new PellucidError('crashed', 'the engine stopped')) {
    this.#worker?.end();
    this.#worker = null;
    for (const { reject, settle } of this.#pending.values()) {
      settle();
      reject(why);
    }
    this.#pending.clear();
  }

  /** @param {FromWorker} message */
  #receive(message) {
    if ('fatal' in message) return this.#crash(new PellucidError('crashed', message.fatal));
    if ('summon' in message) return this.#onSummon?.(message.summon);
    if (!('id' in message)) return;
    const call = this.#pending.get(message.id);
    if (!call) return;
    if ('progress' in message) return call.onProgress?.(message.progress);
    this.#pending.delete(message.id);
    call.settle();
    if ('error' in message) call.reject(new PellucidError(message.error.code, message.error.message));
    else call.resolve(message.value);
  }

  /** @param {PellucidError} error */
  #crash(error) {
    if (!this.#worker) return;
    this.close(error);
    this.#onCrash(error);
  }
}
