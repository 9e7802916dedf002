// How the map is drawn: opacity, colours, which sign counts, and finer things.

/** @import { Display } from '../../api/pellucid' */
/** @import { Lock, State, Store } from '../types' */
/** @import { Item } from './picker.js' */

import { $, contextOf, h, icon, show } from '../dom.js';
import { quoted } from '../format.js';
import { displayFor, displayOf } from '../state/display.js';
import { methodOf } from '../state/question.js';
import { FEATURES, createFeatures } from './features.js';
import { createPicker } from './picker.js';
import { createSegmentedControl } from './segmented-control.js';

const TUTORIAL = 'tutorial';
const PICTURE = 'picture';
const LIME = 'lime';
/** Ways to draw that bring their own colours. */
const isOwn = (/** @type {Display} */ { blend }) => blend === TUTORIAL || blend === PICTURE;
/** @type {Record<'sign' | 'underlay' | 'interpolation' | 'channels', { label: string, options: Record<string, string> }>} */
const CHOICES = {
  sign: { label: 'Show what counts', options: { both: 'Both', positive: 'For', negative: 'Against', absolute: 'Size' } },
  underlay: { label: 'Picture below', options: { colour: 'Colour', grey: 'Grey', pale: 'Pale', faint: 'Faint' } },
  interpolation: { label: 'Between values', options: { bilinear: 'Smooth', nearest: 'Blocks' } },
  channels: { label: 'Colour channels', options: { sum: 'Sum', 'max-abs': 'Largest' } },
};

/** @param {Store} store */
export function setUpDisplay(store) {
  const change = (/** @type {Display} */ patch) => store.set({ display: { ...store.state.display, ...patch } });
  const percent = { min: 0, max: 100, step: 1 };
  const opacity = slider('opacity', 'Strength of the overlay', percent, (value) => change({ opacity: value / 100 }));
  const percentile = { min: 90, max: 100, step: 0.5 };
  const clip = slider('clip', 'Full colour at percentile', percentile, (value) => change({ clip: value }));
  const colours = createPicker({
    label: 'Colours',
    items: () => colourItems(store.state),
    onPick: (id) => change(colourPatch(store.state, id)),
  });
  const keys = /** @type {(keyof typeof CHOICES)[]} */ (Object.keys(CHOICES));
  const controls = keys.map((key) => {
    const { label, options } = CHOICES[key];
    const made = createSegmentedControl({
      label,
      options: Object.entries(options).map(([value, text]) => ({ value, label: text })),
      onPick: (value) => change({ [key]: value }),
    });
    return { key, update: made.update, field: field(...made.element) };
  });
  const [sign, ...finer] = controls;
  const more = h(
    'details',
    { class: 'settings' },
    h('summary', {}, h('span', {}, 'More'), icon('chevron')),
    h('div', { class: 'fields' }, finer.map((each) => each.field), field(...clip.element)),
  );
  const lock = h('input', { type: 'checkbox', role: 'switch', id: 'lock' });
  lock.addEventListener('change', () => store.set({ lock: lock.checked ? lockOf(store.state) : null }));
  const always = 'For every method, class and layer, until it is unlocked';
  const locking = h('label', { class: 'switch', for: 'lock', title: always }, 'Lock the scale', lock);
  const features = createFeatures(change);
  const strength = field(...opacity.element);
  $('#display').append(strength, field(...colours.element), sign.field, features.element, locking, more);

  store.watch(
    ({ methods, method, display, colourMaps, run, lock, frame }) => [methods, method, display, colourMaps, run.report, lock, frame],
    () => {
      const spec = methodOf(store.state);
      const display = displayOf(store.state);
      lock.checked = Boolean(store.state.lock);
      lock.disabled = !lock.checked && !lockOf(store.state)?.scale;
      opacity.update((display.opacity ?? 0) * 100, '%');
      clip.update(display.clip ?? 100, '');
      const lime = spec?.segments && display.features;
      show(features.element, lime);
      for (const each of [strength, locking, more]) show(each, !lime);
      if (lime) features.update(lime);
      const chosen = lime ? LIME : isOwn(display) ? display.blend : display.colours;
      const item = colourItems(store.state).find(({ value }) => value === chosen);
      colours.update(item?.value ?? null, item?.label, item?.swatch);
      for (const { key, update, field: element } of controls) {
        update(display[key]);
        // A map that is a picture of its own has neither signs nor channels to choose.
        const fits = display.blend !== PICTURE || key === 'interpolation';
        show(element, fits && (key !== 'channels' || spec?.map === 'channels'));
      }
    },
  );
}

