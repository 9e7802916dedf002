// Models that the reader asked this browser to keep, in IndexedDB: files are kept there as they are, without being read
// into memory. Nothing else writes here.

/** @import { KeptModel, ModelParts } from './types' */

import { HOME } from './urls.js';

/** All pages of an origin have their databases in one place. */
const NAME = `pellucid-models ${HOME}`;
/** Stores: facts of each model, and its files, which are read only to open it. */
const [ABOUT, FILES] = ['about', 'files'];

/** Whether anything was ever kept: looking must not make a database. */
async function exists() {
  const all = await indexedDB.databases?.();
  return !all || all.some(({ name }) => name === NAME);
}

/** @returns {Promise<IDBDatabase>} */
function database() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      for (const store of [ABOUT, FILES]) opening.result.createObjectStore(store);
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new DOMException('another tab holds the database', 'InvalidStateError'));
  });
}

/**
 * Does something with both stores, whole or not at all; resolves to the result of the request.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(about: IDBObjectStore, files: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T>}
 */
async function transact(mode, work) {
  const db = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction([ABOUT, FILES], mode);
      transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new DOMException('ended early', 'AbortError'));
      const request = work(transaction.objectStore(ABOUT), transaction.objectStore(FILES));
      transaction.oncomplete = () => resolve(request.result);
    });
  } finally {
    db.close();
  }
}

/** The kept models, the last first. @returns {Promise<KeptModel[]>} */
export async function keptModels() {
  if (!(await exists())) return [];
  const all = await transact('readonly', (about) => about.getAll());
  return all.sort((a, b) => b.at - a.at);
}

/**
 * The files and choices of one. @param {string} id
 * @returns {Promise<ModelParts | undefined>}
 */
export const partsOf = (id) => transact('readonly', (_, files) => files.get(id));

/**
 * Keeps one, in place of what has the same id.
 * @param {KeptModel} about
 * @param {ModelParts} parts
 */
export async function keep(about, parts) {
  try {
    await transact('readwrite', (all, files) => {
      files.put(parts, about.id);
      return all.put(about, about.id);
    });
  } catch (error) {
    await tidy().catch(() => {});
    throw error;
  }
}

/** @param {string} id */
export async function forget(id) {
  await transact('readwrite', (about, files) => {
    files.delete(id);
    return about.delete(id);
  });
  await tidy();
}

/** Deletes the database where nothing is kept. */
async function tidy() {
  if (!(await keptModels()).length) indexedDB.deleteDatabase(NAME);
}

/**
 * Whether so many bytes fit, as far as the browser tells; and how many are free.
 * @param {number} size
 */
export async function room(size) {
  const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  return { fits: size < quota - usage, free: Math.max(0, quota - usage) };
}

/** Asks the browser not to clear what is kept when its disk is nearly full; it may say no. */
export const persist = () => navigator.storage?.persist?.().catch(() => false);
