// Starting a worker wherever the script comes from and whatever the page's policy lets through.

/** @import { FromWorker, ToWorker } from '../shared/wire' */

import { BUILD } from '../shared/build.js';
import { PellucidError } from './errors.js';

/**
 * A way to start a script: the address to start it by, under a name that is this way's own.
 * @typedef {{ name: string, type: WorkerType, url: () => string }} Way
 */

/**
 * The ways to start a script, the best first. A worker that starts from an address of the host has the policy of that
 * response's headers, so none on a static host; one that starts from a blob has the page's own, and may come from another
 * origin. Where the page's policy forbids blobs, the address itself is left. A sandboxed frame, and a file on a disk, start
 * no module from a blob, but a classic script, which imports as well; a script that is here is started as one.
 * @param {string | Blob} script
 * @returns {Way[]}
 */
function waysOf(script) {
  if (script instanceof Blob) {
    // Modules are strict by themselves; without it, functions in blocks would leave their blocks.
    return [{ name: nameOf(script), type: 'classic', url: () => addressOfText(['"use strict";', script]) }];
  }
  return [
    { name: `import ${script}`, type: 'classic', url: () => addressOfText([bootstrap(script)]) },
    { name: script, type: 'module', url: () => script },
  ];
}

/** @param {BlobPart[]} text */
const addressOfText = (text) => URL.createObjectURL(new Blob(text, { type: 'text/javascript' }));

/**
 * A script that only imports another. What it imports as it runs is a script to the page's policy, and no worker.
 * @param {string} script
 */
const bootstrap = (script) => `import(${JSON.stringify(script)}).catch((error) => postMessage({ lost: String(error) }));`;

/** @type {WeakMap<Blob, string>} */
const names = new WeakMap();
let count = 0;

/** @param {Blob} script */
function nameOf(script) {
  const name = names.get(script) ?? `blob ${++count}`;
  names.set(script, name);
  return name;
}

/**
 * The addresses that were made, by the names of their ways: they are few, and are never given back.
 * @type {Map<string, string>}
 */
const made = new Map();

/** @type {{ createScriptURL(name: string): string } | undefined} */
let policy;

/**
 * The address to start a script by. It is the only kind that Trusted Types let the page start.
 * @param {Way} way
 */
function addressOf({ name, url }) {
  const createScriptURL = (/** @type {string} */ known) => {
    const address = made.get(known);
    if (!address) throw new TypeError(`not a script of Pellucid: ${known}`);
    return address;
  };
  if (!made.has(name)) made.set(name, url());
  policy ??= trustedTypes()?.createPolicy('pellucid', { createScriptURL }) ?? { createScriptURL };
  return policy.createScriptURL(name);
}

/**
 * Trusted Types, where the browser has them. What its policy makes is a text to the type checker.
 * @returns {{ createPolicy(name: string, rules: object): typeof policy } | undefined}
 */
const trustedTypes = () => /** @type {any} */ (globalThis).trustedTypes;

/**
 * Starts a worker. What is posted before it listens waits until it does; `onMessage` hears what it says from then on, and
 * `onFailure` once that it cannot be used any more.
 * @param {string | Blob} script
 * @param {(message: FromWorker) => unknown} onMessage
 * @param {(error: PellucidError) => unknown} onFailure
 */
export function startWorker(script, onMessage, onFailure) {
  /** None before there is one, and null in the end. @type {Worker | null | undefined} */
  let worker;
  /** @type {[ToWorker, Transferable[]][]} */
  const waiting = [];
  const ways = waysOf(script);
  // A script that is here listens when it has run, and what was posted is there for it. One that imports another does not yet.
  let listens = script instanceof Blob;
  let met = false;

  function send() {
    if (worker && listens) for (const [message, transfer] of waiting.splice(0)) worker.postMessage(message, transfer);
  }

  /** @param {number} way */
  function begin(way) {
    if (way === ways.length) return onFailure(new PellucidError('worker', refused(script)));
    try {
      worker = new Worker(addressOf(ways[way]), { type: ways[way].type, name: 'pellucid' });
    } catch {
      return begin(way + 1);
    }
    const current = worker;
    send();
    worker.onmessage = ({ data }) => {
      if (worker !== current) return;
      if ('hello' in data) meet(data.hello);
      else if ('lost' in data) next(current, way);
      else onMessage(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker !== current) return;
      // A script that could not be loaded says nothing; one that ran and failed says why.
      if (!met && !event.message) next(current, way);
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

  /** @param {string} build */
  function meet(build) {
    if (build !== BUILD) return onFailure(new PellucidError('version', MIXED));
    met = listens = true;
    send();
  }

  // A task of its own, so that whoever starts it has it before it fails.
  queueMicrotask(() => worker !== null && begin(0));
  return {
    /**
     * @param {ToWorker} message
     * @param {Transferable[]} [transfer]
     */
    post(message, transfer = []) {
      waiting.push([message, transfer]);
      send();
    },
    end() {
      worker?.terminate();
      worker = null;
    },
  };
}

/** Why scripts of two builds do nothing together. */
const MIXED = 'The parts of Pellucid are of two versions: its host got a new one meanwhile. Reload the page.';

/** @param {string | Blob} script */
function refused(script) {
  if (script instanceof Blob) return "The worker of Pellucid could not be started: this page's Content-Security-Policy has to allow worker-src blob:.";
  const { origin } = new URL(script, 'http://nowhere.invalid');
  return (
    `The worker of Pellucid could not be started from ${script}. Either the script is not there, or its host does not let ` +
    `other sites load it (Access-Control-Allow-Origin), or this page's Content-Security-Policy forbids it: it has to allow ` +
    `worker-src blob:, script-src ${origin} 'wasm-unsafe-eval', connect-src ${origin} and, where it lists trusted-types, pellucid.`
  );
}
