// The best five classes with their probabilities, or their scores where the network has none, and any other class by
// search. Choosing one asks why.

/** @import { Classification, ClassScore, Target } from '../../api/pellucid' */
/** @import { State, Store } from '../types' */
/** @import { Item } from './picker.js' */

import { $, $$, h, show } from '../dom.js';
import { duration, quoted, share } from '../format.js';
import { labelOf, methodOf } from '../state/question.js';
import { createPicker } from './picker.js';

const TOP = 5;

/** @param {Store} store */
export function setUpAnswers(store) {
  const list = $('#answers');
  const choose = (/** @type {number} */ index) => store.set({ target: { index, label: labelOf(store.state, index) } });
  list.addEventListener('change', ({ target }) => target instanceof HTMLInputElement && choose(Number(target.value)));

  const picker = createPicker({
    label: 'Another class',
    placeholder: 'Search all classes',
    search: true,
    items: () => items(store.state),
    onPick: choose,
  });
  $('#class-field').append(...picker.element);

  store.watch(
    ({ classes, target }) => [classes, target],
    (classes, target) => {
      drawList(list, classes, target, (index) => labelOf(store.state, index));
      const known = classes?.classes.slice(0, TOP).some(({ index }) => index === target?.index);
      picker.update(target?.index ?? null, target && !known ? target.label : undefined);
      picker.button.disabled = !classes;
      show($('#class-field'), classes?.classes.length !== 1);
      $('#answers-note').textContent = classes ? `in ${duration(classes.elapsed_ms)}` : '';
    },
  );
  store.watch(({ target, versus, methods, method }) => [target, versus, methods, method], (target, versus) => {
    const rather = versus !== null && methodOf(store.state)?.contrasts ? ` rather than ${quoted(labelOf(store.state, versus))}` : '';
    $('#why-heading').textContent = target ? `Why ${quoted(target.label)}${rather}?` : 'Why?';
  });
}

/**
 * Every class, the best first.
 * @param {State} state
 * @returns {Item<number>[]}
 */
export function items(state) {
  if (!state.classes) return [];
  return state.classes.classes.map((each) => ({
    value: each.index,
    label: labelOf(state, each.index),
    note: share(each),
    words: String(each.index),
  }));
}

/**
 * @param {HTMLElement} list
 * @param {Classification | null} classes
 * @param {Target | null} target
 * @param {(index: number) => string} label
 */
function drawList(list, classes, target, label) {
  list.classList.toggle('skeleton', !classes);
  if (!classes) {
    list.setAttribute('aria-busy', 'true');
    list.replaceChildren(...Array.from({ length: TOP }, (_, i) => skeleton(i)));
    return;
  }
  list.removeAttribute('aria-busy');
  const top = classes.classes.slice(0, TOP);
  const chosen = classes.classes.find(({ index }) => index === target?.index);
  const shown = chosen && !top.includes(chosen) ? [...top, chosen] : top;
  const inputs = () => [...list.querySelectorAll('input')];
  const rows = inputs().map(({ value }) => Number(value));
  const same = rows.length === shown.length && shown.every(({ index }, i) => rows[i] === index);
  if (!same || list.dataset.of !== String(classes.span[0])) {
    const focused = list.contains(document.activeElement);
    list.replaceChildren(...shown.map((each) => row({ ...each, label: label(each.index) })));
    list.dataset.of = String(classes.span[0]);
    if (focused) inputs().find(({ value }) => Number(value) === target?.index)?.focus();
    requestAnimationFrame(() => grow(list));
  }
  for (const input of inputs()) input.checked = Number(input.value) === target?.index;
}

/** @param {number} i */
const skeleton = (i) => {
  const name = '\u2003'.repeat([9, 7, 8, 6, 7][i]);
  return h(
    'div',
    { class: 'answer' },
    h('span', {}, h('span', { class: 'answer-label' }, name)),
    h('span', { class: 'answer-share' }, '00.0 %'),
    h('span', { class: 'answer-track' }),
  );
};

/** @param {ClassScore} answer */
function row(answer) {
  const { index, label, probability } = answer;
  // A score has no bar: nothing says how much would be all.
  const bar =
    probability === null
      ? null
      : h('span', { class: 'answer-track', 'aria-hidden': 'true' }, h('span', { class: 'answer-bar', data: { share: probability } }));
  return h(
    'label',
    { class: 'answer', title: label },
    h('input', { type: 'radio', name: 'answer', value: String(index) }),
    h('span', { class: 'answer-label' }, label),
    h('span', { class: 'answer-share' }, share(answer)),
    bar,
  );
}

/**
 * Bars grow from nothing once they are in the document.
 * @param {HTMLElement} list
 */
function grow(list) {
  for (const bar of $$('.answer-bar', list)) {
    bar.style.setProperty('transform', `scaleX(${Math.max(Number(bar.dataset.share), 0.004)})`);
  }
}
