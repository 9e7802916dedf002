// A button that opens a list in which several things can be checked.

/** @import { GroupedItem } from './picker.js' */

import { h, icon } from '../dom.js';
import { grouped } from './picker.js';
import { anchored } from './sheet.js';

/** @typedef {GroupedItem & { value: string, label: string, note?: string, checked: boolean }} CheckItem */

/**
 * `onCheck(values)` hears all that are checked.
 * @param {{ items: () => CheckItem[], onCheck: (values: string[]) => unknown }} of
 */
export function createCheckList({ items, onCheck }) {
  const list = h('div', { class: 'options', role: 'group', 'aria-label': 'Side by side' });
  const sheet = h('div', { class: 'sheet', popover: 'auto' }, list);
  const name = h('span');
  const button = h('button', { type: 'button', class: 'button small' }, name, icon('chevron'));
  button.popoverTargetElement = sheet;
  anchored(sheet, button, { minWidth: 300, align: 'end' });
  sheet.addEventListener('beforetoggle', ({ newState }) => {
    if (newState === 'open') list.replaceChildren(...grouped(items(), row));
  });
  list.addEventListener('change', () => {
    const boxes = [...list.querySelectorAll('input')];
    const checked = items().filter((_, i) => boxes.find(({ value }) => value === String(i))?.checked);
    onCheck(checked.map(({ value }) => value));
  });
  const update = (/** @type {string} */ text) => (name.textContent = text);
  return { element: [button, sheet], button, update };
}

/**
 * @param {CheckItem} item
 * @param {number} i
 */
const row = ({ label, note, checked }, i) =>
  h(
    'label',
    { class: 'option tick' },
    h('input', { type: 'checkbox', value: String(i), checked }),
    h('span', { class: 'option-label' }, label),
    h('span', { class: 'option-note' }, note),
  );
