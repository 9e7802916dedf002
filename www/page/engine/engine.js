// The engine as the page sees it: starts the worker, remembers what it was given, and after a crash starts a
// fresh one with a model and a picture that are known to work, so that the page goes on.

import { MODEL } from '../urls.js';
import { Bridge, PellucidError } from './bridge.js';
import { createCrew } from './crew.js';

/** What the model that ships is called; its file does not say. */
const NAME = 'EfficientNet-Lite0, 8-bit';

/** How many starts may fail, or end in a crash that nobody asked for, one after another. */
const MOST_FAILURES = 3;

/** What shows that a model and a picture can be worked with. */
const PROOFS = ['classify'];

export class Engine {
  #bridge;
  #module = null;
  #model = { model: MODEL, name: NAME, options: {} };
  #image = null;
  /** The last model and picture that an answer came for. */
  #proven;
  #handlers;
  #failures = 0;
  /** Whether anything was asked of the worker that runs now. */
  #asked = false;
  /** Whether a crash is dealt with already, by who waits for an answer. */
  #starting = true;
  /** The worker in which another model is being opened. */
  #next = null;
  #workers;
  #crew;

  /**
   * Handlers: `onLoading(progress)`, `onRestart({ info, culprit, kept })`, `onDead(error)`. `workers` is how many may
   * compute side by side where there is no GPU.
   */
  constructor(backend, workers, handlers) {
    this.#workers = workers;
    this.#crew = createCrew(workers - 1);
    this.#model.options = { backend };
    this.#proven = { model: this.#model, image: null };
    this.#handlers = handlers;
    this.ready = this.#begin();
    this.ready.catch(() => {});
  }

  async #begin() {
    try {
      this.#bridge = this.#hire();
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

  #hire() {
    const bridge = new Bridge((message) => bridge === this.#bridge && this.#crashed(message), (present) => this.#crew.gather(bridge, present, { module: this.#module, ...this.#model }));
    return bridge;
  }

  #start(bridge, model) {
    return bridge.call('start', { module: this.#module, ...model, helpers: this.#workers - 1 }, { onProgress: this.#handlers.onLoading });
  }

  /** Nothing more can be done; every question is answered with this. */
  #die(error) {
    const message = error.code === 'crashed' ? `The engine stopped (${error.message}). Reload the page to go on.` : error.message;
    const last = Object.assign(new PellucidError(error.code, message), { dead: true });
    this.#handlers.onDead(last);
    return last;
  }

  /** A trap leaves wasm memory in an unknown state: only a new worker is safe. */
  #crashed(message) {
    this.#crew.dismiss();
    if (this.#starting) return;
    if (this.#asked) this.#failures = 0;
    this.#starting = true;
    this.ready = this.#recover(message).finally(() => (this.#starting = false));
    this.ready.catch(() => {});
  }

  /**
   * Goes back to what is known to work. `culprit` is the name of the model that does not; `kept` says whether the
   * picture is still there.
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
        message = error.message;
        bridge.close();
        if (started) image = null;
      }
    }
    throw this.#die(new PellucidError('crashed', message));
  }

  /**
   * Opens another model in a worker of its own, and resolves to its info. The one in use works on until then, and stays
   * when this fails, be it by a trap; what memory it took goes with its worker.
   */
  async openModel(blob, { labelsFile, ...options }) {
    await this.ready.catch((error) => {
      if (!this.#module) throw error;
    });
    const model = { model: blob, name: blob.name?.replace(/\.onnx$/i, '') ?? NAME, labelsFile, options: { ...options, backend: this.#model.options.backend } };
    this.#next?.close();
    const bridge = (this.#next = this.#hire());
    try {
      const started = await this.#start(bridge, model);
      if (bridge !== this.#next) throw new PellucidError('cancelled', 'another model was opened');
      this.#bridge.close();
      this.#crew.dismiss();
      Object.assign(this, { ready: Promise.resolve(started) });
      this.#bridge = bridge;
      this.#model = model;
      this.#image = null;
      this.#asked = false;
      return started.info;
    } catch (error) {
      bridge.close();
      if (bridge !== this.#next) throw new PellucidError('cancelled', 'another model was opened');
      if (error.code !== 'crashed') throw error;
      throw new PellucidError('model', `The engine failed on ${model.name} (${error.message}), most likely for want of memory. The model in use stays open; try a smaller one.`);
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
    return { file: model.name, labelsFile, ...options };
  }

  /** The file of the model in use, to open it again with other options. */
  async modelFile() {
    return this.#model.model;
  }

  /** Gives the engine an image; resolves to the crop as the network sees it. */
  async loadImage(blob) {
    const crop = await this.call('image', { blob });
    this.#image = blob;
    return crop;
  }

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
