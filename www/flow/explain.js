// Runs the chosen method whenever what is asked changes. One run at a time: a new question stops the old one.

import { clock, measure } from '../core/timings.js';
import { notifyError } from '../view/notices.js';
import { tellBackend } from './backend.js';

const PAUSE = 120;

export function createExplainFlow(store, engine) {
  let controller = null;
  let running = Promise.resolve();
  let timer = 0;
  let first = true;

  /** What is asked now, or null while there is nothing to ask. */
  function question() {
    const { target, method, layer, score, parameters, crop, methods, opening } = store.state;
    if (!target || !method || !crop || opening) return null;
    const spec = methods.find(({ id }) => id === method);
    return {
      method,
      targets: [target.index],
      layer: spec.map === 'layer' ? layer : null,
      score: score ?? spec.default_score,
      parameters: parameters[method] ?? {},
      seed: 0,
    };
  }

  function schedule() {
    clearTimeout(timer);
    controller?.abort();
    if (question()) timer = setTimeout(run, PAUSE);
  }

  async function run() {
    await running;
    const asked = question();
    if (!asked) return;
    controller = new AbortController();
    running = explain(asked, controller.signal);
  }

  async function explain(asked, signal) {
    const start = clock();
    const current = () => !signal.aborted || store.state.run.stopping;
    const { result, previous } = store.state.run;
    store.set({ run: { status: 'running', asked, start, progress: null, result: null, previous: result ?? previous, version: 0 } });
    const update = (patch) => current() && store.set({ run: { ...store.state.run, ...patch } });
    try {
      const { backend_now, ...result } = await engine.call('explain', asked, {
        signal,
        onProgress(progress) {
          const { id, version } = store.state.run;
          const map = progress.id === undefined ? { id, version } : { id: progress.id, version: version + 1 };
          update({ progress, ...map });
        },
      });
      tellBackend(store, backend_now);
      update({ status: result.stopped ? 'stopped' : 'done', result, id: result.id, version: store.state.run.version + 1, stopping: false });
      if (first) measure('first-explanation', start, clock());
      first = false;
    } catch (error) {
      const stopped = error.code === 'cancelled';
      if (!stopped && current()) notifyError(error);
      update({ status: stopped ? 'stopped' : 'failed', stopping: false });
    }
  }

  /** Stops the run and keeps what there is. */
  function stop() {
    store.set({ run: { ...store.state.run, stopping: true } });
    controller?.abort();
  }

  store.watch(
    ({ target, method, layer, score, parameters, crop, opening }) => [target, method, layer, score, parameters, crop, opening],
    schedule,
  );
  return { stop, schedule };
}
