// Opening a model of one's own, and going back to the one that ships.

/** @import { Explainer, OpenModelOptions } from '../../api/pellucid' */
/** @import { Choices, Info, ModelFlow, ModelParts, Notices, PageEngine, PictureFlow, Store } from '../types' */

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
  /** A model of which files are missing still, with those that came. @type {ModelParts | null} */
  let waiting = null;
  /** The parts that the model was opened from. Without a model it is the page's own. @type {ModelParts} */
  let current = { data: [], choices: {} };
  /** The same of the last model that an answer came from: where one crashes, the engine goes back to it. */
  let proven = current;
  /** The last notice on the model. @type {ReturnType<Notices['notify']> | undefined} */
  let told;
  /** Takes the place of what was said before: that is no longer so. @type {Notices['notify']} */
  const say = (notice) => {
    told?.remove();
    return (told = notify(notice));
  };

  /** @type {ModelFlow['take']} */
  async function take({ model, data, config, labels }) {
    const held = waiting;
    const of = model ?? held?.model;
    // Data for no model that waits, and what goes with the model that is open.
    if (!of && data.length) {
      waiting = { data, config: config ?? held?.config, labels: labels ?? held?.labels, choices: {} };
      say({ message: `The file ${data[0].name} holds the weights of a model. Drop its .onnx file too.` });
      return false;
    }
    const isOfCurrent = !of && !held?.data.length;
    const before = isOfCurrent ? current : (held ?? { data: [], choices: {} });
    const { preprocessing, ...choices } = before.choices;
    return openParts({
      model: of ?? current.model,
      data: [...before.data, ...data],
      config: config ?? before.config,
      labels: labels ?? before.labels,
      // A configuration says all of what was chosen of preprocessing before it; the rest still holds.
      choices: config ? choices : before.choices,
    }, of?.name, () => isOfCurrent && labels && keep(labels));
  }

  /**
   * Labels that do not fit the model that is open may be of the next one.
   * @param {File} labels
   */
  async function keep(labels) {
    const explainer = await engine.loaded;
    // What cannot be read was told of.
    if (!(await explainer.readLabels(labels).catch(() => null))) return;
    waiting = { data: [], labels, choices: {} };
    say({ message: `The labels of ${labels.name} are kept for the next model.` });
  }

  /** @type {ModelFlow['choose']} */
  async function choose(choices, labels) {
    return openParts({ ...current, choices, labels: labels ?? current.labels });
  }

  /**
   * @param {ModelParts} parts
   * @param {string} [name]
   * @param {() => unknown} [refused]
   */
  async function openParts(parts, name, refused) {
    waiting = null;
    const failed = (/** @type {unknown} */ error) => {
      if (codeOf(error) === 'missing-data' && parts.model) waiting = parts;
      if (codeOf(error) === 'argument') refused?.();
    };
    return change(() => engine.open(optionsOf(parts)), parts, name, failed);
  }

  async function reset() {
    waiting = null;
    return change(() => engine.open({}), { data: [], choices: {} });
  }

  /**
   * @param {() => Promise<Explainer>} work
   * @param {ModelParts} parts
   * @param {string} [name]
   * @param {(error: unknown) => void} [failed]
   */
  async function change(work, parts, name, failed) {
    store.set({ openingModel: true, loading: null });
    try {
      const info = infoOf(await work());
      if (store.state.classes) proven = current;
      current = parts;
      clearErrors();
      adopt(info);
      tell(info, name);
      await picture.again();
      return true;
    } catch (error) {
      // One that gave way to another goes on as that.
      if (codeOf(error) === 'cancelled') return false;
      store.set({ openingModel: false, loading: null });
      failed?.(error);
      notifyError(error);
      return false;
    }
  }

  /** @type {ModelFlow['fallBack']} */
  function fallBack(info) {
    current = proven;
    adopt(info);
  }

  /**
   * Another model is open: what belongs to the one before is forgotten.
   * @param {Info} info
   */
  function adopt(info) {
    store.set({ ...clearedByModel(), engine: 'ready', openingModel: false, loading: null, info });
  }

  /**
   * @param {Info} info
   * @param {string} [name]
   */
  function tell(info, name) {
    // The dialog shows all of it.
    told?.remove();
    if (store.state.dialog === 'model') return;
    const { missing, remarks, guess } = info.model;
    const gaps = {
      scaling: guess ?? '',
      labels: 'Its file does not name the classes.',
    };
    const message = [`The model ${name ?? info.model.name} is open.`, ...missing.map((gap) => gaps[gap]), ...remarks].join(' ');
    const actions = missing.length ? [{ label: 'Set labels and scaling', run: () => store.set({ dialog: 'model' }) }] : [];
    say({ message, actions });
  }

  return {
    take,
    choose,
    reset,
    adopt,
    fallBack,
    get choices() {
      return current.choices;
    },
    get parts() {
      return current;
    },
    reopen: (parts) => openParts(parts, parts.model?.name),
    optionsFor: (choices) => optionsOf({ ...current, choices }),
  };
}

/**
 * How the API opens a model and what lies around it. What is left out is that of the page's own.
 * @param {ModelParts} parts
 * @returns {OpenModelOptions}
 */
function optionsOf({ model, data, config, labels, choices: { preprocessing, ...choices } }) {
  return {
    ...choices,
    ...(model && { model }),
    ...(data.length && { files: data }),
    ...(labels && { labels }),
    ...((preprocessing || config) && { preprocessing: { ...preprocessing, ...(config && { config }) } }),
  };
}
