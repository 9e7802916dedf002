// Keeps the drawn frame in step with the map and the display options.

/** @import { Display } from '../../shared/wire' */
/** @import { Drawn, EngineCalls, Notices, Store } from '../types' */

import { latest } from '../latest.js';
import { displayOf } from '../state/display.js';

/**
 * @param {Store} store
 * @param {EngineCalls} engine
 * @param {Notices} notices
 */
export function createDrawFlow(store, engine, { notifyError }) {
  const draw = latest(async (/** @type {Drawn} */ { id, k, version }, /** @type {boolean} */ shared, /** @type {Display} */ display) => {
    // A map that is only drawn anew keeps its values.
    const { values: before } = store.state;
    const isKnown = before?.id === id && before.k === k && before.version === version;
    const { values, ...frame } = await engine.call('render', { id, k, display, shared, values: !isKnown });
    store.set({ frame: { ...frame, id, k, version }, values: values ? { ...values, id, k, version } : before });
  }, notifyError);

  store.watch(
    ({ run, display, lock }) => [run.id, run.k, run.version, display, lock],
    () => {
      const { id, k = 0, version = 0, shared = false } = store.state.run;
      if (id) draw({ id, k, version }, shared, displayOf(store.state));
    },
  );
}
