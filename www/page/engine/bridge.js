// Promises over a worker: one message out, one answer back, with progress between and a signal to stop.

import { WORKER } from '../urls.js';

/** An error with Pellucid's stable code and a sentence that says what to do. */
export class PellucidError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'PellucidError';
    this.code = code;
  }
}

let script;

/**
 * The address of the worker's script. A worker that starts from an address of the host has the policy of that response's
 * headers, so none on a static host; one that starts from a blob has the page's own, in its `<meta>`. So the blob only
 * imports the script of `worker/`, which is the only one that Trusted Types lets the page start.
 */
function workerUrl() {
  const createScriptURL = (url) => {
    if (url !== WORKER) throw new TypeError(`not a script of this page: ${url}`);
    return URL.createObjectURL(new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' }));
  };
  const maker = () => globalThis.trustedTypes?.createPolicy('pellucid', { createScriptURL }) ?? { createScriptURL };
  script ??= maker().createScriptURL(WORKER);
  return script;
}

export class Bridge {
  #worker;
  #pending = new Map();
  #next = 1;
  #onCrash;
  #onSummon;

  /**
   * `onCrash(message)` is called once, when the worker can no longer be used; `onSummon(present)` when it wants helpers besides
   * those whose numbers are given.
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

  /** Asks the worker for `op`; rejects with a PellucidError. */
  call(op, args = {}, { signal, onProgress, transfer = [] } = {}) {
    return new Promise((resolve, reject) => {
      if (!this.#worker) return reject(new PellucidError('crashed', 'the engine is not running'));
      if (signal?.aborted) return reject(new PellucidError('cancelled', 'stopped on request'));
      const id = this.#next++;
      const stop = () => this.#worker?.postMessage({ id, stop: true });
      signal?.addEventListener('abort', stop, { once: true });
      const settle = () => signal?.removeEventListener('abort', stop);
      this.#pending.set(id, { resolve, reject, onProgress, settle });
      this.#worker.postMessage({ id, op, args }, transfer);
    });
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

  #receive({ id, value, error, progress, fatal, summon }) {
    if (fatal) return this.#crash(fatal);
    if (summon) return this.#onSummon?.(summon);
    const call = this.#pending.get(id);
    if (!call) return;
    if (progress) return call.onProgress?.(progress);
    this.#pending.delete(id);
    call.settle();
    if (error) call.reject(new PellucidError(error.code, error.message));
    else call.resolve(value);
  }

  #crash(message) {
    if (!this.#worker) return;
    this.close(message);
    this.#onCrash(message);
  }
}
