// The engine as the page sees it: starts the worker, remembers what it was given, and after a crash starts a
// fresh one with a model and a picture that are known to work, so that the page goes on.

/** @import { Loading, OpenOptions, Started } from '../../shared/wire' */
/** @import { CodedError, EngineCalls, ModelOptions, Restart } from '../types' */

import { codeOf, messageOf } from '../errors.js';
import { MODEL } from '../urls.js';
import { Bridge, PellucidError } from './bridge.js';
import { createHelpers } from './helpers.js';

/** What the model that ships is called; its file does not say. */
const NAME = 'EfficientNet-Lite0, 8-bit';

/** How many starts may fail, or end in a crash that nobody asked for, one after another. */
const MOST_FAILURES = 3;

/** What shows that a model and a picture can be worked with. */
const PROOFS = ['classify'];

/**
 * How a model is opened.
 * @typedef {{ model: string | Blob, name: string, labelsFile?: string, options: OpenOptions }} Opening
 */

/**
 * @typedef {object} Handlers
 * @property {(progress: Loading) => unknown} onLoading
 * @property {(restart: Restart) => unknown} onRestart
 * @property {(error: CodedError) => unknown} onDead
 */

export class Engine {
  /** @type {Bridge} */
  #bridge;
  /** @type {WebAssembly.Module | null} */
  #module = null;
  /** @type {Opening} */
  #model = { model: MODEL, name: NAME, options: {} };
  /** @type {Blob | null} */
  #image = null;
  /**
   * The last model and picture that an answer came for.
   * @type {{ model: Opening, image: Blob | null }}
   */
  #proven;
  #handlers;
  #failures = 0;
  /** Whether anything was asked of the worker that runs now. */
  #asked = false;
  /** Whether a crash is dealt with already, by who waits for an answer. */
  #starting = true;
  /**
   * The worker in which another model is being opened.
   * @type {Bridge | null}
   */
  #next = null;
  #workers;
  #helpers;

  /**
   * Handlers: `onLoading(progress)`, `onRestart({ info, culprit, kept })`, `onDead(error)`. `workers` is how many may
   * compute side by side where there is no GPU.
   * @param {string} backend
   * @param {number} workers
   * @param {Handlers} handlers
   */
  constructor(backend, workers, handlers) {
    this.#workers = workers;
    this.#helpers = createHelpers(workers - 1);
    this.#model.options = { backend };
    this.#proven = { model: this.#model, image: null };
    this.#handlers = handlers;
    this.#bridge = this.#hire();
    /** @type {Promise<Omit<Started, 'file'>>} */
    this.ready = this.#begin();
    this.ready.catch(() => {});
  }

