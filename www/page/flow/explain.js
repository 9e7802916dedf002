// Runs the chosen method whenever what is asked changes. One run at a time: a new question stops the old one.
// What is known already is not computed again: another class of the same run, a map that is shown side by side, a
// layer that a sweep over all of them has been to.

/** @import { Explanation } from '../../api/pellucid' */
/** @import { ExplainFlow, Notices, PageEngine, Question, Run, Store } from '../types' */

import { clock, measure } from '../../shared/timings.js';
import { codeOf } from '../../shared/errors.js';
import { askedOf, methodOf, pictureOf, questionOf, reportOf, sameQuestion } from '../state/question.js';
import { tellBackend } from './backend.js';

/** How long changes have to rest that follow one another: a slider on its way, a number that is typed. */
const PAUSE = 120;

/**
 * The reports that a sweep over the layers has brought.
 * @typedef {object} Sweep
 * @property {Run['crop']} [crop]
 * @property {Question} [asked]
 * @property {Map<string | null, Explanation>} reports
 * @property {boolean} [going]
 */

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {Notices} notices
 * @returns {ExplainFlow}
 */
export function createExplainFlow(store, engine, { notify, notifyError }) {
  /** @type {AbortController | null} */
  let controller = null;
  let running = Promise.resolve();
  let timer = 0;
  let changed = 0;
  let first = true;
  /**
   * The last sweep: of which picture and question, whatever the layer, and the report for each layer.
   * @type {Sweep}
   */
  let swept = { reports: new Map() };

  const anywhere = (/** @type {Question} */ asked) => ({ ...asked, layer: null });
  const isSwept = (/** @type {Question} */ asked) => swept.crop === store.state.crop && sameQuestion(swept.asked, anywhere(asked));
  const setRun = (/** @type {Partial<Run>} */ patch) => store.set({ run: { ...store.state.run, ...patch } });

  /** @param {Question} asked */
  function known(asked) {
    const { panels, crop, info } = store.state;
    const panel = panels.find((each) => each.status === 'done' && each.crop === crop && sameQuestion(each.asked, asked));
    return panel?.report ?? (isSwept(asked) ? swept.reports.get(asked.layer ?? info?.model.default_layer ?? null) : undefined);
  }

  function schedule() {
    const { run, crop, target } = store.state;
    const asked = questionOf(store.state);
    const goesOn = ['running', 'done'].includes(run.status) && !run.waiting;
    if (asked && target && goesOn && run.crop === crop && sameQuestion(asked, run.asked)) {
      // Another class of the same run: only what is shown changes.
      const k = asked.targets.indexOf(target.index);
      if (k !== run.k) setRun({ k, result: run.report && reportOf(run.report, k) });
      return;
    }
    clearTimeout(timer);
    const report = asked && known(asked);
    const coming = asked && swept.going && isSwept(asked);
    if (!coming) controller?.abort();
    if (report) begin(asked, { status: 'done', report, maps: report.targets, version: 1 });
    else if (coming) begin(asked, { waiting: true });
    else if (asked) {
      const rested = clock() - changed > PAUSE;
      timer = setTimeout(start, rested ? 0 : PAUSE, explain);
      changed = clock();
    }
  }

  /**
   * The run that is shown from now on.
   * @param {Question} asked
   * @param {Partial<Run>} [run]
   */
  function begin(asked, run = {}) {
    const { run: { result, previous }, crop, target } = store.state;
    const k = target ? asked.targets.indexOf(target.index) : 0;
    store.set({
      run: {
        status: 'running',
        asked,
        crop,
        k,
        shared: asked.targets.length > 1,
        start: clock(),
        progress: null,
        previous: result ?? previous,
        version: 0,
        ...run,
        result: run.report && reportOf(run.report, k),
      },
    });
  }

  /** @param {(asked: Question, signal: AbortSignal) => Promise<void>} work */
  async function start(work) {
    await running;
    const asked = questionOf(store.state);
    if (!asked) return;
    controller = new AbortController();
    running = work(asked, controller.signal);
  }

  /**
   * @param {Question} asked
   * @param {AbortSignal} signal
   */
  async function explain(asked, signal) {
    const current = () => !signal.aborted || store.state.run.stopping;
    begin(asked);
    const update = (/** @type {Partial<Run>} */ patch) => current() && setRun(patch);
    try {
      const explainer = await engine.loaded;
      const report = await explainer.explain(pictureOf(store.state), {
        ...askedOf(asked),
        signal,
        partial: true,
        onProgress({ maps, ...progress }) {
          const { version = 0 } = store.state.run;
          update({ progress, ...(maps && { maps, version: version + 1 }) });
        },
      });
      tellBackend(store, explainer.backend, notify);
      const { k = 0, version = 0, start = 0 } = store.state.run;
      update({
        status: report.stopped ? 'stopped' : 'done',
        report,
        result: reportOf(report, k),
        maps: report.targets,
        version: version + 1,
        stopping: false,
      });
      if (first) measure('first-explanation', start, clock());
      first = false;
    } catch (error) {
      const stopped = codeOf(error) === 'cancelled';
      if (!stopped && current()) notifyError(error);
      update({ status: stopped ? 'stopped' : 'failed', stopping: false });
    }
  }

  /** Looks at every layer in one go, so that a slider over the layers finds its maps made. */
  function sweep() {
    const asked = questionOf(store.state);
    const { run } = store.state;
    if (asked && methodOf(store.state)?.sweeps && !isSwept(asked) && run.status !== 'running') start(sweepAll);
  }

  /**
   * @param {Question} asked
   * @param {AbortSignal} signal
   */
  async function sweepAll(asked, signal) {
    /** @type {Sweep} */
    const own = { crop: store.state.crop, asked: anywhere(asked), reports: new Map(), going: true };
    swept = own;
    try {
      const explainer = await engine.loaded;
      await explainer.sweep(pictureOf(store.state), {
        ...askedOf(asked),
        signal,
        onProgress({ explanations, ...progress }) {
          for (const report of explanations) own.reports.set(report.layer, report);
          if (store.state.run.waiting) setRun({ progress });
          if (!signal.aborted) schedule();
        },
      });
      tellBackend(store, explainer.backend, notify);
    } catch (error) {
      if (codeOf(error) !== 'cancelled') notifyError(error);
      else own.crop = null;
    }
    own.going = false;
    // A layer that it has not brought is asked for by itself.
    if (store.state.run.stopping) setRun({ status: 'stopped', waiting: false, stopping: false });
    else schedule();
  }

  /** Stops the run and keeps what there is. */
  function stop() {
    setRun({ stopping: true });
    controller?.abort();
  }

  store.watch(
    (state) => {
      const { target, versus, method, layer, optionalLayer, score, parameters, files, crop, opening, compare, comparedClasses } = state;
      return [target, versus, method, layer, optionalLayer, score, parameters, files, crop, opening, compare, comparedClasses];
    },
    schedule,
  );
  /** Forgets the sweep: the engine lost what it had. */
  const forget = () => void (swept = { reports: new Map() });
  return { stop, schedule, sweep, forget };
}
