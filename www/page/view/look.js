// How the map is drawn: opacity, colours, which sign counts, and finer things.

import { $, h, icon, show } from '../dom.js';
import { quoted } from '../format.js';
import { displayFor, displayOf } from '../state/display.js';
import { methodOf } from '../state/question.js';
import { FEATURES, createFeatures } from './features.js';
import { createPicker } from './picker.js';
import { createSegments } from './segments.js';

const TUTORIAL = 'tutorial';
const PICTURE = 'picture';
const LIME = 'lime';
/** Ways to draw that bring their own colours. */
const OWN = [TUTORIAL, PICTURE];
const CHOICES = {
  sign: { label: 'Show what counts', options: { both: 'Both', positive: 'For', negative: 'Against', absolute: 'Size' } },
  underlay: { label: 'Picture below', options: { colour: 'Colour', grey: 'Grey', pale: 'Pale', faint: 'Faint' } },
  interpolation: { label: 'Between values', options: { bilinear: 'Smooth', nearest: 'Blocks' } },
  channels: { label: 'Colour channels', options: { sum: 'Sum', 'max-abs': 'Largest' } },
};

export function setUpLook(store) {
  const change = (patch) => store.set({ display: { ...store.state.display, ...patch } });
  const opacity = slider('opacity', 'Strength of the overlay', { min: 0, max: 100, step: 1 }, (value) => change({ opacity: value / 100 }));
  const clip = slider('clip', 'Full colour at percentile', { min: 90, max: 100, step: 0.5 }, (value) => change({ clip: value }));
  const colours = createPicker({ label: 'Colours', items: () => colourItems(store.state), onPick: (id) => change(colourPatch(store.state, id)) });
  const segments = Object.entries(CHOICES).map(([key, { label, options }]) => {
    const made = createSegments({
      label,
      options: Object.entries(options).map(([value, text]) => ({ value, label: text })),
      onPick: (value) => change({ [key]: value }),
    });
    return { key, update: made.update, field: field(made.element) };
  });
  const [sign, ...finer] = segments;
  const more = h('details', { class: 'settings' }, h('summary', {}, h('span', {}, 'More'), icon('chevron')), h('div', { class: 'fields' }, finer.map((each) => each.field), field(clip.element)));
  const lock = h('input', { type: 'checkbox', role: 'switch', id: 'lock' });
  lock.addEventListener('change', () => store.set({ lock: lock.checked ? lockOf(store.state) : null }));
  const locking = h('label', { class: 'switch', for: 'lock', title: 'For every method, class and layer, until it is unlocked' }, 'Lock the scale', lock);
  const features = createFeatures(change);
  const strength = field(opacity.element);
  $('#look').append(strength, field(colours.element), sign.field, features.element, locking, more);

  store.watch(
    ({ methods, method, display, colourMaps, run, lock, frame }) => [methods, method, display, colourMaps, run.report, lock, frame],
    () => {
      const spec = methodOf(store.state);
      const look = displayOf(store.state);
      lock.checked = Boolean(store.state.lock);
      lock.disabled = !lock.checked && !lockOf(store.state)?.scale;
      opacity.update((look.opacity ?? 0) * 100, '%');
      clip.update(look.clip ?? 100, '');
      const lime = spec?.segments && look.features;
      show(features.element, lime);
      for (const each of [strength, locking, more]) show(each, !lime);
      if (lime) features.update(lime);
      const item = colourItems(store.state).find(({ value }) => value === (lime ? LIME : OWN.includes(look.blend) ? look.blend : look.colours));
      colours.update(item?.value ?? null, item?.label, item?.swatch);
      for (const { key, update, field: element } of segments) {
        update(look[key]);
        // What is a picture of its own has neither signs nor channels to choose.
        const fits = { channels: spec?.map === 'channels' && look.blend !== PICTURE, sign: look.blend !== PICTURE, underlay: look.blend !== PICTURE };
        show(element, fits[key] ?? true);
      }
    },
  );
}

const field = (...children) => h('div', { class: 'field' }, children);

function colourItems({ colourMaps, tutorial, ...state }) {
  const items = colourMaps.map(({ id, label, diverging, strip }) => ({
    value: id, label, swatch: swatch(strip), group: diverging ? 'For both signs' : 'For one sign',
  }));
  const jet = colourMaps.find(({ id }) => id === tutorial?.colours);
  if (jet) items.push({ value: TUTORIAL, label: 'Jet at 0.4', detail: 'added to the picture, as the Keras Grad-CAM example does', swatch: swatch(jet.strip), group: 'As in tutorials' });
  if (methodOf(state)?.map === 'channels') items.push({ value: PICTURE, label: 'A picture in colour', detail: 'the map’s own red, green and blue, at mean 0.5 and deviation 0.25', group: 'As in tutorials' });
  if (methodOf(state)?.segments) items.push({ value: LIME, label: 'The segments themselves', detail: 'those of largest weight with their boundaries, as LIME shows them', group: 'As in tutorials' });
  return items;
}

/** Colours bring the way of blending that suits them. */
function colourPatch({ colourMaps, tutorial, ...state }, id) {
  if (id === LIME) return { features: FEATURES };
  if (id === TUTORIAL) return { ...tutorial, ...(state.lock && { scale: state.lock.scale }) };
  if (id === PICTURE) return { blend: PICTURE, opacity: 1 };
  const { diverging } = colourMaps.find((map) => map.id === id);
  const patch = { features: null, colours: id, blend: diverging ? 'alpha-by-magnitude' : 'overlay' };
  if (OWN.includes(displayOf(state).blend)) patch.opacity = displayFor(methodOf(state), state.run.report).opacity;
  return patch;
}

/** The scale that is in use, and where it comes from. */
function lockOf({ frame, values, methods, run }) {
  if (!frame || !run.result) return null;
  const { low, high } = frame.rendered.scale;
  const { label } = methods.find(({ id }) => id === run.result.method);
  return { scale: Math.max(Math.abs(low), Math.abs(high)), unit: values.unit, of: `${label} for ${quoted(run.result.target.label)}` };
}

function slider(id, label, range, onInput) {
  const output = h('output', { for: id });
  const input = h('input', { type: 'range', id, ...range });
  const update = (value, unit) => {
    const shown = Math.round(value / range.step) * range.step;
    if (document.activeElement !== input || Number(input.value) !== shown) input.value = shown;
    output.textContent = `${shown}${unit ? ` ${unit}` : ''}`;
    input.style.setProperty('--fill', `${(100 * (shown - range.min)) / (range.max - range.min)}%`);
  };
  input.addEventListener('input', () => onInput(Number(input.value)));
  return { element: [h('label', { class: 'field-label', for: id }, label, output), input], update };
}

/** A colour map as a strip. */
function swatch(strip) {
  const canvas = h('canvas', { class: 'swatch', width: strip.length / 4, height: 1, 'aria-hidden': 'true' });
  canvas.getContext('2d').putImageData(new ImageData(new Uint8ClampedArray(strip), strip.length / 4, 1), 0, 0);
  return canvas;
}
