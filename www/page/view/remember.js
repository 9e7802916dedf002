// The models that are kept on this device: offered on the first view and in the model's dialog, with a way to forget it.

/** @import { KeptModel, RememberFlow, Store } from '../types' */

import { $, h, icon, show } from '../dom.js';
import { bytes } from '../format.js';

/**
 * The first view's offer.
 * @param {Store} store
 * @param {RememberFlow} flow
 */
export function setUpKept(store, flow) {
  const offer = $('#kept-models');
  store.watch(({ keptModels, openingModel, keptId }) => [keptModels, openingModel, keptId], (all, opening, keptId) => {
    show(offer, all.length);
    const button = (/** @type {KeptModel} */ { id, name, size }) => {
      const isOpen = id === keptId;
      const text = [icon(isOpen ? 'check' : 'layers'), h('span', { class: 'kept-name' }, name), h('span', { class: 'hint' }, isOpen ? 'open' : bytes(size))];
      return h('button', { type: 'button', class: 'button kept-model', disabled: opening || isOpen, on: { click: () => flow.reopen(id) } }, ...text);
    };
    offer.replaceChildren(h('h2', { class: 'label' }, 'Your models on this device'), h('div', { class: 'kept-row' }, all.map(button)));
  });
}

/**
 * The dialog's part: the model that is open can be kept, and what is kept can be opened or forgotten.
 * @param {Store} store
 * @param {RememberFlow} flow
 * @param {() => boolean} isOwn whether the model that is open is the reader's
 */
export function createKeptList(store, flow, isOwn) {
  const box = h('input', { type: 'checkbox', id: 'remember' });
  const label = h('label', { class: 'check', for: 'remember' }, box, h('span', {}, 'Remember on this device'));
  const hint = h('p', { class: 'hint' });
  const list = h('ul', { class: 'kept-list' });
  const element = h('div', { class: 'kept' }, label, hint, list);
  box.addEventListener('change', () => {
    const { keptId } = store.state;
    if (box.checked) flow.remember();
    else if (keptId) flow.forget(keptId);
  });
  const row = (/** @type {KeptModel} */ { id, name, size, at }) => {
    const { keptId, openingModel } = store.state;
    const open = h('button', { type: 'button', class: 'button small', disabled: openingModel || id === keptId, 'aria-label': `Open ${name}`, on: { click: () => flow.reopen(id) } }, id === keptId ? 'Is open' : 'Open');
    const forget = h('button', { type: 'button', class: 'button small', 'aria-label': `Forget ${name}`, on: { click: () => flow.forget(id) } }, 'Forget');
    const since = new Date(at).toLocaleDateString('en', { dateStyle: 'medium' });
    return h('li', {}, h('span', { class: 'kept-name' }, name), h('span', { class: 'hint' }, `${bytes(size)}, kept ${since}`), open, forget);
  };
  store.watch(
    ({ keptModels, keptId, keeping, openingModel, info }) => [keptModels, keptId, keeping, openingModel, info?.model],
    (all, keptId, keeping) => {
      show(label, isOwn());
      box.checked = keptId !== null || keeping;
      box.disabled = keeping;
      hint.textContent =
        keeping ? 'Keeping the model'
        : keptId ? 'It is kept in this browser, with its choices, and offered at the next visit.'
        : 'Its files and choices stay in this browser until you forget them. Without this nothing of it is stored.';
      show(hint, isOwn());
      list.replaceChildren(...all.map(row));
      show(list, all.length);
      show(element, isOwn() || all.length);
    },
  );
  return element;
}
