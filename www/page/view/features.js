// Segments as LIME shows them: how many, from what weight on, with the rest of the picture or without.

import { h } from '../dom.js';

/** What `get_image_and_mask` shows unless told otherwise. */
export const FEATURES = { count: 5, min_weight: 0, hide_rest: false, boundaries: true };

export function createFeatures(change) {
  let look = FEATURES;
  const set = (patch) => change({ features: { ...look, ...patch } });
  const number = (id, label, range, key) => {
    const input = h('input', { type: 'number', id, ...range });
    input.addEventListener('input', () => input.value !== '' && input.checkValidity() && set({ [key]: Number(input.value) }));
    return { key, input, element: h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), input) };
  };
  const toggle = (id, label, key) => {
    const input = h('input', { type: 'checkbox', role: 'switch', id });
    input.addEventListener('change', () => set({ [key]: input.checked }));
    return { key, input, element: h('label', { class: 'switch', for: id }, label, input) };
  };
  const fields = [
    number('features-count', 'Segments at most', { min: 1, max: 1000 }, 'count'),
    number('features-weight', 'Least weight', { min: 0, step: 'any' }, 'min_weight'),
    toggle('features-rest', 'Hide the rest', 'hide_rest'),
    toggle('features-lines', 'Boundaries', 'boundaries'),
  ];
  const [count, weight, ...toggles] = fields.map(({ element }) => element);
  return {
    element: h('div', { class: 'fields' }, h('div', { class: 'row halves' }, count, weight), toggles),
    update(features) {
      look = features;
      for (const { key, input } of fields) {
        if (input.type === 'checkbox') input.checked = features[key];
        else if (document.activeElement !== input) input.value = features[key];
      }
    },
  };
}
