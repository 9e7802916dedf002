// Keeps the drawn frame in step with the map and the look. Latest wins: while one frame is being made, only the
// newest wish is kept.

import { lookOf } from '../view/look.js';
import { notifyError } from '../view/notices.js';

export function createDrawFlow(store, engine) {
  let busy = false;
  let wanted = null;

  function want(id, version, display) {
    if (id === undefined || id === null) return;
    wanted = { id, version, display };
    if (!busy) work();
  }

  async function work() {
    busy = true;
    try {
      while (wanted) {
        const wish = wanted;
        wanted = null;
        await draw(wish);
      }
    } catch (error) {
      // A map that is gone belongs to a run that another has replaced.
      if (!['argument', 'crashed', 'cancelled'].includes(error.code)) notifyError(error);
    } finally {
      busy = false;
    }
  }

  async function draw({ id, version, display }) {
    const k = 0;
    const frame = await engine.call('render', { id, k, display });
    const { values: before } = store.state;
    if (before?.id === id && before.version === version) {
      store.set({ frame: { ...frame, id, version } });
      return;
    }
    const values = await engine.call('values', { id, k });
    store.set({ frame: { ...frame, id, version }, values: { ...values, id, version } });
  }

  store.watch(
    ({ run, display }) => [run.id, run.version, display],
    (id, version) => want(id, version, lookOf(store.state)),
  );
}
