// Controls for a method's parameters, made from the registry.

/** @import { Parameter, Setting, Settings } from '../../api/pellucid' */
/** @import { Store } from '../types' */

import { $, h, show, uid } from '../dom.js';
import { number, plural } from '../format.js';
import { methodOf } from '../state/question.js';

const PAUSE = 350;
const WIDEST_SLIDER = 1000;
/** The choice that takes an image of the reader's own. */
const OWN = 'image';

/** @param {Store} store */
export function setUpParameters(store) {
  const holder = $('#parameters');
  const settings = $('#settings');
  let timer = 0;
  /** @type {Settings} */
  let pending = {};

  /**
   * @param {string} key
   * @param {Setting} value
   */
  function change(key, value) {
    const { method } = store.state;
    if (!method) return;
    pending[key] = value;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const { parameters } = store.state;
      store.set({ parameters: { ...parameters, [method]: { ...parameters[method], ...pending } } });
      pending = {};
    }, PAUSE);
  }

  function draw() {
    clearTimeout(timer);
    pending = {};
    const spec = methodOf(store.state);
    const specs = spec?.parameters ?? [];
    show(settings, specs.length > 0);
    const current = (spec && store.state.parameters[spec.id]) ?? {};
    const compared = h('span', { class: 'field-label' }, 'Compared with');
    const background = spec?.background ? [h('div', { class: 'field' }, compared, ownFiles(store, 'background'))] : [];
    const controls = specs.map((each) => {
      const value = current[each.key] ?? each.default;
      if (each.kind !== 'choice' || !each.options.includes(OWN)) return control(each, value, (value) => change(each.key, value));
      const own = ownFiles(store, each.key);
      const pick = (/** @type {Setting} */ value) => {
        show(own, value === OWN);
        if (value !== OWN || store.state.files[each.key]) change(each.key, value);
      };
      const element = control(each, value, pick);
      show(own, current[each.key] === OWN);
      element.append(own);
      return element;
    });
    const reset = h('button', { type: 'button', class: 'button small' }, 'Back to the defaults');
    reset.addEventListener('click', () => {
      if (spec) store.set({ files: {}, parameters: { ...store.state.parameters, [spec.id]: {} } });
      draw();
    });
    holder.replaceChildren(...background, ...controls, ...(specs.length ? [reset] : []));
  }

  store.watch(({ methods, method, files }) => [methods, method, files], draw);
}

let turn = 0;

/**
 * Takes pictures of the reader's own: a background, or the image that a baseline is.
 * @param {Store} store
 * @param {string} key
 * @param {File[]} blobs
 */
export function takeOwn(store, key, blobs) {
  const { files, parameters, method } = store.state;
  const own = key === 'background' || !method ? {} : { parameters: { ...parameters, [method]: { ...parameters[method], [key]: OWN } } };
  store.set({ files: { ...files, [key]: { turn: ++turn, blobs } }, ...own });
}

/**
 * A button that opens the file dialog, and what is in use.
 * @param {Store} store
 * @param {string} key
 */
function ownFiles(store, key) {
  const many = key === 'background';
  const label = many ? 'Background' : 'Image';
  const input = h('input', { type: 'file', accept: 'image/*', multiple: many, hidden: true, 'aria-label': label });
  input.addEventListener('change', () => input.files?.length && takeOwn(store, key, [...input.files]));
  const blobs = (store.state.files[key] || null)?.blobs;
  const pictures = blobs ? plural(blobs.length, 'picture') : 'Twelve photographs, or several that you drop';
  const text = many ? pictures : (blobs?.[0].name ?? 'stays on this device');
  const button = h('button', { type: 'button', class: 'button small' }, many ? 'Choose pictures' : 'Choose an image');
  button.addEventListener('click', () => input.click());
  return h('div', { class: 'file-row' }, button, h('span', { class: 'hint' }, text), input);
}

/**
 * Makes a control: of a parameter, at a value, which tells of each change; the id is for its label.
 * @template {Parameter} P
 * @typedef {(spec: P, value: Setting, onChange: (value: Setting) => void, id: string) => HTMLElement} Control
 */