/** @param {...HTMLElement} children */
const field = (...children) => h('div', { class: 'field' }, children);

/**
 * @param {State} state
 * @returns {Item<string>[]}
 */
function colourItems(state) {
  const { colourMaps, tutorial } = state;
  const group = 'As in tutorials';
  const items = colourMaps.map(({ id, label, diverging, strip }) => {
    /** @type {Item<string>} */
    const item = { value: id, label, swatch: swatch(strip), group: diverging ? 'For both signs' : 'For one sign' };
    return item;
  });
  const jet = colourMaps.find(({ id }) => id === tutorial?.colours);
  if (jet) {
    const detail = 'added to the picture, as the Keras Grad-CAM example does';
    items.push({ value: TUTORIAL, label: 'Jet at 0.4', detail, swatch: swatch(jet.strip), group });
  }
  if (methodOf(state)?.map === 'channels') {
    const detail = 'the map’s own red, green and blue, at mean 0.5 and deviation 0.25';
    items.push({ value: PICTURE, label: 'A picture in colour', detail, group });
  }
  if (methodOf(state)?.segments) {
    const detail = 'those of largest weight with their boundaries, as LIME shows them';
    items.push({ value: LIME, label: 'The segments themselves', detail, group });
  }
  return items;
}

/**
 * Colours bring the way of blending that suits them.
 * @param {State} state
 * @param {string} id
 * @returns {Display}
 */
function colourPatch(state, id) {
  const { colourMaps, tutorial } = state;
  if (id === LIME) return { features: FEATURES };
  if (id === TUTORIAL) return { ...tutorial, ...(state.lock && { scale: state.lock.scale }) };
  if (id === PICTURE) return { blend: PICTURE, opacity: 1 };
  const diverging = colourMaps.find((map) => map.id === id)?.diverging;
  /** @type {Display} */
  const patch = { features: null, colours: id, blend: diverging ? 'alpha-by-magnitude' : 'overlay' };
  if (isOwn(displayOf(state))) patch.opacity = displayFor(methodOf(state), state.run.report).opacity;
  return patch;
}

/**
 * The scale that is in use, and where it comes from.
 * @param {State} state
 * @returns {Lock | null}
 */
function lockOf({ frame, values, methods, run: { result } }) {
  if (!frame || !values || !result) return null;
  const { low, high } = frame.scale;
  const label = methods.find(({ id }) => id === result.method)?.label;
  return { scale: Math.max(Math.abs(low), Math.abs(high)), unit: values.unit, of: `${label} for ${quoted(result.target.label)}` };
}

/**
 * @param {string} id
 * @param {string} label
 * @param {{ min: number, max: number, step: number }} range
 * @param {(value: number) => unknown} onInput
 */
function slider(id, label, range, onInput) {
  const output = h('output', { for: id });
  const input = h('input', { type: 'range', id, ...range });
  const update = (/** @type {number} */ value, /** @type {string} */ unit) => {
    const shown = Math.round(value / range.step) * range.step;
    if (document.activeElement !== input || Number(input.value) !== shown) input.value = String(shown);
    output.textContent = `${shown}${unit ? ` ${unit}` : ''}`;
    input.style.setProperty('--fill', `${(100 * (shown - range.min)) / (range.max - range.min)}%`);
  };
  input.addEventListener('input', () => onInput(Number(input.value)));
  return { element: [h('label', { class: 'field-label', for: id }, label, output), input], update };
}

/**
 * A colour map as a strip.
 * @param {Uint8ClampedArray} strip
 */
function swatch(strip) {
  const canvas = h('canvas', { class: 'swatch', width: strip.length / 4, height: 1, 'aria-hidden': 'true' });
  contextOf(canvas).putImageData(new ImageData(new Uint8ClampedArray(strip), strip.length / 4, 1), 0, 0);
  return canvas;
}
