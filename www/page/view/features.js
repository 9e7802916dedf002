// Segments as LIME shows them: how many, from what weight on, with the rest of the picture or without.

/** @import { Display, Features } from '../../api/pellucid' */

import { h } from '../dom.js';

/**
 * The defaults of lime's `get_image_and_mask`.
 * @type {Features}
 */
export const FEATURES = { count: 5, min_weight: 0, hide_rest: false, boundaries: true };

/** @param {(patch: Display) => unknown} change */
export function createFeatures(change) {
  let shown = FEATURES;
  const set = (/** @type {Partial<Features>} */ patch) => change({ features: { ...shown, ...patch } });
  /**
   * @param {string} id
   * @param {string} label
   * @param {object} range
   * @param {'count' | 'min_weight'} key
   */
  const number = (id, label, range, key) => {
    const input = h('input', { type: 'number', id, ...range });
    input.addEventListener('input', () => input.value !== '' && input.checkValidity() && set({ [key]: Number(input.value) }));
    const update = (/** @type {Features} */ features) => {
      if (document.activeElement !== input) input.value = String(features[key]);
    };
    return { update, element: h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), input) };
  };
  /**
   * @param {string} id
   * @param {string} label
   * @param {'hide_rest' | 'boundaries'} key
   */
  const toggle = (id, label, key) => {
    const input = h('input', { type: 'checkbox', role: 'switch', id });
    input.addEventListener('change', () => set({ [key]: input.checked }));
    const update = (/** @type {Features} */ features) => void (input.checked = features[key]);
    return { update, element: h('label', { class: 'switch', for: id }, label, input) };
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
    /** @param {Features} features */
    update(features) {
      shown = features;
      for (const { update } of fields) update(features);
    },
  };
}
