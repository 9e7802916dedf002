// The explainers of a page: tags that ask for the same model share one, and the last that leaves ends it.

/** @import { Explainer } from '../api/pellucid' */
/** @import { Lease, LoadApi, Opening } from './types' */

import { failure, fetched } from './files.js';

/** How long an explainer that nobody uses is kept, in milliseconds: a tag may only be on its way through the document. */
const KEPT = 5000;

/**
 * @typedef {{ explainer: Promise<Explainer>, users: number, timer: number, controller: AbortController, last: Promise<unknown> }} Entry
 */

/** @type {Map<string, Entry>} */
const entries = new Map();

/**
 * An explainer for a model, which others may have already.
 * @param {LoadApi} api
 * @param {Opening} wanted
 * @returns {Lease}
 */
export function lease(api, { model, labels, config, ...wanted }) {
  const address = (/** @type {string | undefined} */ url) => url && new URL(url, document.baseURI).href;
  const options = { ...wanted, model: address(model), labels: address(labels), config: address(config) };
  const key = JSON.stringify(options);
  const entry = entries.get(key) ?? begin(key, api, options);
  clearTimeout(entry.timer);
  entry.users += 1;
  let isHeld = true;
  return {
    explainer: entry.explainer,
    inTurn: (work, signal) => inTurn(entry, work, signal),
    release() {
      if (!isHeld) return;
      isHeld = false;
      entry.users -= 1;
      if (!entry.users) entry.timer = setTimeout(() => !entry.users && end(key, entry), KEPT);
    },
  };
}

/**
 * One tag after another: runs that overlap would have the engine read each picture again and again.
 * @param {Entry} entry
 * @param {() => Promise<void>} work
 * @param {AbortSignal} signal
 */
function inTurn(entry, work, signal) {
  const turn = entry.last.then(() => (signal.aborted ? undefined : work()));
  entry.last = turn.catch(() => {});
  return turn;
}

/**
 * @param {string} key
 * @param {LoadApi} api
 * @param {Opening} options
 */
function begin(key, api, { config, ...options }) {
  const controller = new AbortController();
  const { signal } = controller;
  const load = async () => {
    const [{ Explainer }, file] = await Promise.all([loaded(api), config ? fetched(config, signal) : undefined]);
    return Explainer.load({ ...options, preprocessing: { ...options.preprocessing, config: file }, signal });
  };
  /** @type {Entry} */
  const entry = { explainer: load(), users: 0, timer: 0, controller, last: Promise.resolve() };
  entries.set(key, entry);
  // The next that asks may have more luck.
  entry.explainer.catch(() => forget(key, entry));
  return entry;
}

/** @param {LoadApi} api */
async function loaded(api) {
  try {
    return await api();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = 'Either the script is not there, or its host does not let other sites load it (Access-Control-Allow-Origin), or the policy of this page forbids it (script-src).';
    throw failure('network', `Pellucid could not be loaded: ${why}. ${hint}`);
  }
}

/**
 * @param {string} key
 * @param {Entry} entry
 */
function forget(key, entry) {
  if (entries.get(key) === entry) entries.delete(key);
}

/**
 * @param {string} key
 * @param {Entry} entry
 */
function end(key, entry) {
  forget(key, entry);
  entry.controller.abort();
  entry.explainer.then((explainer) => explainer.dispose(), () => {});
}
