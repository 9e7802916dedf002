// Keeps the drawn frame in step with the map and the display options.

import { latest } from '../latest.js';
import { displayOf } from '../state/display.js';

export function createDrawFlow(store, engine, { notifyError }) {
  const draw = latest(async ({ id, k, version, shared }, display) => {
    const frame = await engine.call('render', { id, k, display, shared });
    const { values: before } = store.state;
    const same = before?.id === id && before.k === k && before.version === version;
    const values = same ? before : { ...(await engine.call('values', { id, k })), id, k, version };
    store.set({ frame: { ...frame, id, k, version }, values });
  }, notifyError);

  store.watch(
    ({ run, display, lock }) => [run.id, run.k, run.version, display, lock],
    (id) => id && draw(store.state.run, displayOf(store.state)),
  );
}
