// After a crash: what was lost is forgotten, and one message says what is still there.

/** @import { ExplainFlow, ModelFlow, Notice, Notices, PageEngine, PictureFlow, Restart, Run, Store } from '../types' */

import { clearedByRestart } from '../state/state.js';
import { infoOf } from './backend.js';

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {{ explain: ExplainFlow, model: ModelFlow, picture: PictureFlow }} flows
 * @param {Notices} notices
 */
export function createRestartFlow(store, engine, { explain, model, picture }, { clearNotices, notify }) {
  /**
   * @param {string} message
   * @param {Notice['kind']} kind
   */
  const tell = (message, kind = 'error') => notify({ kind, code: 'crashed', message });

  return async (/** @type {Restart} */ { culprit, kept }) => {
    const info = infoOf(await engine.loaded);
    const { run } = store.state;
    explain.forget();
    if (culprit) {
      clearNotices();
      model.fallBack(info);
      // It stays when the picture is there again, as errors would not.
      tell(`The engine failed on ${culprit}, so ${info.model.name} is open again`, 'info');
      return picture.again();
    }
    if (kept) {
      // The report of the run is still true; its maps are gone.
      /** @type {Run} */
      const lost = { ...run, status: run.status === 'idle' ? 'idle' : 'failed', maps: undefined };
      store.set({ ...clearedByRestart(), engine: 'ready', info, run: lost });
      const advice = 'if the same question fails again, choose another method or model';
      return tell(`The engine failed and was started again. Your picture and settings are still here; ${advice}`);
    }
    const { picture: lost } = store.state;
    model.adopt(info);
    store.set({ picture: null, ...(store.state.opening ? {} : { view: 'welcome' }) });
    const cause = lost ? ' on this picture' : '';
    const advice = lost ? '. Choose another picture or model' : '';
    tell(`The engine failed${cause} and was started again${advice}`);
  };
}
