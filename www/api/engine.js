// The engine behind an explainer: starts the worker, remembers what it was given, and after a crash starts a fresh one
// with a model and a picture that are known to work.

/** @import { Started } from '../shared/wire' */
/** @import { Assets, EngineHandlers, EngineOptions, OpenModel, Opening, Transport } from './types' */

import { codeOf, messageOf } from '../shared/errors.js';
import { measure } from '../shared/timings.js';
import { Bridge } from './bridge.js';
import { PellucidError, cancelled } from './errors.js';
import { createHelpers } from './helpers.js';

/** How many starts may fail, or end in a crash that nobody asked for, one after another. */
const MOST_FAILURES = 3;

/** Calls whose success shows that a model and a picture can be worked with. */
const PROOFS = ['classify', 'explain'];

/**
 * The engines that this page has compiled, by their addresses.
 * @type {Map<unknown, WebAssembly.Module>}
 */
const compiled = new Map();

export class Engine {
  /** @type {Bridge} */
  #bridge;
  /** @type {Assets} */
  #assets;
  /** @type {Opening} */
  #model;
  /** @type {Blob | null} */
  #image = null;
  /**
   * The last model and picture that an answer came for.
   * @type {{ model: Opening, image: Blob | null }}
   */
  #proven;
  /** @type {EngineHandlers} */
  #handlers;
  #failures = 0;
  /** Whether anything was asked of the worker that runs now. */
  #asked = false;
  /** Whether a crash is dealt with already, by who waits for an answer. */
  #starting = true;
  /** Why nothing more is done, once that is so. @type {PellucidError | null} */
  #end = null;
  /**
   * The worker in which another model is being opened.
   * @type {Bridge | null}
   */
  #next = null;
  #workers;
  #patience;
  #helpers;
  /** The answer of the worker in use to its start, with its backend as it is now. @type {Started | null} */
  #started = null;
  /** Grows whenever the maps that the worker holds are gone. */
  epoch = 0;

  /**
   * @param {EngineOptions} options
   * @param {EngineHandlers} handlers
   */
  constructor({ opening, assets, workers, timeout }, handlers) {
    this.#assets = assets;
    this.#workers = workers;
    this.#patience = timeout;
    this.#helpers = createHelpers(assets.worker, workers - 1);
    this.#model = opening;
    this.#proven = { model: opening, image: null };
    this.#handlers = handlers;
    this.#bridge = this.#hire();
    /** @type {Promise<Started>} */
    this.ready = this.#begin();
    this.ready.catch(() => {});
  }

