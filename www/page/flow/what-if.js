// Asks what the network would see if a part were hidden: cuts the picture into the segments that the method hides, and asks
// for the scores without some of them. Latest click wins.

/** @import { MethodId } from '../../api/pellucid' */
/** @import { ExplainFlow, Notices, PageEngine, Store, WhatIf, WhatIfFlow } from '../types' */

import { latest } from '../latest.js';
import { pictureOf } from '../state/question.js';

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {ExplainFlow} explain
 * @param {Notices} notices
 * @returns {WhatIfFlow}
 */
export function createWhatIfFlow(store, engine, explain, { notifyError }) {
  /** @param {Partial<WhatIf>} patch */
  const update = (patch) => store.state.whatIf && store.set({ whatIf: { ...store.state.whatIf, ...patch } });

  const ask = latest(async (/** @type {Set<number>} */ hidden) => {
    const cut = store.state.whatIf?.cut;
    const classes = hidden.size && cut ? await (await engine.loaded).hide(cut, hidden) : null;
    if (hidden === store.state.whatIf?.hidden) update({ classes });
  }, notifyError);

  /** Begins; a run that is under way stops, since the network answers one at a time. */
  async function enter() {
    const { method, parameters, run } = store.state;
    if (!method) return;
    const interrupted = run.status === 'running';
    if (interrupted) explain.stop();
    store.set({ whatIf: { hidden: new Set(), classes: null, cut: null, interrupted } });
    try {
      const explainer = await engine.loaded;
      const options = { method: /** @type {MethodId} */ (method), parameters: parameters[method] ?? {} };
      update({ cut: await explainer.segments(pictureOf(store.state), options) });
    } catch (error) {
      leave();
      notifyError(error);
    }
  }

  /** Ends, and takes up the run that was stopped. */
  function leave() {
    const { whatIf } = store.state;
    if (!whatIf) return;
    store.set({ whatIf: null });
    if (whatIf.interrupted) explain.schedule();
  }

  /** @param {Set<number>} hidden */
  function hide(hidden) {
    update({ hidden });
    ask(hidden);
  }

  /** @param {number} segment */
  function toggle(segment) {
    const hidden = new Set(store.state.whatIf?.hidden);
    if (!hidden.delete(segment)) hidden.add(segment);
    hide(hidden);
  }

  // Another question, another picture: the segments are no longer these.
  store.watch(({ method, parameters, crop, engine }) => [method, parameters, crop, engine], () => leave());
  return { enter, leave, toggle, reset: () => hide(new Set()) };
}