/**
 * One control by kind; anything unknown is shown as text.
 * @type {(spec: Parameter, value: Setting, onChange: (value: Setting) => void) => HTMLElement}
 */
function control(spec, value, onChange) {
  const id = uid('parameter');
  const element = made(spec, value, onChange, id);
  if (spec.help) {
    const help = h('span', { class: 'hint', id: `${id}-help` }, spec.help);
    element.append(help);
    element.querySelector(`#${id}`)?.setAttribute('aria-describedby', help.id);
  }
  return element;
}

/** @type {Control<Parameter>} */
function made(spec, value, onChange, id) {
  switch (spec.kind) {
    case 'integer':
    case 'number':
      return numeric(spec, value, onChange, id);
    case 'choice':
      return choice(spec, value, onChange, id);
    case 'boolean':
      return toggle(spec, value, onChange, id);
    case 'fill':
      return fill(spec, value, onChange, id);
    default:
      return text(spec, value, onChange, id);
  }
}

/**
 * @param {Parameter} spec
 * @param {string} id
 * @param {HTMLElement} input
 * @param {HTMLElement | null} [extra]
 */
const labelled = (spec, id, input, extra) =>
  h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, spec.label, extra ?? null), input);

/**
 * A slider where the range is short enough to hit a value, else a number field.
 * @type {Control<Extract<Parameter, { kind: 'integer' | 'number' }>>}
 */
function numeric(spec, value, onChange, id) {
  const range = spec.max - spec.min;
  const bounded = range <= WIDEST_SLIDER;
  const step = spec.kind === 'integer' ? 1 : bounded ? range / 200 : 'any';
  const input = h('input', { type: bounded ? 'range' : 'number', id, min: spec.min, max: spec.max, step });
  input.value = String(value);
  const output = bounded ? h('output', { for: id }) : null;
  const draw = () => {
    if (!output) return;
    output.textContent = number(Number(input.value));
    input.style.setProperty('--fill', `${((Number(input.value) - spec.min) / range) * 100}%`);
  };
  input.addEventListener('input', () => {
    draw();
    if (input.value !== '' && input.checkValidity()) onChange(Number(input.value));
  });
  draw();
  return labelled(spec, id, input, output);
}

/** @type {Control<Extract<Parameter, { kind: 'choice' }>>} */
function choice(spec, value, onChange, id) {
  const options = spec.options.map((each) => {
    return h('option', { value: each, selected: each === value }, each.replaceAll('-', ' '));
  });
  const input = h('select', { id }, options);
  input.addEventListener('change', () => onChange(input.value));
  return labelled(spec, id, input);
}

/** @type {Control<Parameter>} */
function toggle(spec, value, onChange, id) {
  const input = h('input', { type: 'checkbox', role: 'switch', id, checked: Boolean(value) });
  input.addEventListener('change', () => onChange(input.checked));
  return h('div', { class: 'field' }, h('label', { class: 'switch', for: id }, spec.label, input));
}

/**
 * A control for a fill, which hides a part of the picture: zero at the network's input, the mean, or a colour.
 * @type {Control<Parameter>}
 */
function fill(spec, value, onChange, id) {
  const own = String(value).startsWith('#');
  const colour = h('input', { type: 'color', value: own ? value : '#808080', 'aria-label': 'Colour' });
  const names = { zero: 'Zero at the input', mean: 'The picture’s mean', colour: 'A colour' };
  const chosen = own ? 'colour' : value;
  const options = Object.entries(names).map(([key, label]) => h('option', { value: key, selected: key === chosen }, label));
  const select = h('select', { id }, options);
  const draw = () => show(colour, select.value === 'colour');
  select.addEventListener('change', () => {
    draw();
    onChange(select.value === 'colour' ? colour.value : select.value);
  });
  colour.addEventListener('input', () => onChange(colour.value));
  draw();
  return labelled(spec, id, h('div', { class: 'row' }, select, colour));
}

/** @type {Control<Parameter>} */
function text(spec, value, onChange, id) {
  const input = h('input', { type: 'text', id, value: String(value) });
  input.addEventListener('input', () => onChange(input.value));
  return labelled(spec, id, input);
}
