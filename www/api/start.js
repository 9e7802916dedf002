// Starting a worker wherever the script comes from and whatever the page's policy lets through.

/** @import { FromWorker, ToWorker } from '../shared/wire' */

import { PellucidError } from './errors.js';

/**
 * The ways to start a script, the best first. A worker that starts from an address of the host has the policy of that
 * response's headers, so none on a static host; one that starts from a blob has the page's own, and may come from another
 * origin. Where the page's policy forbids blobs, the address itself is left. A sandboxed frame starts no module from a blob,
 * but a classic script, which imports as well.
 * @type {{ type: WorkerType, url: (script: string) => string }[]}
 */
const WAYS = [
  { type: 'classic', url: (script) => URL.createObjectURL(new Blob([bootstrap(script)], { type: 'text/javascript' })) },
  { type: 'module', url: (script) => script },
];

/**
 * A script that only imports another. What it imports as it runs is a script to the page's policy, and no worker.
 * @param {string} script
 */
const bootstrap = (script) => `import(${JSON.stringify(script)}).catch((error) => postMessage({ lost: String(error) }));`;

/**
 * The addresses that were made, by script and way: they are few, and are never given back.
 * @type {Map<string, string>}
 */
const made = new Map();

/** @type {{ createScriptURL(name: string): string } | undefined} */
let policy;

/**
 * The address to start a script by. It is the only kind that Trusted Types let the page start.
 * @param {string} script
 * @param {number} way
 */
function addressOf(script, way) {
  const key = `${way} ${script}`;
  const createScriptURL = (/** @type {string} */ name) => {
    const url = made.get(name);
    if (!url) throw new TypeError(`not a script of Pellucid: ${name}`);
    return url;
  };
  if (!made.has(key)) made.set(key, WAYS[way].url(script));
  policy ??= trustedTypes()?.createPolicy('pellucid', { createScriptURL }) ?? { createScriptURL };
  return policy.createScriptURL(key);
}

/**
 * Trusted Types, where the browser has them. What its policy makes is a text to the type checker.
 * @returns {{ createPolicy(name: string, rules: object): typeof policy } | undefined}
 */
const trustedTypes = () => /** @type {any} */ (globalThis).trustedTypes;

/**
 * Starts a worker. What is posted before it listens waits until it does; `onMessage` hears what it says from then on, and
 * `onFailure` once that it cannot be used any more.
 * @param {string} script
 * @param {(message: FromWorker) => unknown} onMessage
 * @param {(error: PellucidError) => unknown} onFailure
 */
export function startWorker(script, onMessage, onFailure) {
  /** @type {Worker | null} */
  let worker = null;
  /** @type {[ToWorker, Transferable[]][] | null} */
  let waiting = [];

  /** @param {number} way */
  function begin(way) {
    if (way === WAYS.length) return onFailure(new PellucidError('worker', refused(script)));
    try {
      worker = new Worker(addressOf(script, way), { type: WAYS[way].type, name: 'pellucid' });
    } catch {
      return begin(way + 1);
    }
    const current = worker;
    worker.onmessage = ({ data }) => {
      if (worker !== current) return;
      if ('hello' in data) flush(current);
      else if ('lost' in data) next(current, way);
      else onMessage(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker !== current) return;
      // A script that could not be loaded says nothing; one that ran and failed says why.
      if (waiting && !event.message) next(current, way);
      else onFailure(new PellucidError('crashed', event.message || 'the worker failed'));
    };
    worker.onmessageerror = () => onFailure(new PellucidError('crashed', 'a message could not be read'));
  }

  /**
   * @param {Worker} failed
   * @param {number} way
   */
  function next(failed, way) {
    failed.terminate();
    begin(way + 1);
  }

  /** @param {Worker} to */
  function flush(to) {
    for (const [message, transfer] of waiting ?? []) to.postMessage(message, transfer);
    waiting = null;
  }

  // A task of its own, so that whoever starts it has it before it fails.
  queueMicrotask(() => waiting && begin(0));
  return {
    /**
     * @param {ToWorker} message
     * @param {Transferable[]} [transfer]
     */
    post(message, transfer = []) {
      if (waiting) waiting.push([message, transfer]);
      else worker?.postMessage(message, transfer);
    },
    end() {
      worker?.terminate();
      worker = waiting = null;
    },
  };
}

/** @param {string} script */
function refused(script) {
  const { origin } = new URL(script, 'http://nowhere.invalid');
  return (
    `The worker of Pellucid could not be started from ${script}. Either the script is not there, or its host does not let ` +
    `other sites load it (Access-Control-Allow-Origin), or this page's Content-Security-Policy forbids it: it has to allow ` +
    `worker-src blob:, script-src ${origin} 'wasm-unsafe-eval', connect-src ${origin} and, where it lists trusted-types, pellucid.`
  );
}
