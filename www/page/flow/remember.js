// Models that are kept on this device when the reader asks for it: offered at the next visit, and forgotten on request.

/** @import { KeptModel, ModelFlow, ModelParts, Notices, RememberFlow, Store } from '../types' */

import { messageOf } from '../../shared/errors.js';
import { bytes } from '../format.js';
import { forget, keep, keptModels, partsOf, persist, room } from '../shelf.js';

/**
 * @param {Store} store
 * @param {ModelFlow} model
 * @param {Notices} notices
 * @returns {RememberFlow}
 */
export function createRememberFlow(store, model, { notify, notifyError }) {
  /** The record of the model that was kept or opened from here last. @type {{ id: string, parts: ModelParts } | null} */
  let held = null;
  const fail = (/** @type {string} */ message) => void notify({ kind: 'error', code: 'storage', message });

  async function look() {
    // A browser that forbids it keeps nothing, and nothing is to be said before it is asked.
    store.set({ keptModels: await keptModels().catch(() => []) });
  }

  /** Keeps the model that is open, with its files and choices. */
  async function remember() {
    const { parts } = model;
    if (!parts.model || !store.state.info) return;
    const files = [parts.model, ...parts.data, parts.config, parts.labels].filter((file) => file !== undefined);
    const size = files.reduce((sum, file) => sum + file.size, 0);
    /** @type {KeptModel} */
    const about = { id: store.state.keptId ?? crypto.randomUUID(), name: store.state.info.model.name, size, at: Date.now() };
    store.set({ keeping: true });
    try {
      const { fits, free } = await room(size);
      if (!fits) return fail(`${about.name} needs ${bytes(size)}, and this browser has room for ${bytes(free)}. Forget another model, or free space on the disk.`);
      await persist();
      await keep(about, parts);
      held = { id: about.id, parts };
      if (model.parts === parts) store.set({ keptId: about.id });
      await look();
    } catch (error) {
      fail(refusal(error, about));
    } finally {
      store.set({ keeping: false });
    }
  }

  /** @param {string} id */
  async function reopen(id) {
    try {
      const parts = await partsOf(id);
      if (!parts) {
        fail('That model is no longer kept: the browser has cleared it. Choose its file again.');
        return look();
      }
      held = { id, parts };
      await model.reopen(parts);
    } catch (error) {
      notifyError(error);
    }
  }

  /** @param {string} id */
  async function drop(id) {
    try {
      await forget(id);
    } catch (error) {
      fail(`The model could not be forgotten: ${messageOf(error)}. Clear the data of this site in the browser's settings.`);
    }
    if (held?.id === id) held = null;
    if (store.state.keptId === id) store.set({ keptId: null });
    await look();
  }

  // Other choices, or labels, of a model that is kept are kept with it.
  store.watch(({ info }) => [info?.model], () => {
    const { parts } = model;
    if (!parts.model || parts.model !== held?.parts.model) return;
    store.set({ keptId: held.id });
    if (parts !== held.parts) remember();
  });
  look();
  return { remember, reopen, forget: drop };
}

/**
 * Why a model is not kept, and what to do.
 * @param {unknown} error
 * @param {KeptModel} about
 */
function refusal(error, { name, size }) {
  const kind = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (kind === 'QuotaExceededError') return `${name} was not kept: its ${bytes(size)} are more than this browser has room for. Forget another model, or free space on the disk.`;
  if (kind === 'NotReadableError' || kind === 'NotFoundError') return `${name} was not kept: its file has changed or is gone. Choose it again.`;
  return `${name} was not kept: this browser forbids this page to store anything, as private windows do and pages opened as a file. It works on without.`;
}
