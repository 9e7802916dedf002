// Several methods side by side for one class: a run each, one after another, whenever the page has nothing else
// to explain.

/** @import { PictureView } from '../../api/pellucid' */
/** @import { CompareFlow, Notices, PageEngine, Panel, Question, Store } from '../types' */

import { codeOf } from '../../shared/errors.js';
import { askedOf, pictureOf, plainQuestion, sameQuestion } from '../state/question.js';

/** Longer than a change takes to become the main run, which goes first. */
const PAUSE = 250;

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {Notices} notices
 * @returns {CompareFlow}
 */
export function createCompareFlow(store, engine, { notifyError }) {
  /** @type {AbortController | null} */
  let controller = null;
  let timer = 0;
  let turn = 0;

  /**
   * @param {string} method
   * @param {Partial<Panel>} change
   */
  const patch = (method, change) =>
    store.set({ panels: store.state.panels.map((panel) => (panel.method === method ? { ...panel, ...change } : panel)) });

  /** Lists what is to be shown, keeps what is there, and runs the rest. */
  function schedule() {
    const { compare, comparedMethods, methods, crop, target, panels } = store.state;
    const mine = ++turn;
    clearTimeout(timer);
    controller?.abort();
    const panelOf = (/** @type {string} */ method, /** @type {PictureView} */ crop) => {
      const asked = plainQuestion(store.state, method);
      const done = panels.find((each) => each.status === 'done' && each.crop === crop && sameQuestion(each.asked, asked));
      return done ?? /** @type {Panel} */ ({ method, asked, crop, status: 'waiting', version: 0 });
    };
    const wanted = methods.filter(({ id }) => comparedMethods.includes(id));
    store.set({ panels: compare === 'methods' && crop && target ? wanted.map(({ id }) => panelOf(id, crop)) : [] });
    timer = setTimeout(work, PAUSE, mine);
  }

  /** @param {number} mine */
  async function work(mine) {
    for (;;) {
      await idle();
      const next = store.state.panels.find(({ status }) => status === 'waiting');
      if (mine !== turn || !next?.asked) return;
      const { run } = store.state;
      if (run.status === 'done' && run.crop === next.crop && sameQuestion(run.asked, next.asked)) {
        patch(next.method, { status: 'done', report: run.report, maps: run.maps, version: 1 });
      } else await explain(next.method, next.asked, mine);
    }
  }

  /**
   * When nothing else is being explained.
   * @returns {Promise<unknown>}
   */
  const idle = () =>
    new Promise((resolve) => {
      const end = store.watch(({ run }) => [run.status], (status) => status !== 'running' && setTimeout(() => resolve(end())));
    });

  /**
   * @param {string} method
   * @param {Question} asked
   * @param {number} mine
   */
  async function explain(method, asked, mine) {
    controller = new AbortController();
    const update = (/** @type {Partial<Panel>} */ change) => mine === turn && patch(method, change);
    update({ status: 'running' });
    let version = 0;
    try {
      const { signal } = controller;
      const explainer = await engine.loaded;
      const report = await explainer.explain(pictureOf(store.state), {
        ...askedOf(asked),
        signal,
        partial: true,
        onProgress: ({ maps, ...progress }) => {
          update({ progress, ...(maps && { maps, version: ++version }) });
        },
      });
      // A panel that gave way to the main run is taken up again.
      update(report.stopped ? { status: 'waiting' } : { status: 'done', report, maps: report.targets, version: ++version });
    } catch (error) {
      const cancelled = codeOf(error) === 'cancelled';
      update({ status: cancelled ? 'waiting' : 'failed' });
      if (!cancelled && mine === turn) notifyError(error);
    }
  }

  /** Stops after what there is; `schedule` goes on. */
  function stop() {
    turn += 1;
    controller?.abort();
    store.set({ panels: store.state.panels.map((panel) => (panel.status === 'done' ? panel : { ...panel, status: 'stopped' })) });
  }

  store.watch(
    ({ compare, comparedMethods, target, crop, versus, files }) => [compare, comparedMethods, target, crop, versus, files],
    schedule,
  );
  store.watch(({ run }) => [run.status === 'running'], (busy) => busy && controller?.abort());
  return { schedule, stop };
}
