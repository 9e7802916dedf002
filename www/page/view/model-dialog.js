// The model: what is open, and a way to open another, with what its file may not say (scaling, labels).

/** @import { Head, Model, OpenModelOptions, Preset } from '../../api/pellucid' */
/** @import { ModelFlow, PageEngine, Store } from '../types' */

import { $, h, icon, uid } from '../dom.js';
import { dimensions, plural } from '../format.js';
import { notifyError } from './notices.js';

/** @type {{ value: Preset | '' | 'own', label: string }[]} */
const PRESETS = [
  { value: '', label: 'As the file says, or as guessed' },
  { value: 'torchvision', label: 'torchvision: ImageNet mean and deviation' },
  { value: 'keras-tf', label: 'Keras, TensorFlow: −1 to 1, squashed' },
  { value: 'keras-caffe', label: 'Keras ResNet50, VGG16: BGR less the mean, squashed' },
  { value: 'keras-torch', label: 'Keras DenseNet: ImageNet mean and deviation, squashed' },
  { value: 'unit', label: '0 to 1' },
  { value: 'raw', label: 'Raw: 0 to 255' },
  { value: 'efficientnet-lite', label: 'EfficientNet-Lite' },
  { value: 'clip', label: 'CLIP' },
  { value: 'own', label: 'My own numbers' },
];
/** torchvision's mean and deviation: what most numbers of one's own are near. */
const MEAN = [123.675, 116.28, 103.53];
const STD = [58.395, 57.12, 57.375];
/** @type {{ value: Head, label: string, name: string }[]} */
const HEADS = [
  { value: 'softmax', label: 'Softmax: one class of all is right', name: 'a softmax: one class of all is right' },
  {
    value: 'sigmoid',
    label: 'Sigmoid: each class is right or not by itself',
    name: 'sigmoids: each class is right or not by itself',
  },
  { value: 'none', label: 'None: scores without probabilities', name: 'none, only scores' },
];

/**
 * @param {Store} store
 * @param {ModelFlow} model
 * @param {PageEngine} engine
 */
