// Other choices for the model that is open, tried before they are accepted: what would the network say? The last change
// counts; what was asked before it is stopped.

/** @import { Choices, ExplainFlow, ModelFlow, PageEngine, Store, Trial, TrialFlow } from '../types' */

import { codeOf, messageOf } from '../../shared/errors.js';
import { pictureOf } from '../state/question.js';

/** How long changes have to rest that follow one another, as numbers that are typed, in milliseconds. */
const PAUSE = 150;

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {{ explain: ExplainFlow, model: ModelFlow }} flows
 * @returns {TrialFlow}
 */
export function createTrialFlow(store, engine, { explain, model }) {
  /** @type {AbortController | null} */
  let controller = null;
  let timer = 0;
  /** A run was stopped for it. */
  let interrupted = false;

  /** @param {Partial<Trial>} patch */
  const update = (patch) => store.set({ trial: { status: 'running', classes: null, notes: [], message: null, ...store.state.trial, ...patch } });

  const fail = (/** @type {string} */ message) => update({ status: 'failed', classes: null, notes: [], message });

  function stop() {
    clearTimeout(timer);
    controller?.abort();
    controller = null;
  }

  /** @type {TrialFlow['ask']} */
  function ask(choices, fault) {
    stop();
    if (!store.state.classes) return;
    if (fault) return fail(`This cannot be read. Give ${fault[0].toLowerCase()}${fault.slice(1)}`);
    if (JSON.stringify(sortedKeys(choices)) === JSON.stringify(sortedKeys(model.choices))) return store.set({ trial: null });
    // The network answers one at a time.
    if (store.state.run.status === 'running') {
      interrupted = true;
      explain.stop();
    }
    update({ status: 'running' });
    controller = new AbortController();
    timer = setTimeout(run, PAUSE, choices, controller.signal);
  }

  /**
   * @param {Choices} choices
   * @param {AbortSignal} signal
   */
  async function run(choices, signal) {
    try {
      const { classes, notes } = await answer(choices, signal);
      if (!signal.aborted) update({ status: 'done', classes, notes, message: null });
    } catch (error) {
      if (!signal.aborted && codeOf(error) !== 'cancelled') fail(messageOf(error));
    }
  }

  /**
   * @param {Choices} choices
   * @param {AbortSignal} signal
   */
  async function answer(choices, signal) {
    const { size, scores } = model.choices;
    const picture = pictureOf(store.state);
    const options = model.optionsFor(choices);
    // The network itself is another one.
    if (String(choices.size) !== String(size) || choices.scores !== scores) {
      const other = await engine.beside({ ...options, signal });
      try {
        return await other.classify(picture, { signal });
      } finally {
        other.dispose();
      }
    }
    const explainer = await engine.loaded;
    const { preprocessing = {}, head } = options;
    return explainer.classify(picture, { preprocessing, head, signal });
  }

  /** @type {TrialFlow['leave']} */
  function leave() {
    stop();
    store.set({ trial: null });
    if (interrupted) explain.schedule();
    interrupted = false;
  }

  // Answers for another picture or model are not known before they are asked for.
  store.watch(({ crop, info }) => [crop, info?.model], () => {
    stop();
    interrupted = false;
  });
  return { ask, leave };
}

/**
 * The same with its keys in order.
 * @param {any} value
 * @returns {any}
 */
function sortedKeys(value) {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortedKeys(value[key])]));
}
