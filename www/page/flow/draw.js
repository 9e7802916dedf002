// Keeps the drawn frame in step with the map and the display options.

/** @import { Display } from '../../api/pellucid' */
/** @import { Drawn, Notices, PageEngine, Store } from '../types' */

import { latest } from '../latest.js';
import { displayOf } from '../state/display.js';

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {Notices} notices
 */
export function createDrawFlow(store, engine, { notifyError }) {
  const draw = latest(async (/** @type {Drawn} */ { map, version }, /** @type {boolean} */ shared, /** @type {Display} */ display) => {
    // A map that is only drawn anew keeps its values.
    const { values: before } = store.state;
    const isKnown = before?.map === map && before.version === version;
    const explainer = await engine.loaded;
    const { values, ...frame } = await explainer.draw(map, display, { shared, values: !isKnown });
    store.set({ frame: { ...frame, map, version }, values: values ? { ...values, map, version } : before });
  }, notifyError);

  store.watch(
    ({ run, display, lock }) => [run.maps, run.k, run.version, display, lock],
    () => {
      const { maps, k = 0, version = 0, shared = false } = store.state.run;
      if (maps) draw({ map: maps[k], version }, shared, displayOf(store.state));
    },
  );
}
