// A few choices side by side: radio buttons that look like one control.

import { h, uid } from '../dom.js';

/**
 * @template Value
 * @param {object} of
 * @param {string} of.label
 * @param {{ value: Value, label: string }[]} of.options
 * @param {(value: Value) => unknown} of.onPick
 * @param {boolean} [of.hideLabel]
 */
export function createSegmentedControl({ label, options, onPick, hideLabel = false }) {
  const name = uid('segmented');
  const inputs = options.map(({ value, label: text }) => {
    const input = h('input', { type: 'radio', name, value });
    input.addEventListener('change', () => onPick(value));
    return { value, input, element: h('label', {}, input, text) };
  });
  const id = uid('segmented-label');
  const element = [
    h('span', { class: hideLabel ? 'visually-hidden' : 'field-label', id }, label),
    h('div', { class: 'segmented', role: 'radiogroup', 'aria-labelledby': id }, inputs.map((each) => each.element)),
  ];
  const update = (/** @type {Value | undefined} */ value) => {
    for (const each of inputs) each.input.checked = each.value === value;
  };
  return { element, update };
}
