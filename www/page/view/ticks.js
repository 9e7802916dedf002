// A button that opens a list in which several things can be ticked.

/** @import { GroupedItem } from './picker.js' */

import { h, icon } from '../dom.js';
import { grouped } from './picker.js';
import { anchored } from './sheet.js';

/** @typedef {GroupedItem & { value: string, label: string, note?: string, ticked: boolean }} CheckItem */

/**
 * `onTick(values)` hears all that are ticked.
 * @param {{ items: () => CheckItem[], onTick: (values: string[]) => unknown }} of
 */
export function createTicks({ items, onTick }) {
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
    const ticked = items().filter((_, i) => boxes.find(({ value }) => value === String(i))?.checked);
    onTick(ticked.map(({ value }) => value));
  });
  const update = (/** @type {string} */ text) => (name.textContent = text);
  return { element: [button, sheet], button, update };
}

/**
 * @param {CheckItem} item
 * @param {number} i
 */
const row = ({ label, note, ticked }, i) =>
  h(
    'label',
    { class: 'option tick' },
    h('input', { type: 'checkbox', value: String(i), checked: ticked }),
    h('span', { class: 'option-label' }, label),
    h('span', { class: 'option-note' }, note),
  );
