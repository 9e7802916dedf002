// Side by side: several classes of one run on one scale, or several methods for one class.

import { $, h, show } from '../dom.js';
import { number, plural, share } from '../format.js';
import { latest } from '../latest.js';
import { displayFor, displayOf } from '../state/display.js';
import { labelOf, targetsOf } from '../state/question.js';
import { GROUPS } from './method.js';
import { notifyError } from './notices.js';
import { createSegments } from './segments.js';
import { createTicks } from './ticks.js';
import { createTiles } from './tiles.js';

/** How many classes are offered; the search offers the others. */
const OFFERED = 12;

export function setUpBeside(store, engine, flow) {
  const mode = createSegments({
    label: 'Side by side',
    options: [{ value: null, label: 'Off' }, { value: 'classes', label: 'Classes' }, { value: 'methods', label: 'Methods' }],
    onPick: (beside) => store.set({ beside }),
  });
  const ticks = createTicks({
    items: () => (store.state.beside === 'classes' ? classItems : methodItems)(store.state),
    onTick: (values) => store.set(store.state.beside === 'classes' ? { besideClasses: values } : { besideMethods: values }),
  });
  const tiles = createTiles((key) => store.set(store.state.beside === 'classes' ? { target: { index: key, label: labelOf(store.state, key) } } : plain(store.state, key)));
  const stop = h('button', { type: 'button', class: 'button small', on: { click: () => (busy(store.state) ? flow.stop() : flow.schedule()) } });
  $('#beside').append(h('div', { class: 'beside-head' }, mode.element, ticks.element, stop), tiles.element);

  store.watch(
    ({ beside, besideClasses, besideMethods, classes, target, method, methods, panels }) => [beside, besideClasses, besideMethods, classes, target, method, methods, panels],
    (beside, besideClasses, besideMethods, classes, target, method) => {
      // What is shown large stays among them.
      if (beside === 'classes' && target && besideClasses && !besideClasses.includes(target.index)) return store.set({ besideClasses: targetsOf(store.state) });
      if (beside === 'methods' && !besideMethods.includes(method)) return store.set({ besideMethods: [...besideMethods, method] });
      const items = { classes: classTiles, methods: methodTiles }[beside]?.(store.state) ?? [];
      mode.update(beside);
      $('#work').classList.toggle('with-tiles', Boolean(beside));
      show(ticks.button, Boolean(beside));
      ticks.update(beside === 'classes' ? plural(items.length, 'class', 'classes') : plural(items.length, 'method'));
      show(stop, beside === 'methods' && items.some(({ left }) => left));
      stop.textContent = busy(store.state) ? 'Stop' : 'Go on';
      tiles.update(items, beside === 'classes' ? target?.index : method);
    },
  );

  const drawClasses = latest(async ({ asked, id }, display) => {
    for (const [k, index] of asked.targets.entries()) tiles.paint(index, await engine.call('render', { id, k, display, shared: true, small: true }));
  }, notifyError);
  store.watch(
    ({ run, display, lock }) => [run.id, run.version, run.shared, display, lock],
    (id, _, shared) => id && shared && drawClasses(store.state.run, displayOf(store.state)),
  );

  const drawn = new Map();
  const drawMethods = latest(async (panels) => {
    for (const { method, id, version, report } of panels) {
      const { methods, lock } = store.state;
      const key = [id, version, lock?.scale].join();
      if (!id || drawn.get(method) === key) continue;
      const display = displayFor(methods.find((each) => each.id === method), report, lock);
      tiles.paint(method, await engine.call('render', { id, k: 0, display, small: true }));
      drawn.set(method, key);
    }
  }, notifyError);
  store.watch(({ panels, lock, beside }) => [panels, lock, beside], (panels) => {
    if (!panels.length) drawn.clear();
    else drawMethods(panels);
  });
}

const busy = ({ panels }) => panels.some(({ status }) => status === 'waiting' || status === 'running');

function classTiles(state) {
  const { classes } = state;
  return classes ? targetsOf(state).map((key) => ({ key, title: labelOf(state, key), note: share(classes.classes.find(({ index }) => index === key)) })) : [];
}

function methodTiles({ panels, methods }) {
  return panels.map((panel) => {
    const { method, status } = panel;
    return { key: method, title: methods.find(({ id }) => id === method).label, note: noteOf(panel), idle: status !== 'done', left: status !== 'done' && status !== 'failed' };
  });
}

function noteOf({ status, progress, report }) {
  if (status === 'done') return `up to ${number(Math.max(Math.abs(report.min), Math.abs(report.max)))}`;
  return status === 'running' && progress?.total > 1 ? `${progress.done} of ${progress.total}` : status;
}

/** A method as it is by itself: what its tile shows. */
const plain = ({ parameters }, method) => ({ method, score: null, layer: null, inner: null, display: {}, parameters: { ...parameters, [method]: {} } });

function classItems(state) {
  const ticked = targetsOf(state);
  return state.classes.classes
    .filter(({ index }, i) => i < OFFERED || ticked.includes(index))
    .map((each) => ({ value: each.index, label: labelOf(state, each.index), note: share(each), ticked: ticked.includes(each.index) }));
}

const methodItems = ({ methods, besideMethods }) =>
  methods.map(({ id, label, group }) => ({ value: id, label, group: GROUPS[group], ticked: besideMethods.includes(id) }));
