// What is asked: the method, the layer where it needs one, and the score.

import { $, h, show } from '../core/dom.js';
import { dimensions } from '../core/format.js';
import { createPicker } from './picker.js';
import { createSegments } from './segments.js';

export function setUpMethod(store) {
  setUpMethods(store);
  setUpLayers(store);
  setUpScore(store);
}

/** What each group of methods answers, as a reader would ask it. */
const GROUPS = {
  regions: 'Where does the network look?',
  pixels: 'Which pixels matter?',
  hiding: 'What if a part were hidden?',
};

export const methodOf = ({ methods, method }) => methods.find(({ id }) => id === method);

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

function setUpLayers(store) {
  const layers = () => store.state.info?.model.layers ?? [];
  const picker = createPicker({
    label: 'Layer',
    minWidth: 320,
    search: true,
    items: () => layers().map(({ name, operator, shape }) => ({ value: name, label: name, note: dimensions(shape), words: `${operator} ${dimensions(shape)} ${shape.join('x')}` })),
    onPick: (layer) => store.set({ layer }),
  });
  const field = $('#layer-field');
  field.append(...picker.element);
  store.watch(
    ({ methods, method, info, layer }) => [methods, method, info, layer],
    () => {
      const { info, layer } = store.state;
      const needed = methodOf(store.state)?.map === 'layer' && layers().length > 0;
      show(field, needed);
      if (!needed) return;
      const name = layer ?? info.model.default_layer;
      const { shape } = layers().find((each) => each.name === name) ?? {};
      picker.update(name, shape ? `${shape.slice(-2).join(' × ')} · ${name}` : name);
    },
  );
}

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
    ({ methods, method, score }) => [methods, method, score],
    () => segments.update(store.state.score ?? methodOf(store.state)?.default_score),
  );
}
