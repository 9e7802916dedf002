// Side by side: several classes of one run on one scale, or several methods for one class.

/** @import { Display } from '../../api/pellucid' */
/** @import { CompareFlow, PageEngine, Panel, State, Store } from '../types' */
/** @import { CheckItem } from './check-list.js' */
/** @import { Tile } from './tiles.js' */

import { $, h, show } from '../dom.js';
import { number, plural, share } from '../format.js';
import { latest } from '../latest.js';
import { displayFor, displayOf } from '../state/display.js';
import { labelOf, targetsOf } from '../state/question.js';
import { createCheckList } from './check-list.js';
import { GROUPS } from './method.js';
import { notifyError } from './notices.js';
import { createSegmentedControl } from './segmented-control.js';
import { createTiles } from './tiles.js';

/** How many classes are offered; the search offers the others. */
const OFFERED = 12;

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {CompareFlow} flow
 */
export function setUpCompare(store, engine, flow) {
  /** @type {{ value: State['compare'], label: string }[]} */
  const modes = [
    { value: null, label: 'Off' },
    { value: 'classes', label: 'Classes' },
    { value: 'methods', label: 'Methods' },
  ];
  const mode = createSegmentedControl({ label: 'Side by side', options: modes, onPick: (compare) => store.set({ compare }) });
  const checkList = createCheckList({
    items: () => (store.state.compare === 'classes' ? classItems : methodItems)(store.state),
    onCheck(values) {
      store.set(store.state.compare === 'classes' ? { comparedClasses: values.map(Number) } : { comparedMethods: values });
    },
  });
  const tiles = createTiles((key) => {
    if (store.state.compare !== 'classes') return store.set(plain(store.state, key));
    const index = Number(key);
    store.set({ target: { index, label: labelOf(store.state, index) } });
  });
  const stop = h('button', { type: 'button', class: 'button small' });
  stop.addEventListener('click', () => (busy(store.state) ? flow.stop() : flow.schedule()));
  $('#compare').append(h('div', { class: 'compare-head' }, mode.element, checkList.element, stop), tiles.element);

  store.watch(
    (state) => {
      const { compare, comparedClasses, comparedMethods, classes, target, method, methods, panels } = state;
      return [compare, comparedClasses, comparedMethods, target, method, classes, methods, panels];
    },
    (compare, comparedClasses, comparedMethods, target, method) => {
      // The class that is shown large stays among them.
      if (compare === 'classes' && target && comparedClasses && !comparedClasses.includes(target.index)) {
        return store.set({ comparedClasses: targetsOf(store.state) });
      }
      if (compare === 'methods' && method && !comparedMethods.includes(method)) {
        return store.set({ comparedMethods: [...comparedMethods, method] });
      }
      const items = compare ? { classes: classTiles, methods: methodTiles }[compare](store.state) : [];
      mode.update(compare);
      $('#work').classList.toggle('with-tiles', Boolean(compare));
      show(checkList.button, Boolean(compare));
      checkList.update(compare === 'classes' ? plural(items.length, 'class', 'classes') : plural(items.length, 'method'));
      show(stop, compare === 'methods' && items.some(({ left }) => left));
      stop.textContent = busy(store.state) ? 'Stop' : 'Go on';
      tiles.update(items, compare === 'classes' ? String(target?.index) : method);
    },
  );

  const drawClasses = latest(async (/** @type {number[]} */ targets, /** @type {object[]} */ maps, /** @type {Display} */ display) => {
    const explainer = await engine.loaded;
    for (const [k, index] of targets.entries()) {
      tiles.paint(String(index), await explainer.draw(maps[k], display, { shared: true, small: true }));
    }
  }, notifyError);
  store.watch(
    ({ run, display, lock }) => [run.maps, run.version, run.shared, display, lock],
    (maps, _, shared) => maps && shared && drawClasses(store.state.run.asked?.targets ?? [], maps, displayOf(store.state)),
  );

  /** @type {Map<string, { maps: object[], key: string }>} */
  const drawn = new Map();
  const drawMethods = latest(async (/** @type {Panel[]} */ panels) => {
    const explainer = await engine.loaded;
    for (const { method, maps, version, report } of panels) {
      const { methods, lock } = store.state;
      const key = [version, lock?.scale].join();
      const before = drawn.get(method);
      if (!maps || (before?.maps === maps && before.key === key)) continue;
      const display = displayFor(methods.find((each) => each.id === method), report, lock);
      tiles.paint(method, await explainer.draw(maps[0], display, { small: true }));
      drawn.set(method, { maps, key });
    }
  }, notifyError);
  store.watch(({ panels, lock, compare }) => [panels, lock, compare], (panels) => {
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
  if (status === 'done' && report?.targets.length === 1) {
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
  optionalLayer: null,
  display: {},
  parameters: { ...parameters, [method]: {} },
});

/**
 * @param {State} state
 * @returns {CheckItem[]}
 */
function classItems(state) {
  const checked = targetsOf(state);
  const scores = state.classes?.classes ?? [];
  return scores
    .filter(({ index }, i) => i < OFFERED || checked.includes(index))
    .map((each) => ({
      value: String(each.index),
      label: labelOf(state, each.index),
      note: share(each),
      checked: checked.includes(each.index),
    }));
}

/**
 * @param {State} state
 * @returns {CheckItem[]}
 */
const methodItems = ({ methods, comparedMethods }) =>
  methods.map(({ id, label, group }) => ({ value: id, label, group: GROUPS[group], checked: comparedMethods.includes(id) }));
