// What is asked: the method, the layer where it needs one, and the score.

import { $, h, show } from '../dom.js';
import { dimensions } from '../format.js';
import { labelOf, methodOf } from '../state/question.js';
import { items } from './answers.js';
import { createPicker } from './picker.js';
import { createSegments } from './segments.js';

export function setUpMethod(store, explain) {
  setUpMethods(store);
  setUpLayers(store, explain);
  setUpVersus(store);
  setUpScore(store);
}

/** What each group of methods answers, as a reader would ask it. */
export const GROUPS = {
  regions: 'Where does the network look?',
  pixels: 'Which pixels matter?',
  hiding: 'What if a part were hidden?',
};

function setUpMethods(store) {
  const picker = createPicker({
    label: 'Method',
    minWidth: 330,
    items: () => store.state.methods.map(({ id, label, sentence, group }) => ({ value: id, label, detail: sentence, group: GROUPS[group] ?? group })),
    onPick: (method) => store.set({ method, score: null, display: {} }),
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

/** A link in words. Following it is the reader's choice; the page itself asks no other server for anything. */
function paper({ authors, title, year, url }) {
  const [first, second, ...more] = authors.split(', ');
  const names = more.length ? `${first} and others` : [first, second].filter(Boolean).join(' and ');
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer', title: `${authors}: ${title}` }, `${names}, ${year}`);
}

function setUpLayers(store, explain) {
  const layers = () => store.state.info?.model.layers ?? [];
  const spec = () => methodOf(store.state);
  const key = () => (spec().layer === 'needed' ? 'layer' : 'inner');
  const note = ({ name, operator, shape }) => ({ value: name, label: name, note: dimensions(shape), words: `${operator} ${dimensions(shape)} ${shape.join('x')}` });
  const picker = createPicker({
    label: 'Layer',
    minWidth: 320,
    search: true,
    items: () => [...(spec().layer === 'needed' ? [] : [{ value: null, label: INPUT }]), ...layers().map(note)],
    onPick: (layer) => store.set({ [key()]: layer }),
  });
  // Where every layer is near, a slider: a hand on it has all of the maps made, if that costs one look.
  const slider = h('input', { type: 'range', id: 'layer-slider', min: 0, 'aria-label': 'Layer, from the picture to the classes' });
  const slid = () => layers().filter(({ shape }) => shape[1] * shape[2] > 1);
  slider.addEventListener('input', () => store.set({ layer: slid()[slider.value].name }));
  for (const type of ['pointerenter', 'pointerdown', 'focus', 'input']) slider.addEventListener(type, () => explain.sweep());
  const field = $('#layer-field');
  field.append(...picker.element, slider);
  store.watch(
    ({ methods, method, info, layer, inner }) => [methods, method, info, layer, inner],
    () => {
      const needed = spec()?.layer === 'needed';
      show(field, layers().length > 0 && (needed || spec()?.layer === 'optional'));
      if (field.hidden) return;
      show(slider, needed);
      const { info, layer, inner } = store.state;
      const name = needed ? (layer ?? info.model.default_layer) : inner;
      const chosen = layers().find((each) => each.name === name);
      const text = chosen ? `${chosen.shape.slice(-2).join(' × ')} · ${name}` : INPUT;
      picker.update(name, text);
      slider.max = slid().length - 1;
      const at = chosen ? slid().indexOf(chosen) : -1;
      slider.value = at < 0 ? slider.max : at;
      slider.setAttribute('aria-valuetext', text);
      slider.style.setProperty('--fill', `${(100 * slider.value) / slider.max}%`);
    },
  );
}

const INPUT = 'The picture itself';

/** The class that the chosen one is held against: why this one rather than that. */
function setUpVersus(store) {
  const picker = createPicker({
    label: 'Rather than',
    search: true,
    items: () => [{ value: null, label: ALONE }, ...items(store.state).filter(({ value }) => value !== store.state.target?.index)],
    onPick: (versus) => store.set({ versus }),
  });
  const field = $('#versus-field');
  field.append(...picker.element);
  store.watch(
    ({ methods, method, versus, target }) => [methods, method, versus, target],
    (methods, _, versus, target) => {
      show(field, Boolean(methodOf(store.state)?.contrasts));
      // A class is not held against itself.
      if (versus !== null && versus === target?.index) return store.set({ versus: null });
      picker.update(versus, versus === null ? ALONE : labelOf(store.state, versus));
    },
  );
}

const ALONE = 'No other: the class by itself';

function setUpScore(store) {
  const segments = createSegments({
    label: 'Explain the',
    options: [
      { value: 'logit', label: 'Logit' },
      { value: 'probability', label: 'Probability' },
    ],
    onPick: (score) => store.set({ score }),
  });
  $('#score-field').append(...segments.element);
  store.watch(
    ({ methods, method, score, info }) => [methods, method, score, info],
    () => {
      show($('#score-field'), store.state.info?.model.head !== 'none');
      segments.update(store.state.score ?? methodOf(store.state)?.default_score);
    },
  );
}
