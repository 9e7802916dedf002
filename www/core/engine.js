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
  #workers;
  #helpers = [];

  /**
   * Handlers: `onLoading(progress)`, `onRestart(info)`, `onDead(error)`. `workers` is how many may compute side by
   * side where there is no GPU.
   */
  constructor(backend, workers, handlers) {
    this.#workers = workers;
    this.#model.options = { backend };
    this.#handlers = handlers;
    this.ready = this.#start();
    this.ready.catch(() => {});
  }

  async #start() {
    this.#bridge = new Bridge((message) => this.#crashed(message), () => this.#summon());
    const { module, file, ...started } = await this.#bridge.call(
      'start',
      { module: this.#module, ...this.#model, helpers: this.#workers - 1 },
      { onProgress: this.#handlers.onLoading },
    );
    this.#module = module;
    // What is here is not downloaded again.
    this.#model = { ...this.#model, model: file };
    return started;
  }

  /** Starts helpers: workers with the same model, which take parts of the work from the engine's own worker. */
  #summon() {
    this.#dismiss();
    for (let number = 1; number < this.#workers; number++) this.#hire(number);
  }

  async #hire(number) {
    const main = this.#bridge;
    const helper = new Bridge(() => main.call('lost', { number }).catch(() => {}));
    this.#helpers.push(helper);
    const { port1, port2 } = new MessageChannel();
    try {
      const options = { ...this.#model.options, backend: 'cpu' };
      await helper.call('start', { module: this.#module, ...this.#model, options });
      await helper.call('help', { port: port2 }, { transfer: [port2] });
      if (this.#helpers.includes(helper)) await main.call('helper', { number, port: port1 }, { transfer: [port1] });
    } catch {
      // There is no room for another; the work is done by those that are there.
      helper.close();
    }
  }

  #dismiss() {
    for (const helper of this.#helpers) helper.close();
    this.#helpers = [];
  }

  /** A trap leaves wasm memory in an unknown state: only a new worker is safe. */
  #crashed(message) {
    this.#dismiss();
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
  async openModel(blob, { labelsFile, ...options }) {
    const next = { model: blob, name: blob.name?.replace(/\.onnx$/i, '') ?? NAME, labelsFile, options: { ...options, backend: this.#model.options.backend } };
    const info = await this.call('open', next);
    this.#dismiss();
    this.#model = next;
    this.#image = null;
    return info;
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
    return this.#bridge.call(op, args, options);
  }
}

async function fetchModel() {
  const response = await fetch(MODEL);
  if (!response.ok) throw new PellucidError('network', 'The shipped model could not be fetched. Check the connection.');
  return response.blob();
}
