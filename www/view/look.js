// How the map is drawn: opacity, colours, which sign counts, and finer things.

import { $, h, icon, show } from '../core/dom.js';
import { methodOf } from './method.js';
import { createPicker } from './picker.js';
import { createSegments } from './segments.js';

const TUTORIAL = 'tutorial';
const CHOICES = {
  sign: { label: 'Show what counts', options: { both: 'Both', positive: 'For', negative: 'Against', absolute: 'Size' } },
  underlay: { label: 'Picture below', options: { colour: 'Colour', grey: 'Grey', pale: 'Pale' } },
  interpolation: { label: 'Between values', options: { bilinear: 'Smooth', nearest: 'Blocks' } },
  channels: { label: 'Colour channels', options: { sum: 'Sum', 'max-abs': 'Largest' } },
};

/** The look in use: what was chosen, on top of what suits the method and the signs of its map. */
export function lookOf(state) {
  return { ...standardLook(state), ...state.display };
}

function standardLook(state) {
  const unsigned = state.run.result?.min >= 0;
  return methodOf(state)?.display[unsigned ? 'unsigned' : 'signed'];
}

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
  $('#look').append(field(opacity.element), field(colours.element), sign.field, more);

  store.watch(
    ({ methods, method, display, colourMaps, run }) => [methods, method, display, colourMaps, run.result],
    () => {
      const spec = methodOf(store.state);
      const look = lookOf(store.state);
      opacity.update((look.opacity ?? 0) * 100, '%');
      clip.update(look.clip ?? 100, '');
      const item = colourItems(store.state).find(({ value }) => value === (look.blend === TUTORIAL ? TUTORIAL : look.colours));
      colours.update(item?.value ?? null, item?.label, item?.swatch);
      for (const { key, update, field: element } of segments) {
        update(look[key]);
        if (key === 'channels') show(element, spec?.map === 'channels');
      }
    },
  );
}

const field = (...children) => h('div', { class: 'field' }, children);

function colourItems({ colourMaps, tutorial }) {
  const items = colourMaps.map(({ id, label, diverging, strip }) => ({
    value: id, label, swatch: swatch(strip), group: diverging ? 'For both signs' : 'For one sign',
  }));
  const jet = colourMaps.find(({ id }) => id === tutorial?.colours);
  if (jet) items.push({ value: TUTORIAL, label: 'Jet at 0.4', detail: 'added to the picture, as the Keras Grad-CAM example does', swatch: swatch(jet.strip), group: 'As in tutorials' });
  return items;
}

/** Colours bring the way of blending that suits them. */
function colourPatch({ colourMaps, tutorial, ...state }, id) {
  if (id === TUTORIAL) return { ...tutorial };
  const { diverging } = colourMaps.find((map) => map.id === id);
  const patch = { colours: id, blend: diverging ? 'alpha-by-magnitude' : 'overlay' };
  const look = lookOf(state);
  if (look.blend === TUTORIAL) patch.opacity = standardLook(state).opacity;
  return patch;
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