export function setUpModelDialog(store, model, engine) {
  const dialog = $('#model-dialog');
  /** @type {{ file: File | null, labels: File | null }} */
  const chosen = { file: null, labels: null };
  const file = fileRow('Choose a model', '.onnx', 'or drop it anywhere, with its data, labels and configuration', (picked) => {
    chosen.file = picked;
    // What was chosen for one file may contradict another.
    head.reset();
    choices.show(null);
  });
  const takeLabels = async (/** @type {File} */ picked) => {
    chosen.labels = null;
    const labels = await (await engine.loaded).readLabels(picked);
    chosen.labels = picked;
    return plural(labels.length, 'label');
  };
  const formats = '.txt,.json,.csv,.tsv,.names,.labels';
  const labels = fileRow('Choose labels', formats, 'one class per line, or JSON, CSV, config.json', takeLabels);
  const scaling = createScaling();
  const choices = createChoices();
  const head = createHead();
  const facts = h('dl', { class: 'facts' });
  const notes = h('div', { class: 'prose' });
  const submit = h('button', { type: 'submit', class: 'button primary' }, 'Open');
  const shipped = h('button', { type: 'button', class: 'button' }, 'Use the shipped model');
  const form = h(
    'form',
    { class: 'dialog-body' },
    facts,
    notes,
    h(
      'fieldset',
      {},
      h('legend', {}, 'A model of your own'),
      file.element,
      h('p', { class: 'hint' }, 'Any convolutional image classifier in ONNX form. It stays on this device.'),
    ),
    h('fieldset', {}, h('legend', {}, 'What its file may not say'), ...scaling.element, ...choices.element, head.element, labels.element),
    h('div', { class: 'dialog-actions' }, shipped, submit),
  );
  const close = h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close' }, icon('close'));
  close.addEventListener('click', () => dialog.close());
  dialog.append(h('div', { class: 'dialog-head' }, h('h2', { id: 'model-heading' }, 'Model'), close), form);

  const busy = async (/** @type {() => Promise<boolean>} */ work) => {
    submit.disabled = shipped.disabled = true;
    try {
      if (await work()) dialog.close();
    } catch (error) {
      notifyError(error);
    } finally {
      submit.disabled = shipped.disabled = false;
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    busy(async () => {
      const options = { ...scaling.read(), ...choices.read(), ...head.read(), labels: chosen.labels ?? undefined };
      return model.open(chosen.file, options);
    });
  });
  shipped.addEventListener('click', () => busy(() => model.reset()));
  dialog.addEventListener('close', () => {
    chosen.file = chosen.labels = null;
    file.reset();
    labels.reset();
    store.set({ dialog: null });
  });
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  store.watch(
    ({ dialog: which, info }) => [which, info],
    (which, info) => {
      if (info) facts.replaceChildren(...about(info.model).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
      if (info) notes.replaceChildren(...told(info.model).map((note) => h('p', {}, note)));
      if (info) choices.show(info.model);
      if (which === 'model' && !dialog.open) dialog.showModal();
    },
  );
}

/** Most kinds of operators that are named. */
const MOST = 8;

/**
 * How many nodes there are of each kind, the most frequent first.
 * @param {Model['summary']['operators']} counts
 */
function operators(counts) {
  const named = counts.slice(0, MOST).map(([name, count]) => `${count}\u00a0${name}`);
  const rest = counts.slice(MOST).reduce((sum, [, count]) => sum + count, 0);
  return [...named, ...(rest ? [`${rest} others`] : [])].join(', ');
}

/**
 * What is guessed goes first: it is what most needs a correction.
 * @param {Model} model
 */
const told = ({ guess, notes }) => (guess ? [guess, ...notes] : notes);

/**
 * How pictures are prepared, in words.
 * @param {Model['preprocessing']} preprocessing
 */
function prepared({ mean, std, channels, resize, interpolation }) {
  const list = (/** @type {number[]} */ values) => values.map((value) => Number(value.toFixed(2))).join(', ');
  return `(${channels.toUpperCase()} − ${list(mean)}) / ${list(std)}; ${resize}, ${interpolation}`;
}

/**
 * @param {Model} model
 * @returns {[name: string, value: string][]}
 */
function about({ name, input, classes, head, layers, license, missing, preprocessing, guess, summary }) {
  return [
    ['Open now', name],
    ['Input', dimensions(input)],
    [guess ? 'Pictures (a guess)' : 'Pictures', prepared(preprocessing)],
    ['Classes', `${classes.toLocaleString('en')}${missing.includes('labels') ? ', without names' : ''}`],
    ['Probabilities', HEADS.find(({ value }) => value === head)?.name ?? head],
    ['Parameters', `${summary.parameters.toLocaleString('en')} (${summary.element_types.join(', ')})`],
    ['Operators', operators(summary.operators)],
    ['Memory, about', `${Math.max(1, Math.round(summary.memory / 2 ** 20)).toLocaleString('en')} MB`],
    ['Layers', String(layers.length)],
    ...(license ? [/** @type {[string, string]} */ (['Licence', license])] : []),
  ];
}

/**
 * A button that opens the file dialog, and the name of what was picked.
 * @param {string} label
 * @param {string} accept
 * @param {string} hint
 * @param {(picked: File) => Promise<string> | void} onPick
 */
function fileRow(label, accept, hint, onPick) {
  const input = h('input', { type: 'file', accept, hidden: true, 'aria-label': label });
  const name = h('span', { class: 'hint' }, hint);
  const button = h('button', { type: 'button', class: 'button', on: { click: () => input.click() } }, label);
  input.addEventListener('change', async () => {
    const [picked] = input.files ?? [];
    if (!picked) return;
    try {
      name.textContent = (await onPick(picked)) ?? picked.name;
      if (!name.textContent.includes(picked.name)) name.textContent += ` from ${picked.name}`;
    } catch (error) {
      notifyError(error);
    }
  });
  const reset = () => {
    input.value = '';
    name.textContent = hint;
  };
  return { element: h('div', { class: 'file-row' }, button, name, input), reset };
}

/** How pictures are prepared: by preset, or with a mean and deviation of one's own on the scale 0..255. */
function createScaling() {
  const id = uid('scaling');
  const select = h('select', { id }, PRESETS.map(({ value, label }) => h('option', { value }, label)));
  const mean = triple('Mean, R G B');
  const std = triple('Deviation, R G B');
  const own = h('div', { class: 'row halves' }, mean.element, std.element);
  own.hidden = true;
  select.addEventListener('change', () => (own.hidden = select.value !== 'own'));
  mean.set(MEAN);
  std.set(STD);
  /** @returns {OpenModelOptions} */
  const read = () => {
    if (select.value === '') return {};
    if (select.value === 'own') return { preprocessing: { mean: mean.get(), std: std.get() } };
    return { preprocessing: { preset: /** @type {Preset} */ (select.value) } };
  };
  const label = 'How pictures are prepared';
  const field = h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), select);
  return { element: [field, own], read };
}

