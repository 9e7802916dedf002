// After a crash: what was lost is forgotten, and one message says what is still there.

import { clearedByRestart } from '../state/state.js';

export function createRestartFlow(store, { explain, model, picture }, { clearNotices, notify }) {
  const tell = (message, kind = 'error') => notify({ kind, code: 'crashed', message });

  /** `culprit` is the model that failed before it had given an answer, if one did; `kept` whether the picture is still there. */
  return ({ info, culprit, kept }) => {
    const { run } = store.state;
    explain.forget();
    if (culprit) {
      clearNotices();
      model.adopt(info);
      // It stays when the picture is there again, as errors would not.
      tell(`The engine failed on ${culprit}, so ${info.model.name} is open again`, 'info');
      return picture.again();
    }
    if (kept) {
      // The report of the run is still true; its maps are gone.
      const lost = { ...run, status: run.status === 'idle' ? 'idle' : 'failed', id: undefined };
      store.set({ ...clearedByRestart(), engine: 'ready', info, run: lost });
      return tell('The engine failed and was started again. Your picture and settings are still here; if the same question fails again, choose another method or model');
    }
    const { picture: lost } = store.state;
    model.adopt(info);
    store.set({ picture: null, ...(store.state.opening ? {} : { view: 'welcome' }) });
    tell(lost ? 'The engine failed on this picture and was started again. Choose another picture or model' : 'The engine failed and was started again');
  };
}
