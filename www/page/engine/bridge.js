// Promises over a worker: one message out, one answer back, with progress between and a signal to stop.

/** @import { ArgumentsOf, FromWorker, Operation, ToWorker, ValueOf } from '../../shared/wire' */
/** @import { CallOptions } from '../types' */

import { WORKER } from '../urls.js';

/** An error with Pellucid's stable code and a sentence that says what to do. */
export class PellucidError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = 'PellucidError';
    this.code = code;
  }
}

/** @type {string | undefined} */
let script;

/**
 * The address of the worker's script. A worker that starts from an address of the host has the policy of that response's
 * headers, so none on a static host; one that starts from a blob has the page's own, in its `<meta>`. So the blob only
 * imports the script of `worker/`, which is the only one that Trusted Types lets the page start.
 */
function workerUrl() {
  const createScriptURL = (/** @type {string} */ url) => {
    if (url !== WORKER) throw new TypeError(`not a script of this page: ${url}`);
    return URL.createObjectURL(new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' }));
  };
  const maker = () => trustedTypes()?.createPolicy('pellucid', { createScriptURL }) ?? { createScriptURL };
  script ??= maker().createScriptURL(WORKER);
  return script;
}

/**
 * Trusted Types, where the browser has them. What its policy makes is a text to the type checker.
 * @returns {{ createPolicy(name: string, rules: object): { createScriptURL(url: string): string } } | undefined}
 */
const trustedTypes = () => /** @type {any} */ (globalThis).trustedTypes;

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
  /** @type {Worker | null} */
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
   * `onCrash(message)` is called once, when the worker can no longer be used; `onSummon(present)` when it wants helpers besides
   * those whose numbers are given.
   * @param {(message: string) => unknown} onCrash
   * @param {(present: number[]) => unknown} [onSummon]
   */
  constructor(onCrash, onSummon) {
    this.#onCrash = onCrash;
    this.#onSummon = onSummon;
    this.#worker = new Worker(workerUrl(), { type: 'module', name: 'pellucid' });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#crash(event.message || 'the worker could not be started');
    };
    this.#worker.onmessageerror = () => this.#crash('a message could not be read');
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
      if (signal?.aborted) return reject(new PellucidError('cancelled', 'stopped on request'));
      const id = this.#next++;
      const stop = () => this.#post({ id, stop: true });
      signal?.addEventListener('abort', stop, { once: true });
      const settle = () => signal?.removeEventListener('abort', stop);
      this.#pending.set(id, { resolve, reject, onProgress, settle });
      this.#post(/** @type {ToWorker} */ ({ id, op, args }), transfer);
    });
  }

  /**
   * @param {ToWorker} message
   * @param {Transferable[]} [transfer]
   */
  #post(message, transfer = []) {
    this.#worker?.postMessage(message, transfer);
  }

  /** Ends the worker; what is pending is rejected. */
  close(why = 'the engine stopped') {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject, settle } of this.#pending.values()) {
      settle();
      reject(new PellucidError('crashed', why));
    }
    this.#pending.clear();
  }

  /** @param {FromWorker} message */
  #receive(message) {
    if ('fatal' in message) return this.#crash(message.fatal);
    if ('summon' in message) return this.#onSummon?.(message.summon);
    const call = this.#pending.get(message.id);
    if (!call) return;
    if ('progress' in message) return call.onProgress?.(message.progress);
    this.#pending.delete(message.id);
    call.settle();
    if ('error' in message) call.reject(new PellucidError(message.error.code, message.error.message));
    else call.resolve(message.value);
  }

  /** @param {string} message */
  #crash(message) {
    if (!this.#worker) return;
    this.close(message);
    this.#onCrash(message);
  }
}
