// The engine as the page sees it: starts the worker, remembers what it was given, and after a crash starts a
// fresh one with the same model and image, so that the page goes on.

import { Bridge, PellucidError } from '../bridge.js';
import { MODEL } from '../urls.js';

/** What the model that ships is called; its file does not say. */
const NAME = 'EfficientNet-Lite0, 8-bit';

export class Engine {
  #bridge;
  #module = null;
  #model = { model: MODEL, name: NAME, options: {} };
  #image = null;
  #handlers;
  #restarts = 0;

  /** Handlers: `onLoading(progress)`, `onRestart(info)`, `onDead(error)`. */
  constructor(backend, handlers) {
    this.#model.options = { backend };
    this.#handlers = handlers;
    this.ready = this.#start();
    this.ready.catch(() => {});
  }

  async #start() {
    this.#bridge = new Bridge((message) => this.#crashed(message));
    const { module, ...started } = await this.#bridge.call(
      'start',
      { module: this.#module, ...this.#model },
      { onProgress: this.#handlers.onLoading },
    );
    this.#module = module;
    return started;
  }

  /** A trap leaves wasm memory in an unknown state: only a new worker is safe. */
  #crashed(message) {
    if (!this.#module || ++this.#restarts > 5) {
      const error = new PellucidError('crashed', `The engine stopped (${message}). Reload the page to go on.`);
      this.ready = Promise.reject(error);
      this.ready.catch(() => this.#handlers.onDead(error));
      return;
    }
    this.ready = this.#start().then(async (started) => {
      if (this.#image) await this.#bridge.call('image', { blob: this.#image });
      this.#handlers.onRestart(started.info);
      return started;
    });
    this.ready.catch((error) => this.#handlers.onDead(error));
  }

  /** Opens another model; resolves to its info. The one in use stays when this fails. */
  async openModel(blob, options) {
    const next = { model: blob, name: blob.name?.replace(/\.onnx$/i, '') ?? NAME, options: { ...options, backend: this.#model.options.backend } };
    const info = await this.call('open', next);
    this.#model = next;
    this.#image = null;
    return info;
  }

  /** Opens the shipped model again. */
  async openDefault() {
    return this.openModel(await fetchModel(), {});
  }

  /** The file of the model in use, to open it again with other options. */
  async modelFile() {
    const { model } = this.#model;
    return model instanceof Blob ? model : fetchModel();
  }

  /** Gives the engine an image; resolves to the crop as the network sees it. */
  async loadImage(blob) {
    const crop = await this.call('image', { blob });
    this.#image = blob;
    return crop;
  }

  async call(op, args, options) {
    await this.ready;
    return this.#bridge.call(op, args, options);
  }
}

async function fetchModel() {
  const response = await fetch(MODEL);
  if (!response.ok) throw new PellucidError('network', 'The shipped model could not be fetched. Check the connection.');
  return response.blob();
}
