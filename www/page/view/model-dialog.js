// The model: what is open, and a way to open another, with what its file may not say (scaling, labels).

/** @import { Head, Model, OpenModelOptions } from '../../api/pellucid' */
/** @import { ModelFlow, PageEngine, Store } from '../types' */

import { $, h, icon, uid } from '../dom.js';
import { dimensions, plural } from '../format.js';
import { notifyError } from './notices.js';

/** @type {{ label: string, mean?: number[] | null, std?: number[] | null }[]} */
const PRESETS = [
  { label: 'As the file says', mean: null, std: null },
  { label: 'torchvision: ImageNet mean and deviation', mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
  { label: 'Keras, TensorFlow: −1 to 1', mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] },
  { label: '0 to 1', mean: [0, 0, 0], std: [255, 255, 255] },
  { label: 'Raw: 0 to 255', mean: [0, 0, 0], std: [1, 1, 1] },
  { label: 'My own numbers' },
];
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
const OWN = PRESETS.length - 1;

/**
 * @param {Store} store
 * @param {ModelFlow} model
 * @param {PageEngine} engine
 */
export function setUpModelDialog(store, model, engine) {
  const dialog = $('#model-dialog');
  /** @type {{ file: File | null, labels: File | null }} */
  const chosen = { file: null, labels: null };
  const file = fileRow('Choose a model', '.onnx', 'or drop an .onnx file anywhere', (picked) => {
    chosen.file = picked;
    // What was chosen for one file may contradict another.
    head.reset();
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
    h('fieldset', {}, h('legend', {}, 'What its file may not say'), ...scaling.element, head.element, labels.element),
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
      const options = { ...scaling.read(), ...head.read(), labels: chosen.labels };
      return model.open(chosen.file ?? (await (await engine.loaded).file()), options);
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
      if (info) notes.replaceChildren(...info.model.notes.map((note) => h('p', {}, note)));
      if (which === 'model' && !dialog.open) dialog.showModal();
    },
  );
}

/**
 * @param {Model} model
 * @returns {[name: string, value: string][]}
 */
function about({ name, input, classes, head, layers, license, missing }) {
  return [
    ['Open now', name],
    ['Input', dimensions(input)],
    ['Classes', `${classes.toLocaleString('en')}${missing.includes('labels') ? ', without names' : ''}`],
    ['Probabilities', HEADS.find(({ value }) => value === head)?.name ?? head],
    ['Layers that can be explained', String(layers.length)],
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

/** Mean and deviation on the scale 0..255, by preset or by hand. */
function createScaling() {
  const id = uid('scaling');
  const select = h('select', { id }, PRESETS.map(({ label }, i) => h('option', { value: String(i) }, label)));
  const mean = triple('Mean, R G B');
  const std = triple('Deviation, R G B');
  const own = h('div', { class: 'row halves' }, mean.element, std.element);
  own.hidden = true;
  select.addEventListener('change', () => {
    const preset = PRESETS[Number(select.value)];
    own.hidden = Number(select.value) !== OWN;
    if (preset.mean) mean.set(preset.mean);
    if (preset.std) std.set(preset.std);
  });
  mean.set(PRESETS[1].mean ?? []);
  std.set(PRESETS[1].std ?? []);
  /** @returns {OpenModelOptions} */
  const read = () => (PRESETS[Number(select.value)].mean === null ? {} : { preprocessing: { mean: mean.get(), std: std.get() } });
  const label = 'Scaling of pixels: (value − mean) / deviation, of 0 to 255';
  const field = h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), select);
  return { element: [field, own], read };
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
