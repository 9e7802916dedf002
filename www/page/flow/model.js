// Opening a model of one's own, and going back to the one that ships.

import { clearedByModel } from '../state/state.js';

export function createModelFlow(store, engine, picture, { clearErrors, notify, notifyError }) {
  /** Options: `mean` and `std` on the scale 0..255, `labels` as an array and the name of their `labelsFile`; the file's own metadata fills the rest. */
  async function open(blob, options = {}) {
    return change(() => engine.openModel(blob, options), blob.name);
  }

  async function reset() {
    return change(() => engine.openDefault());
  }

  async function change(work, name) {
    store.set({ openingModel: true });
    try {
      const info = await work();
      clearErrors();
      adopt(info);
      tell(info, name);
      await picture.again();
      return true;
    } catch (error) {
      // One that gave way to another goes on as that.
      if (error.code === 'cancelled') return false;
      store.set({ openingModel: false });
      notifyError(error);
      return false;
    }
  }

  /** Another model is open: what belongs to the one before is forgotten. */
  function adopt(info) {
    store.set({ ...clearedByModel(), engine: 'ready', openingModel: false, info });
  }

  function tell(info, name) {
    const { missing, remarks } = info.model;
    const gaps = {
      scaling: 'Its file does not say how pixels are scaled: torchvision’s ImageNet numbers are assumed.',
      labels: 'Its file does not name the classes.',
    };
    const message = [`${name ?? info.model.name} is open.`, ...missing.map((gap) => gaps[gap]), ...remarks].join(' ');
    const actions = missing.length ? [{ label: 'Set labels and scaling', run: () => store.set({ dialog: 'model' }) }] : [];
    notify({ message, actions });
  }

  return { open, reset, adopt };
}