/** Which output is explained, where the file has several, and the input's size, where it leaves that open. */
function createChoices() {
  const ids = { scores: uid('scores'), size: uid('size') };
  const select = h('select', { id: ids.scores });
  const size = h('input', { type: 'text', id: ids.size, pattern: '\\s*\\d+\\s*[x×]\\s*\\d+\\s*', title: 'Height x width in pixels, as 224x224' });
  const outputs = h('div', { class: 'field' }, h('label', { class: 'field-label', for: ids.scores }, 'The output that is explained'), select);
  const extents = h('div', { class: 'field' }, h('label', { class: 'field-label', for: ids.size }, 'Input, height x width'), size);
  /** What the model that is open has; nothing of it holds for another file. */
  let now = { scores: '', size: '' };
  /** @param {Model | null} model */
  const show = (model) => {
    outputs.hidden = !model || model.outputs.length < 2;
    extents.hidden = !model?.is_size_open;
    now = { scores: model?.scores ?? '', size: model?.input.slice(1).join('x') ?? '' };
    select.replaceChildren(...(model?.outputs ?? []).map(({ name, shape }) => h('option', { value: name }, `${name}, ${shape}`)));
    [select.value, size.value] = [now.scores, now.size];
  };
  /** @returns {OpenModelOptions} */
  const read = () => {
    const [height, width] = size.value.split(/[x×]/).map(Number);
    return {
      ...(!outputs.hidden && select.value !== now.scores ? { scores: select.value } : {}),
      ...(!extents.hidden && size.value !== now.size ? { size: [height, width] } : {}),
    };
  };
  return { element: [outputs, extents], read, show };
}

/** What turns the network's outputs into probabilities. */
function createHead() {
  const id = uid('head');
  const options = HEADS.map(({ value, label }) => h('option', { value }, label));
  const select = h('select', { id }, h('option', { value: '' }, 'As the file says'), options);
  /** @returns {OpenModelOptions} */
  const read = () => (select.value ? { head: /** @type {Head} */ (select.value) } : {});
  return {
    element: h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, 'What turns outputs into probabilities'), select),
    read,
    reset: () => void (select.value = ''),
  };
}

/**
 * Three numbers in one text field, as the command line takes them.
 * @param {string} label
 */
function triple(label) {
  const id = uid('triple');
  const number = '\\s*-?\\d+(\\.\\d+)?\\s*';
  const input = h('input', {
    type: 'text',
    id,
    inputmode: 'decimal',
    required: true,
    pattern: `${number}[, ]${number}[, ]${number}`,
    title: 'Three numbers with commas between',
  });
  return {
    element: h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), input),
    get: () => input.value.split(/[\s,]+/).filter(Boolean).map(Number),
    set: (/** @type {number[]} */ values) => void (input.value = values.join(', ')),
  };
}