  async #begin() {
    try {
      const { file, ...started } = await this.#start(this.#bridge, this.#model);
      this.#module = started.module;
      // What is here is not downloaded again.
      this.#model = { ...this.#model, model: file };
      this.#proven = { model: this.#model, image: null };
      return started;
    } catch (error) {
      this.#bridge.close();
      throw this.#die(error);
    } finally {
      this.#starting = false;
    }
  }

  /** @returns {Bridge} */
  #hire() {
    /** @type {Bridge} */
    const bridge = new Bridge(
      (message) => bridge === this.#bridge && this.#crashed(message),
      (present) => this.#helpers.gather(bridge, present, { module: this.#module, ...this.#model }),
    );
    return bridge;
  }

  /**
   * @param {Bridge} bridge
   * @param {Opening} model
   */
  #start(bridge, model) {
    return bridge.call('start', { module: this.#module, ...model, helpers: this.#workers - 1 }, { onProgress: this.#handlers.onLoading });
  }

  /**
   * Nothing more can be done; every question is answered with this.
   * @param {unknown} error
   */
  #die(error) {
    const code = codeOf(error);
    const message = code === 'crashed' ? `The engine stopped (${messageOf(error)}). Reload the page to go on.` : messageOf(error);
    const last = Object.assign(new PellucidError(code, message), { dead: true });
    this.#handlers.onDead(last);
    return last;
  }

  /**
   * A trap leaves wasm memory in an unknown state: only a new worker is safe.
   * @param {string} message
   */
  #crashed(message) {
    this.#helpers.dismiss();
    if (this.#starting) return;
    if (this.#asked) this.#failures = 0;
    this.#starting = true;
    this.ready = this.#recover(message).finally(() => (this.#starting = false));
    this.ready.catch(() => {});
  }

  /**
   * Goes back to what is known to work. `culprit` is the name of the model that does not; `kept` says whether the
   * picture is still there.
   * @param {string} message
   * @returns {Promise<Omit<Started, 'file'>>}
   */
  async #recover(message) {
    const culprit = this.#model === this.#proven.model ? null : this.#model.name;
    let image = culprit || this.#image !== this.#proven.image ? null : this.#image;
    this.#model = this.#proven.model;
    while (++this.#failures <= MOST_FAILURES) {
      const bridge = (this.#bridge = this.#hire());
      this.#asked = false;
      let started;
      try {
        started = await this.#start(bridge, this.#model);
        if (image) await bridge.call('image', { blob: image });
        this.#image = image;
        this.#handlers.onRestart({ info: started.info, culprit, kept: Boolean(image) });
        return started;
      } catch (error) {
        // Another model was opened meanwhile.
        if (bridge !== this.#bridge) return this.ready;
        message = messageOf(error);
        bridge.close();
        if (started) image = null;
      }
    }
    throw this.#die(new PellucidError('crashed', message));
  }

  /**
   * Opens another model in a worker of its own, and resolves to its info. The one in use works on until then, and stays
   * when this fails, be it by a trap; what memory it took goes with its worker.
   * @param {Blob} blob
   * @param {ModelOptions} options
   */
  async openModel(blob, { labelsFile, ...options }) {
    await this.ready.catch((error) => {
      if (!this.#module) throw error;
    });
    /** @type {Opening} */
    const model = {
      model: blob,
      name: blob instanceof File ? blob.name.replace(/\.onnx$/i, '') : NAME,
      labelsFile,
      options: { ...options, backend: this.#model.options.backend },
    };
    this.#next?.close();
    const bridge = (this.#next = this.#hire());
    try {
      const started = await this.#start(bridge, model);
      if (bridge !== this.#next) throw new PellucidError('cancelled', 'another model was opened');
      this.#bridge.close();
      this.#helpers.dismiss();
      Object.assign(this, { ready: Promise.resolve(started) });
      this.#bridge = bridge;
      this.#model = model;
      this.#image = null;
      this.#asked = false;
      return started.info;
    } catch (error) {
      bridge.close();
      if (bridge !== this.#next) throw new PellucidError('cancelled', 'another model was opened');
      if (codeOf(error) !== 'crashed') throw error;
      const what = `The engine failed on ${model.name} (${messageOf(error)}), most likely for want of memory.`;
      throw new PellucidError('model', `${what} The model in use stays open; try a smaller one.`);
    } finally {
      if (bridge === this.#next) this.#next = null;
    }
  }

  /** Opens the shipped model again. */
  async openDefault() {
    return this.openModel(await fetchModel(), {});
  }

  /** What the model in use was opened with: the names of its file (the shipped one has none) and of its labels', and options. */
  get opened() {
    const { model, labelsFile, options } = this.#model;
    return { file: model instanceof File ? model.name : undefined, labelsFile, ...options };
  }

  /** The file of the model in use, to open it again with other options. Where it is still an address, it is fetched. */
  async modelFile() {
    const { model } = this.#model;
    return model instanceof Blob ? model : fetchModel();
  }

  /**
   * Gives the engine an image; resolves to the crop as the network sees it.
   * @param {Blob} blob
   */
  async loadImage(blob) {
    const crop = await this.call('image', { blob });
    this.#image = blob;
    return crop;
  }

  /** @type {EngineCalls['call']} */
  async call(op, args, options) {
    await this.ready;
    const [model, image] = [this.#model, this.#image];
    this.#asked = true;
    const value = await this.#bridge.call(op, args, options);
    if (PROOFS.includes(op)) this.#proven = { model, image };
    return value;
  }
}

async function fetchModel() {
  const response = await fetch(MODEL);
  if (!response.ok) throw new PellucidError('network', 'The shipped model could not be fetched. Check the connection.');
  return response.blob();
}
