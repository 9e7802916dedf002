// The backend may change while the page runs: a GPU can be lost. The header and the reader are told.

/** @import { Backend, Explainer } from '../../api/pellucid' */
/** @import { Info, Notices, Store } from '../types' */

/**
 * Takes what a call says of the backend, and notifies of its events.
 * @param {Store} store
 * @param {Backend} backend
 * @param {Notices['notify']} notify
 */
export function tellBackend(store, backend, notify) {
  const { info } = store.state;
  if (!info) return;
  const news = backend.events.slice(info.backend.events.length);
  if (!news.length && backend.kind === info.backend.kind && backend.adapter === info.backend.adapter) return;
  store.set({ info: { ...info, backend } });
  for (const message of news) notify({ message });
}

/**
 * The model that is open, and what runs it now.
 * @param {Explainer} explainer
 * @returns {Info}
 */
export const infoOf = ({ model, backend }) => ({ model, backend });
