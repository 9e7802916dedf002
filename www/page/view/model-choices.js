// Fields for what a model's file may not say: how pictures are prepared, the head, the output, the size.

/** @import { Head, Model, Preset } from '../../api/pellucid' */
/** @import { Choices } from '../types' */

import { h, uid } from '../dom.js';

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

/** @type {{ value: Head, label: string }[]} */
const HEADS = [
  { value: 'softmax', label: 'Softmax: one class of all is right' },
  { value: 'sigmoid', label: 'Sigmoid: each class is right or not by itself' },
  { value: 'none', label: 'None: scores without probabilities' },
];
const CHANNELS = [
  { value: 'rgb', label: 'Red, green, blue' },
  { value: 'bgr', label: 'Blue, green, red' },
];

/**
 * The fields. `onChange` hears what is chosen whenever that is another, and whether all of it can be read.
 * @param {() => unknown} onChange
 */
export function createChoices(onChange) {
  const scaling = createScaling();
  const outputs = createOutputs();
  const channels = choice('Order of the colours', 'As above', CHANNELS);
  const head = choice('What turns outputs into probabilities', 'As the file says', HEADS, 'head');
  const element = [...scaling.element, h('div', { class: 'row halves ends' }, channels.element, head.element), ...outputs.element];
  for (const each of element) {
    each.addEventListener('change', onChange);
    each.addEventListener('input', ({ target }) => target instanceof HTMLInputElement && onChange());
  }
  return {
    element,
    /** @param {Model} model @param {Choices} choices */
    show(model, choices) {
      scaling.show(model, choices.preprocessing ?? {});
      outputs.show(model, choices);
      channels.select.value = choices.preprocessing?.channels ?? '';
      head.select.value = choices.head ?? '';
    },
    /** What the first field should hold that cannot be read; nothing where each can. */
    fault: () => element.flatMap((each) => [...each.querySelectorAll('input')]).find((input) => !input.validity.valid && !input.closest('[hidden]'))?.title,
    /** @returns {Choices} */
    read() {
      const order = /** @type {'rgb' | 'bgr' | ''} */ (channels.select.value);
      const preprocessing = { ...scaling.read(), ...(order && { channels: order }) };
      return {
        ...(Object.keys(preprocessing).length && { preprocessing }),
        ...(head.select.value && { head: /** @type {Head} */ (head.select.value) }),
        ...outputs.read(),
      };
    },
  };
}

/**
 * A list to choose from, in a field.
 * @param {string} label
 * @param {string} none
 * @param {{ value: string, label: string }[]} options
 * @param {string} [prefix]
 */
function choice(label, none, options, prefix = 'choice') {
  const id = uid(prefix);
  const select = h('select', { id }, none && h('option', { value: '' }, none), options.map(({ value, label }) => h('option', { value }, label)));
  return { select, element: h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), select) };
}

/** How pictures are prepared: by preset, or with a mean and deviation of one's own on the scale 0..255. */
function createScaling() {
  const { select, element } = choice('How pictures are prepared', '', PRESETS, 'scaling');
  const mean = triple('Mean, R G B');
  const std = triple('Deviation, R G B');
  const own = h('div', { class: 'row halves' }, mean.element, std.element);
  // Before anybody else hears of it.
  select.addEventListener('change', () => hideOwn());
  const hideOwn = () => {
    own.hidden = select.value !== 'own';
    for (const input of own.querySelectorAll('input')) input.disabled = own.hidden;
  };
  /** Options that are kept and have no field. @type {NonNullable<Choices['preprocessing']>} */
  let rest = {};
  return {
    element: [element, own],
    /** @param {Model} model @param {NonNullable<Choices['preprocessing']>} chosen */
    show({ preprocessing }, { preset, mean: ownMean, std: ownStd, channels, ...others }) {
      rest = others;
      select.value = ownMean || ownStd ? 'own' : (preset ?? '');
      // Numbers of one's own start from those in use.
      mean.set(ownMean ?? preprocessing.mean);
      std.set(ownStd ?? preprocessing.std);
      hideOwn();
    },
    /** @returns {NonNullable<Choices['preprocessing']>} */
    read() {
      if (select.value === '') return rest;
      if (select.value === 'own') return { ...rest, mean: mean.get(), std: std.get() };
      return { ...rest, preset: /** @type {Preset} */ (select.value) };
    },
  };
}

/** Which output is explained, where the file has several, and the input's size, where it leaves that open. */
function createOutputs() {
  const ids = { scores: uid('scores'), size: uid('size') };
  const select = h('select', { id: ids.scores });
  const size = h('input', { type: 'text', id: ids.size, required: true, pattern: '\\s*[1-9]\\d*\\s*[x×]\\s*[1-9]\\d*\\s*', title: 'Height x width in pixels, as 224x224' });
  const outputs = h('div', { class: 'field' }, h('label', { class: 'field-label', for: ids.scores }, 'The output that is explained'), select);
  const extents = h('div', { class: 'field' }, h('label', { class: 'field-label', for: ids.size }, 'Input, height x width'), size);
  /** The outputs and size of the open model, as they were chosen. */
  let now = { scores: '', size: '' };
  /** @type {Choices} */
  let chosen = {};
  /** @param {Model} model @param {Choices} choices */
  const show = (model, choices) => {
    outputs.hidden = model.outputs.length < 2;
    extents.hidden = !model.is_size_open;
    size.disabled = extents.hidden;
    now = { scores: model.scores, size: model.input.slice(1).join('x') };
    chosen = choices;
    select.replaceChildren(...model.outputs.map(({ name, shape }) => h('option', { value: name }, `${name}, ${shape}`)));
    [select.value, size.value] = [now.scores, now.size];
  };
  /** @returns {Choices} */
  const read = () => {
    const [height, width] = size.value.split(/[x×]/).map(Number);
    return {
      ...(!outputs.hidden && (chosen.scores || select.value !== now.scores) && { scores: select.value }),
      ...(!extents.hidden && (chosen.size || size.value !== now.size) && { size: /** @type {[number, number]} */ ([height, width]) }),
    };
  };
  return { element: [outputs, extents], read, show };
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
    set: (/** @type {number[]} */ values) => void (input.value = values.map((value) => +value.toPrecision(7)).join(', ')),
  };
}
