// A button that opens a list in which several things can be ticked.

import { h, icon } from '../dom.js';
import { grouped } from './picker.js';
import { anchored } from './sheet.js';

/** `items()` gives `{ value, label, note, group, ticked }`; `onTick(values)` hears all that are ticked. */
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
    const ticked = items().filter((_, i) => list.querySelector(`[value="${i}"]`).checked);
    onTick(ticked.map(({ value }) => value));
  });
  const update = (text) => (name.textContent = text);
  return { element: [button, sheet], button, update };
}

const row = ({ label, note, ticked }, i) =>
  h('label', { class: 'option tick' }, h('input', { type: 'checkbox', value: String(i), checked: ticked }), h('span', { class: 'option-label' }, label), h('span', { class: 'option-note' }, note));
