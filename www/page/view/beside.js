// Side by side: several classes of one run on one scale, or several methods for one class.

/** @import { Classification, Display } from '../../shared/wire' */
/** @import { BesideFlow, EngineCalls, Panel, State, Store } from '../types' */
/** @import { CheckItem } from './ticks.js' */
/** @import { Tile } from './tiles.js' */

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

/**
 * @param {Store} store
 * @param {EngineCalls} engine
 * @param {BesideFlow} flow
 */
export function setUpBeside(store, engine, flow) {
  /** @type {{ value: State['beside'], label: string }[]} */
  const modes = [
    { value: null, label: 'Off' },
    { value: 'classes', label: 'Classes' },
    { value: 'methods', label: 'Methods' },
  ];
  const mode = createSegments({ label: 'Side by side', options: modes, onPick: (beside) => store.set({ beside }) });
  const ticks = createTicks({
    items: () => (store.state.beside === 'classes' ? classItems : methodItems)(store.state),
    onTick(values) {
      store.set(store.state.beside === 'classes' ? { besideClasses: values.map(Number) } : { besideMethods: values });
    },
  });
  const tiles = createTiles((key) => {
    if (store.state.beside !== 'classes') return store.set(plain(store.state, key));
    const index = Number(key);
    store.set({ target: { index, label: labelOf(store.state, index) } });
  });
  const stop = h('button', { type: 'button', class: 'button small' });
  stop.addEventListener('click', () => (busy(store.state) ? flow.stop() : flow.schedule()));
  $('#beside').append(h('div', { class: 'beside-head' }, mode.element, ticks.element, stop), tiles.element);

  store.watch(
    (state) => {
      const { beside, besideClasses, besideMethods, classes, target, method, methods, panels } = state;
      return [beside, besideClasses, besideMethods, target, method, classes, methods, panels];
    },
    (beside, besideClasses, besideMethods, target, method) => {
      // What is shown large stays among them.
      if (beside === 'classes' && target && besideClasses && !besideClasses.includes(target.index)) {
        return store.set({ besideClasses: targetsOf(store.state) });
      }
      if (beside === 'methods' && method && !besideMethods.includes(method)) {
        return store.set({ besideMethods: [...besideMethods, method] });
      }
      const items = beside ? { classes: classTiles, methods: methodTiles }[beside](store.state) : [];
      mode.update(beside);
      $('#work').classList.toggle('with-tiles', Boolean(beside));
      show(ticks.button, Boolean(beside));
      ticks.update(beside === 'classes' ? plural(items.length, 'class', 'classes') : plural(items.length, 'method'));
      show(stop, beside === 'methods' && items.some(({ left }) => left));
      stop.textContent = busy(store.state) ? 'Stop' : 'Go on';
      tiles.update(items, beside === 'classes' ? String(target?.index) : method);
    },
  );

  const drawClasses = latest(async (/** @type {number[]} */ targets, /** @type {number} */ id, /** @type {Display} */ display) => {
    for (const [k, index] of targets.entries()) {
      tiles.paint(String(index), await engine.call('render', { id, k, display, shared: true, small: true }));
    }
  }, notifyError);
  store.watch(
    ({ run, display, lock }) => [run.id, run.version, run.shared, display, lock],
    (id, _, shared) => id && shared && drawClasses(store.state.run.asked?.targets ?? [], id, displayOf(store.state)),
  );

  const drawn = new Map();
  const drawMethods = latest(async (/** @type {Panel[]} */ panels) => {
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

/** @param {State} state */
const busy = ({ panels }) => panels.some(({ status }) => status === 'waiting' || status === 'running');

/**
 * @param {State} state
 * @returns {(Tile & { left?: boolean })[]}
 */
function classTiles(state) {
  const scores = state.classes?.classes ?? [];
  const shown = targetsOf(state).flatMap((key) => scores.find(({ index }) => index === key) ?? []);
  return shown.map((each) => ({ key: String(each.index), title: labelOf(state, each.index), note: share(each) }));
}

/**
 * @param {State} state
 * @returns {(Tile & { left?: boolean })[]}
 */
function methodTiles({ panels, methods }) {
  return panels.map((panel) => {
    const { method, status } = panel;
    return {
      key: method,
      title: methods.find(({ id }) => id === method)?.label ?? method,
      note: noteOf(panel),
      idle: status !== 'done',
      left: status !== 'done' && status !== 'failed',
    };
  });
}

/** @param {Panel} panel */
function noteOf({ status, progress, report }) {
  if (status === 'done' && report && !report.targets) {
    return `up to ${number(Math.max(Math.abs(report.min), Math.abs(report.max)))}`;
  }
  return status === 'running' && progress && progress.total > 1 ? `${progress.done} of ${progress.total}` : status;
}

/**
 * A method as it is by itself: what its tile shows.
 * @param {State} state
 * @param {string} method
 * @returns {Partial<State>}
 */
const plain = ({ parameters }, method) => ({
  method,
  score: null,
  layer: null,
  inner: null,
  display: {},
  parameters: { ...parameters, [method]: {} },
});

/**
 * @param {State} state
 * @returns {CheckItem[]}
 */
function classItems(state) {
  const ticked = targetsOf(state);
  const scores = state.classes?.classes ?? [];
  return scores
    .filter(({ index }, i) => i < OFFERED || ticked.includes(index))
    .map((each) => ({
      value: String(each.index),
      label: labelOf(state, each.index),
      note: share(each),
      ticked: ticked.includes(each.index),
    }));
}

/**
 * @param {State} state
 * @returns {CheckItem[]}
 */
const methodItems = ({ methods, besideMethods }) =>
  methods.map(({ id, label, group }) => ({ value: id, label, group: GROUPS[group], ticked: besideMethods.includes(id) }));
