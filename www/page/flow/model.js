// Opening a model of one's own, and going back to the one that ships.

/** @import { Explainer } from '../../api/pellucid' */
/** @import { Info, ModelFlow, Notices, PageEngine, PictureFlow, Store } from '../types' */

import { codeOf } from '../../shared/errors.js';
import { clearedByModel } from '../state/state.js';
import { infoOf } from './backend.js';

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {PictureFlow} picture
 * @param {Notices} notices
 * @returns {ModelFlow}
 */
export function createModelFlow(store, engine, picture, { clearErrors, notify, notifyError }) {
  /**
   * Options are those of the API; the file's own metadata fills the rest.
   * @type {ModelFlow['open']}
   */
  async function open(blob, options = {}) {
    return change(() => engine.open({ model: blob, ...options }), blob instanceof File ? blob.name : undefined);
  }

  async function reset() {
    return change(() => engine.open({}));
  }

  /**
   * @param {() => Promise<Explainer>} work
   * @param {string} [name]
   */
  async function change(work, name) {
    store.set({ openingModel: true });
    try {
      const info = infoOf(await work());
      clearErrors();
      adopt(info);
      tell(info, name);
      await picture.again();
      return true;
    } catch (error) {
      // One that gave way to another goes on as that.
      if (codeOf(error) === 'cancelled') return false;
      store.set({ openingModel: false });
      notifyError(error);
      return false;
    }
  }

  /**
   * Another model is open: what belongs to the one before is forgotten.
   * @param {Info} info
   */
  function adopt(info) {
    store.set({ ...clearedByModel(), engine: 'ready', openingModel: false, info });
  }

  /**
   * @param {Info} info
   * @param {string} [name]
   */
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
