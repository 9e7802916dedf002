// The choices of a question: the method, the layer where it needs one, and the score.

/** @import { Layer, Method, Score } from '../../api/pellucid' */
/** @import { ExplainFlow, Store } from '../types' */
/** @import { Item } from './picker.js' */

import { $, h, show } from '../dom.js';
import { dimensions } from '../format.js';
import { labelOf, layerOf, methodOf } from '../state/question.js';
import { items } from './answers.js';
import { setUpOutline } from './outline.js';
import { createPicker } from './picker.js';
import { createSegmentedControl } from './segmented-control.js';

/**
 * @param {Store} store
 * @param {ExplainFlow} explain
 */
export function setUpMethod(store, explain) {
  setUpMethods(store);
  setUpLayers(store, explain);
  setUpOutline(store);
  setUpVersus(store);
  setUpScore(store);
}

/**
 * The question that each group of methods answers.
 * @type {Record<string, string>}
 */
export const GROUPS = {
  regions: 'Where does the network look?',
  pixels: 'Which pixels matter?',
  hiding: 'What if a part were hidden?',
};

/** @param {Store} store */
function setUpMethods(store) {
  const picker = createPicker({
    label: 'Method',
    minWidth: 330,
    items: () =>
      store.state.methods.map(({ id, label, sentence, group }) => ({ value: id, label, detail: sentence, group: GROUPS[group] ?? group })),
    onPick: (/** @type {string} */ method) => store.set({ method, score: null, display: {} }),
  });
  $('#method-field').append(...picker.element);
  store.watch(
    ({ methods, method }) => [methods, method],
    () => {
      const spec = methodOf(store.state);
      picker.button.disabled = !spec;
      picker.update(spec?.id ?? null, spec?.label);
      $('#method-sentence').replaceChildren(...(spec ? [spec.sentence, ' ', paper(spec.paper)] : []));
    },
  );
}

/**
 * A link in words. Following it is the reader's choice; the page itself asks no other server for anything.
 * @param {Method['paper']} paper
 */
function paper({ authors, title, year, url }) {
  const [first, second, ...more] = authors.split(', ');
  const names = more.length ? `${first} and others` : [first, second].filter(Boolean).join(' and ');
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer', title: `${authors}: ${title}` }, `${names}, ${year}`);
}

/**
 * @param {Store} store
 * @param {ExplainFlow} explain
 */
function setUpLayers(store, explain) {
  const layers = () => store.state.info?.model.layers ?? [];
  const spec = () => methodOf(store.state);
  const needsLayer = () => spec()?.layer === 'needed';
  const item = (/** @type {Layer} */ { name, operator, shape }) => ({
    value: name,
    label: name,
    note: dimensions(shape),
    words: `${operator} ${dimensions(shape)} ${shape.join('x')}`,
  });
  /** @type {() => Item<string | null>[]} */
  const items = () => [...(needsLayer() ? [] : [{ value: null, label: INPUT }]), ...layers().map(item)];
  const picker = createPicker({
    label: 'Layer',
    minWidth: 320,
    search: true,
    items,
    onPick: (layer) => store.set(needsLayer() ? { layer } : { optionalLayer: layer }),
  });
  // A slider, where every layer is near: a hand on it has all of the maps made, if that costs one look.
  const slider = h('input', { type: 'range', id: 'layer-slider', min: 0, 'aria-label': 'Layer, from the picture to the classes' });
  const slid = () => layers().filter(({ shape }) => shape[1] * shape[2] > 1);
  slider.addEventListener('input', () => store.set({ layer: slid()[Number(slider.value)].name }));
  for (const type of ['pointerenter', 'pointerdown', 'focus', 'input']) slider.addEventListener(type, () => explain.sweep());
  const field = $('#layer-field');
  field.append(...picker.element, slider);
  store.watch(
    ({ methods, method, info, layer, optionalLayer }) => [methods, method, info, layer, optionalLayer],
    () => {
      const needed = needsLayer();
      show(field, layers().length > 0 && (needed || spec()?.layer === 'optional'));
      if (field.hidden) return;
      show(slider, needed && slid().length > 1);
      const name = layerOf(store.state);
      const chosen = layers().find((each) => each.name === name);
      const text = chosen ? `${chosen.shape.slice(-2).join(' × ')} · ${name}` : INPUT;
      picker.update(name, text);
      const last = slid().length - 1;
      slider.max = String(last);
      const at = chosen ? slid().indexOf(chosen) : -1;
      slider.value = String(at < 0 ? last : at);
      slider.setAttribute('aria-valuetext', text);
      slider.style.setProperty('--fill', `${(100 * Number(slider.value)) / last}%`);
    },
  );
}

const INPUT = 'The picture itself';

/**
 * The class that the chosen one is held against: why this one rather than that.
 * @param {Store} store
 */
function setUpVersus(store) {
  /** @type {() => Item<number | null>[]} */
  const others = () => items(store.state).filter(({ value }) => value !== store.state.target?.index);
  const picker = createPicker({
    label: 'Rather than',
    search: true,
    items: () => [{ value: null, label: ALONE }, ...others()],
    onPick: (versus) => store.set({ versus }),
  });
  const field = $('#versus-field');
  field.append(...picker.element);
  store.watch(
    ({ methods, method, versus, target, classes }) => [methods, method, versus, target, classes],
    (methods, _, versus, target) => {
      show(field, methodOf(store.state)?.contrasts && store.state.classes?.classes.length !== 1);
      // A class is not held against itself.
      if (versus !== null && versus === target?.index) return store.set({ versus: null });
      picker.update(versus, versus === null ? ALONE : labelOf(store.state, versus));
    },
  );
}

const ALONE = 'No other: the class by itself';

/** @param {Store} store */
function setUpScore(store) {
  /** @type {{ value: Score, label: string }[]} */
  const options = [
    { value: 'logit', label: 'Logit' },
    { value: 'probability', label: 'Probability' },
  ];
  const control = createSegmentedControl({ label: 'Explain the', options, onPick: (score) => store.set({ score }) });
  $('#score-field').append(...control.element);
  store.watch(
    ({ methods, method, score, info }) => [methods, method, score, info],
    () => {
      show($('#score-field'), store.state.info?.model.head !== 'none');
      control.update(store.state.score ?? methodOf(store.state)?.default_score);
    },
  );
}