  async #begin() {
    try {
      const started = await this.#start(this.#bridge, this.#model);
      this.#model = kept(this.#model, started);
      this.#proven = { model: this.#model, image: null };
      for (const [name, span] of Object.entries(started.timings)) measure(name, ...span);
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
      this.#assets.worker,
      (error) => bridge === this.#bridge && this.#crashed(error),
      (present) => this.#helpers.gather(bridge, present, this.#startArguments(this.#model)),
    );
    return bridge;
  }

  /** @param {Opening} model */
  #startArguments(model) {
    const { engine, background } = this.#assets;
    const { model: file, files, config, name, labels, options } = model;
    return { engine: compiled.get(engine) ?? engine, model: file, files, config, name, labels, options, background, patience: this.#patience };
  }

  /**
   * @param {Bridge} bridge
   * @param {Opening} model
   */
  async #start(bridge, model) {
    const { engine } = this.#assets;
    const args = { ...this.#startArguments(model), helpers: this.#workers - 1 };
    const started = await bridge.call('start', args, { onProgress: this.#handlers.onLoading });
    if (!(engine instanceof WebAssembly.Module)) compiled.set(engine, started.module);
    this.#started ??= started;
    return started;
  }

  /**
   * Nothing more can be done; every question is answered with this.
   * @param {unknown} error
   */
  #die(error) {
    if (this.#end) return this.#end;
    const code = codeOf(error);
    const message = code === 'crashed' ? `The engine stopped: ${messageOf(error)} Reload the page to go on.` : messageOf(error);
    this.#end = new PellucidError(code, message);
    this.#end.dead = true;
    this.#handlers.onDead?.(this.#end);
    return this.#end;
  }

  /**
   * A trap leaves wasm memory in an unknown state: only a new worker is safe.
   * @param {PellucidError} error
   */
  #crashed(error) {
    this.#helpers.dismiss();
    if (this.#starting || this.#end) return;
    if (this.#asked) this.#failures = 0;
    this.#starting = true;
    this.ready = this.#recover(error.message).finally(() => (this.#starting = false));
    this.ready.catch(() => {});
  }

  /**
   * Goes back to what is known to work. `culprit` is the name of the model that does not; `kept` says whether the
   * picture is still there.
   * @param {string} message
   * @returns {Promise<Started>}
   */
  async #recover(message) {
    const culprit = this.#model === this.#proven.model ? null : this.#model.name;
    let image = culprit || this.#image !== this.#proven.image ? null : this.#image;
    this.#model = this.#proven.model;
    while (++this.#failures <= MOST_FAILURES) {
      const bridge = (this.#bridge = this.#hire());
      this.#forget();
      let started;
      try {
        started = await this.#start(bridge, this.#model);
        if (image) await bridge.call('image', { blob: image });
        this.#image = image;
        this.#started = started;
        this.#handlers.onRestart?.({ culprit, kept: Boolean(image) });
        return started;
      } catch (error) {
        // Another model was opened meanwhile, or nothing is wanted any more.
        if (bridge !== this.#bridge) return this.ready;
        if (this.#end) throw this.#end;
        message = messageOf(error);
        bridge.close();
        if (started) image = null;
      }
    }
    throw this.#die(new PellucidError('crashed', message));
  }

  /** The worker in use is another one. */
  #forget() {
    this.#asked = false;
    this.#image = null;
    this.epoch += 1;
  }

  /**
   * Opens another model in a worker of its own. The one in use works on until then, and stays when this fails, be it by a
   * trap; what memory it took goes with its worker.
   * @param {Opening} opening
   * @param {AbortSignal} [signal]
   */
  async openModel(opening, signal) {
    await this.ready.catch((error) => {
      if (!compiled.has(this.#assets.engine) || codeOf(error) === 'disposed') throw error;
    });
    const model = { ...opening, options: { ...opening.options, backend: opening.options.backend ?? this.#model.options.backend } };
    this.#next?.close();
    const bridge = (this.#next = this.#hire());
    const stop = () => bridge.close(cancelled());
    signal?.addEventListener('abort', stop, { once: true });
    try {
      if (signal?.aborted) throw cancelled();
      const started = await this.#start(bridge, model);
      if (bridge !== this.#next) throw cancelled('another model was opened');
      this.#use(bridge, kept(model, started), started);
    } catch (error) {
      bridge.close();
      if (bridge !== this.#next) throw cancelled('another model was opened');
      if (codeOf(error) !== 'crashed') throw error;
      const what = `The engine failed on ${model.name}, most likely for want of memory: ${messageOf(error)}`;
      throw new PellucidError('model', `${what} The model in use stays open; try a smaller one.`);
    } finally {
      signal?.removeEventListener('abort', stop);
      if (bridge === this.#next) this.#next = null;
    }
  }

  /**
   * Another worker takes over, with another model.
   * @param {Bridge} bridge
   * @param {Opening} model
   * @param {Started} started
   */
  #use(bridge, model, started) {
    const before = this.#bridge;
    this.#bridge = bridge;
    before.close(cancelled('another model was opened'));
    this.#helpers.dismiss();
    this.#end = null;
    this.ready = Promise.resolve(started);
    this.#model = model;
    this.#started = started;
    this.#forget();
  }

  /** The options that the model in use was opened with. @returns {OpenModel} */
  get opened() {
    const { model, files, config, labelsFile, options } = this.#model;
    const names = files?.map(({ name }) => name);
    return { file: model instanceof File ? model.name : undefined, files: names, labelsFile, configFile: config instanceof File ? config.name : undefined, ...options };
  }

  get assets() {
    return this.#assets;
  }

  /** The file of the model in use. */
  get modelFile() {
    return this.#model.model;
  }

  /** The worker in use, as it started. */
  get started() {
    if (!this.#started) throw new PellucidError('crashed', 'the engine has not started');
    return this.#started;
  }

  /** The picture that the worker in use has. */
  get image() {
    return this.#image;
  }

  /**
   * Gives the engine an image; resolves to the crop as the network sees it.
   * @param {Blob} blob
   */
  async loadImage(blob) {
    const crop = await this.call('image', { blob });
    this.#image = blob;
    this.epoch += 1;
    return crop;
  }

  /** @type {Transport['call']} */
  async call(op, args, options) {
    if (this.#end) throw this.#end;
    await this.ready;
    const [model, image] = [this.#model, this.#image];
    this.#asked = true;
    const value = await this.#bridge.call(op, args, options);
    if (PROOFS.includes(op)) this.#proven = { model, image };
    return value;
  }

  /**
   * Keeps a call's word on the backend, which may change while it works.
   * @param {Started['info']['backend']} backend
   */
  note(backend) {
    if (this.#started) this.#started = { ...this.#started, info: { ...this.#started.info, backend } };
  }

  /**
   * Ends the workers; whoever waits is answered with `why`.
   * @param {PellucidError} why
   */
  close(why) {
    why.dead = true;
    this.#end = why;
    this.#next?.close(why);
    this.#bridge.close(why);
    this.#helpers.dismiss();
    this.ready = Promise.reject(why);
    this.ready.catch(() => {});
  }
}

/**
 * A model as it is opened again: what is here is not downloaded another time.
 * @param {Opening} opening
 * @param {Started} started
 * @returns {Opening}
 */
function kept({ labels, ...opening }, { file, files, labels: names }) {
  return { ...opening, files, model: opening.model instanceof Blob ? opening.model : file, options: { ...opening.options, labels: names } };
}
