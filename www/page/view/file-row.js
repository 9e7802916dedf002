// A button that opens the file dialog, and what came of it.

import { h } from '../dom.js';
import { notifyError } from './notices.js';

/**
 * @param {object} of
 * @param {string} of.label
 * @param {string} of.accept
 * @param {string} of.hint
 * @param {boolean} [of.multiple]
 * @param {(picked: File[]) => Promise<string> | string} of.onPick resolves to what is said of them
 */
export function createFileRow({ label, accept, hint, multiple = false, onPick }) {
  const input = h('input', { type: 'file', accept, multiple, hidden: true, 'aria-label': label });
  const told = h('span', { class: 'hint', role: 'status' }, hint);
  const button = h('button', { type: 'button', class: 'button', on: { click: () => input.click() } }, label);
  input.addEventListener('change', async () => {
    const picked = [...(input.files ?? [])];
    if (!picked.length) return;
    // The same file may be picked again, after it was mended.
    input.value = '';
    try {
      told.textContent = await onPick(picked);
    } catch (error) {
      told.textContent = hint;
      notifyError(error);
    }
  });
  const reset = () => void (told.textContent = hint);
  return { element: h('div', { class: 'file-row' }, button, told, input), button, reset };
}
