// Opening a model of one's own, and going back to the one that ships.

/** @import { Explainer, OpenModelOptions } from '../../api/pellucid' */
/** @import { Info, ModelFlow, Notices, PageEngine, PictureFlow, Store } from '../types' */

import { codeOf } from '../../shared/errors.js';
import { clearedByModel } from '../state/state.js';
import { infoOf } from './backend.js';

/** What a model is opened from. @typedef {{ model?: File, data: File[], config?: File, labels?: File }} ModelParts */

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
    waiting = null;
    if (blob) {
      current = { data: [] };
      return change(() => engine.open({ model: blob, ...options }), blob instanceof File ? blob.name : undefined);
    }
    const file = await (await engine.loaded).file();
    const { data, config, labels } = current;
    const preprocessing = options.preprocessing ?? (config && { config });
    return change(() => engine.open({ model: file, files: data, ...options, preprocessing, labels: options.labels ?? labels }));
  }

  /** A model of which files are missing still, with those that came. @type {ModelParts | null} */
  let waiting = null;
  /** What the model that is open was dropped with. @type {ModelParts} */
  let current = { data: [] };

  /** @type {ModelFlow['take']} */
  async function take({ onnx, data, config, labels }) {
    const held = waiting;
    const model = onnx ?? held?.model;
    // Data for no model that waits, and what goes with the model that is open.
    if (!model && data.length) {
      waiting = { data, config, labels };
      notify({ message: `${data[0].name} holds the weights of a model. Drop its .onnx file too.` });
      return false;
    }
    const before = held ?? (onnx ? null : current);
    const all = [...(before?.data ?? []), ...data];
    return openParts({ model, data: all, config: config ?? before?.config, labels: labels ?? before?.labels });
  }

  /** @param {ModelParts} parts */
  async function openParts({ model, data, config, labels }) {
    const explainer = model ? null : await engine.loaded;
    const file = model ?? (await explainer?.file());
    if (!file) return false;
    /** @type {OpenModelOptions} */
    const options = { files: data, labels, preprocessing: config && { config } };
    waiting = null;
    current = { data, config, labels };
    const missing = (/** @type {unknown} */ error) => {
      if (codeOf(error) === 'missing-data' && file instanceof File) waiting = { model: file, data, config, labels };
    };
    return change(() => engine.open({ model: file, ...options }), model?.name, missing);
  }

  async function reset() {
    waiting = null;
    current = { data: [] };
    return change(() => engine.open({}));
  }

  /**
   * @param {() => Promise<Explainer>} work
   * @param {string} [name]
   * @param {(error: unknown) => void} [failed]
   */
  async function change(work, name, failed) {
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
      failed?.(error);
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
    const { missing, remarks, guess } = info.model;
    const gaps = {
      scaling: guess ?? '',
      labels: 'Its file does not name the classes.',
    };
    const message = [`${name ?? info.model.name} is open.`, ...missing.map((gap) => gaps[gap]), ...remarks].join(' ');
    const actions = missing.length ? [{ label: 'Set labels and scaling', run: () => store.set({ dialog: 'model' }) }] : [];
    notify({ message, actions });
  }

  return { open, take, reset, adopt };
}
