// Keeps the drawn frame in step with the map and the look.

import { lookOf } from '../view/look.js';
import { latest } from './latest.js';

export function createDrawFlow(store, engine) {
  const draw = latest(async ({ id, k, version, shared }, display) => {
    const frame = await engine.call('render', { id, k, display, shared });
    const { values: before } = store.state;
    const same = before?.id === id && before.k === k && before.version === version;
    const values = same ? before : { ...(await engine.call('values', { id, k })), id, k, version };
    store.set({ frame: { ...frame, id, k, version }, values });
  });

  store.watch(
    ({ run, display, lock }) => [run.id, run.k, run.version, display, lock],
    (id) => id && draw(store.state.run, lookOf(store.state)),
  );
}
