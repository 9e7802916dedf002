// Controls for a method's parameters, made from the registry.

import { $, h, show, uid } from '../dom.js';
import { number, plural } from '../format.js';
import { methodOf } from '../state/question.js';

const PAUSE = 350;
const WIDEST_SLIDER = 1000;
/** The choice that takes an image of the reader's own. */
const OWN = 'image';

export function setUpParameters(store) {
  const holder = $('#parameters');
  const settings = $('#settings');
  let timer = 0;
  let pending = {};

  function change(key, value) {
    const { method } = store.state;
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
    const current = store.state.parameters[spec?.id] ?? {};
    const background = spec?.background ? [h('div', { class: 'field' }, h('span', { class: 'field-label' }, 'Compared with'), ownFiles(store, 'background'))] : [];
    const controls = specs.map((each) => {
      if (!each.options?.includes(OWN)) return control(each, current[each.key] ?? each.default, (value) => change(each.key, value));
      const own = ownFiles(store, each.key);
      const pick = (value) => {
        show(own, value === OWN);
        if (value !== OWN || store.state.files[each.key]) change(each.key, value);
      };
      const element = control(each, current[each.key] ?? each.default, pick);
      show(own, current[each.key] === OWN);
      element.append(own);
      return element;
    });
    const reset = h('button', { type: 'button', class: 'button small' }, 'Back to the defaults');
    reset.addEventListener('click', () => {
      store.set({ files: {}, parameters: { ...store.state.parameters, [spec.id]: {} } });
      draw();
    });
    holder.replaceChildren(...background, ...controls, ...(specs.length ? [reset] : []));
  }

  store.watch(({ methods, method, files }) => [methods, method, files], draw);
}

let turn = 0;

/** Takes pictures of the reader's own: a background, or the image that a baseline is. */
export function takeOwn(store, key, blobs) {
  const { files, parameters, method } = store.state;
  const own = key === 'background' ? {} : { parameters: { ...parameters, [method]: { ...parameters[method], [key]: OWN } } };
  store.set({ files: { ...files, [key]: { turn: ++turn, blobs } }, ...own });
}

/** A button that opens the file dialog, and what is in use. */
function ownFiles(store, key) {
  const many = key === 'background';
  const input = h('input', { type: 'file', accept: 'image/*', multiple: many, hidden: true, 'aria-label': many ? 'Background' : 'Image' });
  input.addEventListener('change', () => input.files.length && takeOwn(store, key, [...input.files]));
  const blobs = store.state.files[key]?.blobs;
  const text = many ? (blobs ? plural(blobs.length, 'picture') : 'Twelve photographs, or several that you drop') : (blobs?.[0].name ?? 'stays on this device');
  return h('div', { class: 'file-row' }, h('button', { type: 'button', class: 'button small', on: { click: () => input.click() } }, many ? 'Choose pictures' : 'Choose an image'), h('span', { class: 'hint' }, text), input);
}

/** One control by kind; anything unknown is shown as text. */
function control(spec, value, onChange) {
  const id = uid('parameter');
  const make = { integer: numeric, number: numeric, choice, boolean: toggle, color, fill }[spec.kind] ?? text;
  const element = make(spec, value, onChange, id);
  if (spec.help) {
    const help = h('span', { class: 'hint', id: `${id}-help` }, spec.help);
    element.append(help);
    element.querySelector(`#${id}`)?.setAttribute('aria-describedby', help.id);
  }
  return element;
}

const labelled = (spec, id, input, extra) =>
  h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, spec.label, extra ?? null), input);

/** A slider where the range is short enough to hit a value, else a number field. */
function numeric(spec, value, onChange, id) {
  const bounded = spec.max - spec.min <= WIDEST_SLIDER;
  const step = spec.step ?? (spec.kind === 'integer' ? 1 : 'any');
  const input = h('input', { type: bounded ? 'range' : 'number', id, min: spec.min, max: spec.max, step: bounded && step === 'any' ? (spec.max - spec.min) / 200 : step });
  input.value = value;
  const output = bounded ? h('output', { for: id }) : null;
  const draw = () => {
    if (!output) return;
    output.textContent = number(Number(input.value));
    input.style.setProperty('--fill', `${((input.value - spec.min) / (spec.max - spec.min)) * 100}%`);
  };
  input.addEventListener('input', () => {
    draw();
    if (input.value !== '' && input.checkValidity()) onChange(Number(input.value));
  });
  draw();
  return labelled(spec, id, input, output);
}

function choice(spec, value, onChange, id) {
  const options = spec.options.map((each) => {
    return h('option', { value: each, selected: each === value }, each.replaceAll('-', ' '));
  });
  const input = h('select', { id }, options);
  input.addEventListener('change', () => onChange(input.value));
  return labelled(spec, id, input);
}

function toggle(spec, value, onChange, id) {
  const input = h('input', { type: 'checkbox', role: 'switch', id, checked: Boolean(value) });
  input.addEventListener('change', () => onChange(input.checked));
  return h('div', { class: 'field' }, h('label', { class: 'switch', for: id }, spec.label, input));
}

function color(spec, value, onChange, id) {
  const input = h('input', { type: 'color', id, value });
  input.addEventListener('input', () => onChange(input.value));
  return labelled(spec, id, input);
}

/** What hides a part of the picture: zero at the network's input, the mean, or a colour. */
function fill(spec, value, onChange, id) {
  const own = value.startsWith('#');
  const colour = h('input', { type: 'color', value: own ? value : '#808080', 'aria-label': 'Colour' });
  const options = [['zero', 'Zero at the input'], ['mean', 'The picture’s mean'], ['colour', 'A colour']];
  const select = h('select', { id }, options.map(([key, label]) => h('option', { value: key, selected: key === (own ? 'colour' : value) }, label)));
  const draw = () => show(colour, select.value === 'colour');
  select.addEventListener('change', () => {
    draw();
    onChange(select.value === 'colour' ? colour.value : select.value);
  });
  colour.addEventListener('input', () => onChange(colour.value));
  draw();
  return labelled(spec, id, h('div', { class: 'row' }, select, colour));
}

function text(spec, value, onChange, id) {
  const input = h('input', { type: 'text', id, value: String(value ?? '') });
  input.addEventListener('input', () => onChange(input.value));
  return labelled(spec, id, input);
}
