// The best five classes of the open picture, in the model's dialog: as they are, and as they would be with other choices.

/** @import { ClassScore } from '../../api/pellucid' */
/** @import { Store } from '../types' */

import { h, show } from '../dom.js';
import { sentence } from '../../shared/errors.js';
import { share } from '../format.js';
import { labelOf } from '../state/question.js';

const TOP = 5;

/**
 * `labels` are those that were chosen and are not accepted yet.
 * @param {Store} store
 * @param {() => string[] | null} labels
 */
export function createTrialView(store, labels) {
  const heading = h('h3', { class: 'trial-heading' }, 'The network sees');
  const list = h('ol', { class: 'trial-list' });
  const state = h('p', { class: 'hint', role: 'status' });
  const notes = h('div', { class: 'prose' });
  const element = h('section', { class: 'trial', 'aria-label': 'What the network sees' }, heading, list, state, notes);

  function draw() {
    const { classes: now, trial, picture } = store.state;
    const name = (/** @type {ClassScore} */ { index, label }) => labels()?.[index] ?? (trial ? label : labelOf(store.state, index));
    const shown = trial?.classes ?? (trial?.status === 'failed' ? [] : (now?.classes ?? []));
    const before = new Map(trial ? now?.classes.map((each) => [each.index, each]) : []);
    list.replaceChildren(...shown.slice(0, TOP).map((each) => row(each, name(each), before.get(each.index))));
    list.classList.toggle('compared', before.size > 0);
    element.classList.toggle('stale', trial?.status === 'running');
    element.classList.toggle('failed', trial?.status === 'failed');
    state.textContent =
      trial?.status === 'failed' ? sentence(trial.message ?? '')
      : trial?.status === 'running' ? 'Asking the network'
      : trial ? 'With these choices, which are not applied yet'
      : now ? `In ${picture?.name ?? 'the picture'}, as the model is open now`
      : 'Once a picture is open, its answers change here with every choice.';
    notes.replaceChildren(...(trial?.notes ?? []).map((note) => h('p', {}, note)));
    show(list, shown.length);
  }

  store.watch(({ classes, trial, picture }) => [classes, trial, picture], draw);
  return { element, draw };
}

/**
 * @param {ClassScore} answer
 * @param {string} label
 * @param {ClassScore} [before]
 */
function row(answer, label, before) {
  const bar = h('span', { class: 'trial-bar' });
  bar.style.setProperty('--share', String(answer.probability ?? 0));
  return h(
    'li',
    { title: label },
    h('span', { class: 'answer-label' }, label),
    h('span', { class: 'answer-share' }, share(answer)),
    answer.probability === null ? null : h('span', { class: 'trial-track', 'aria-hidden': 'true' }, bar),
    before ? h('span', { class: 'trial-before' }, `now ${share(before)}`) : null,
  );
}
