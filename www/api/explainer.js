// The API: a model that classifies and explains images. Calls may overlap; each is answered for its own image, since the
// engine sees one at a time. pellucid.d.ts describes all of this for callers.

/** @import { Display, Question, Segments } from '../shared/wire' */
/** @import { AttributionMap, ClassifyOptions, Classification, DrawOptions, Drawing, ExplainOptions, Explanation } from './pellucid' */
/** @import { HideOptions, ImageSource, LoadOptions, OpenModelOptions, PictureView, SegmentsOptions, SweepOptions } from './pellucid' */
/** @import { CallOptions } from './types' */

import { codeOf } from '../shared/errors.js';
import { Engine } from './engine.js';
import { PellucidError, cancelled } from './errors.js';
import { createImages } from './images.js';
import { assetsFor, fileOf, isWhole, openingFrom, optionsFrom, trialFrom, unfit } from './options.js';
import { createOrigins, noMap } from './origins.js';
import { abortable, createQueue } from './queue.js';
import { suitedDisplay } from './results.js';
import { usualWorkers } from './workers.js';

/** How many milliseconds a server may be silent before it is given up. */
const TIMEOUT = 30_000;

/** How often a question is asked again that ended with the engine. */
const RETRIES = 1;

export class Explainer {
  /** @type {Engine} */
  #engine;
  #inTurn = createQueue();
  #fileOf = createImages();
  #retries;
  /** The engine's picture and its view. @type {{ blob: Blob, view: PictureView } | null} */
  #seen = null;
  #origins;
  /** The segments that the engine holds now. @type {{ cut: Segments, epoch: number } | null} */
  #cut = null;
  /** The caller's own pictures that were sent last, by their use. @type {Record<string, { turn: number, blobs: Blob[] }>} */
  #choices = {};
  #turns = 0;

  /** @param {LoadOptions & { engine: Engine }} options */
  constructor({ engine, retries = RETRIES }) {
    this.#engine = engine;
    this.#retries = retries;
    this.#origins = createOrigins(engine, this.#ask.bind(this));
  }

  /**
   * Downloads the engine, opens a model, and resolves to its explainer.
   * @param {LoadOptions} [options]
   */
  static async load(options = {}) {
    const { backend, workers, timeout = TIMEOUT, onProgress, onRestart, onDead, signal } = optionsFrom('load', options);
    if (signal?.aborted) throw cancelled();
    const assets = assetsFor(options);
    const opening = openingFrom(options, assets);
    opening.options.backend = backend ?? 'auto';
    const engine = new Engine({ opening, assets, timeout, workers: workers ?? usualWorkers(globalThis.navigator?.hardwareConcurrency) }, {
      onLoading: onProgress,
      onRestart,
      onDead,
    });
    try {
      await abortable(engine.ready, signal);
    } catch (error) {
      engine.close(cancelled());
      throw error;
    }
    return new Explainer({ ...options, engine });
  }

  /** The model that is open. */
  get model() {
    return this.#engine.started.info.model;
  }

  /** The backend that runs it now. */
  get backend() {
    return this.#engine.started.info.backend;
  }

  methods() {
    return this.#engine.started.methods;
  }

  layers() {
    return this.model.layers;
  }

  colours() {
    return this.#engine.started.colourMaps;
  }

  presets() {
    return { tutorial: this.#engine.started.tutorial };
  }

  /**
   * Opens another model. The one that is open stays until then, and when this fails.
   * @param {OpenModelOptions} options
   */
  async open(options) {
    const { signal } = optionsFrom('open', options);
    await this.#engine.openModel(openingFrom(options, assetsFor(options)), signal);
    this.#seen = null;
  }

  /** The options that the model was opened with. */
  get opened() {
    return this.#engine.opened;
  }

  /** The parts of Pellucid that it uses, or where they are. */
  get assets() {
    return this.#engine.assets;
  }

  /** The file of the model. */
  async file() {
    await this.#engine.ready;
    const file = this.#engine.modelFile;
    return file instanceof Blob ? file : this.#fileOf(file);
  }

  /**
   * The part of an image that the network sees.
   * @param {ImageSource} image
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<PictureView>}
   */
  async see(image, options = {}) {
    return this.#ask(image, optionsFrom('see', options), (_, view) => Promise.resolve(view));
  }

  /**
   * @param {ImageSource} image
   * @param {ClassifyOptions} [options]
   * @returns {Promise<Classification>}
   */
  async classify(image, options = {}) {
    const { signal, top, ...other } = optionsFrom('classify', options);
    const coming = trialFrom(other);
    coming.catch(() => {});
    return this.#ask(image, { signal }, async (_, { notes }) => {
      const as = await coming;
      const { backend, classes, notes: more = [], ...answer } = await this.#engine.call('classify', { as }, { signal });
      this.#engine.note(backend);
      const { head } = this.model;
      return { head, ...answer, classes: classes.slice(0, top), backend: backend.kind, adapter: backend.adapter, notes: [...notes, ...more] };
    });
  }

  /**
   * @param {ImageSource} image
   * @param {ExplainOptions} [options]
   * @returns {Promise<Explanation>}
   */
  async explain(image, options = {}) {
    const { signal, partial = false, onProgress, ...asked } = optionsFrom('explain', options);
    const coming = this.#question(asked, signal);
    coming.catch(() => {});
    return this.#ask(image, { signal, whole: partial }, async (blob) => {
      const question = await coming;
      /** @type {object[] | undefined} */
      let maps;
      const origin = this.#origins.of(blob);
      const report = await this.#engine.call('explain', question, {
        signal,
        onProgress: ({ id, ...progress }) => {
          if (id !== undefined) maps ??= origin(id, undefined, question);
          onProgress?.({ ...progress, maps: id === undefined ? undefined : maps });
        },
      });
      this.#engine.note(report.backend_now);
      if (report.stopped && !partial) throw cancelled();
      return this.#origins.explained(report, origin);
    });
  }

  /**
   * @param {ImageSource} image
   * @param {SweepOptions} [options]
   * @returns {Promise<Explanation[]>}
   */
  async sweep(image, options = {}) {
    const { signal, onProgress, ...asked } = optionsFrom('sweep', options);
    const coming = this.#question(asked, signal);
    coming.catch(() => {});
    return this.#ask(image, { signal }, async (blob) => {
      const question = await coming;
      /** @type {Explanation[]} */
      const all = [];
      const origin = this.#origins.of(blob);
      let told = Promise.resolve();
      const { backend_now } = await this.#engine.call('sweep', question, {
        signal,
        onProgress: ({ reports, ...progress }) => {
          const made = Promise.all(reports.map((report) => this.#origins.explained(report, origin)));
          // Reports come in their order, each with its numbers.
          told = told.then(async () => {
            const explanations = await made;
            all.push(...explanations);
            onProgress?.({ ...progress, explanations });
          });
          told.catch(() => {});
        },
      });
      await told;
      this.#engine.note(backend_now);
      return all;
    });
  }

  /**
   * Cuts an image into the segments that a method hides.
   * @param {ImageSource} image
   * @param {SegmentsOptions} [options]
   * @returns {Promise<Segments>}
   */
  async segments(image, options = {}) {
    const { signal, method = 'lime', parameters = {} } = optionsFrom('segments', options);
    return this.#ask(image, { signal }, async (blob) => {
      const cut = await this.#engine.call('cut', { method, parameters }, { signal });
      const again = () => this.#engine.call('cut', { method, parameters });
      this.#cut = { cut, epoch: this.#engine.epoch };
      this.#cuts.set(cut, { blob, again });
      return cut;
    });
  }

  /** How the segments that were given can be made again. @type {WeakMap<Segments, { blob: Blob, again: () => Promise<Segments> }>} */
  #cuts = new WeakMap();

  /**
   * The scores of every class with some segments hidden, the best first.
   * @param {Segments} segments
   * @param {Iterable<number>} hidden
   * @param {HideOptions} [options]
   */
  async hide(segments, hidden, options = {}) {
    const { signal } = optionsFrom('hide', options);
    const known = this.#cuts.get(segments);
    if (!known) throw unfit('segments', segments, 'what segments() of the same explainer gave');
    const parts = Array.from(hidden ?? []);
    if (!parts.every((part) => isWhole(part) && part < segments.count)) throw unfit('hidden', hidden, `a list of segments, from 0 to ${segments.count - 1}`);
    return this.#ask(known.blob, { signal }, async () => {
      if (this.#cut?.cut !== segments || this.#cut.epoch !== this.#engine.epoch) {
        await known.again();
        this.#cut = { cut: segments, epoch: this.#engine.epoch };
      }
      return this.#engine.call('hide', { hidden: parts }, { signal });
    });
  }

  /**
   * Draws a map over its image.
   * @param {AttributionMap | Explanation} map
   * @param {Display} [display]
   * @param {DrawOptions} [options]
   * @returns {Promise<Drawing>}
   */
  async draw(map, display = {}, options = {}) {
    const { canvas, shared, small, values, signal } = optionsFrom('draw', options);
    const args = { display: { ...this.displayOf(map), ...display }, shared, small, values };
    const { rendered, ...frame } = await this.#origins.held(map, signal, (of) => this.#engine.call('render', { ...args, ...of }, { signal }));
    const { width, height, rgba } = frame;
    if (canvas) {
      Object.assign(canvas, { width, height });
      const context = /** @type {CanvasRenderingContext2D | null} */ (canvas.getContext('2d'));
      context?.putImageData(new ImageData(rgba, width, height), 0, 0);
    }
    return { ...frame, ...rendered };
  }

  /**
   * The display options that suit a map.
   * @param {AttributionMap | Explanation} map
   * @returns {Display}
   */
  displayOf(map) {
    if (!map) throw noMap();
    return suitedDisplay(this.methods(), map);
  }

  /**
   * A drawing as a PNG file.
   * @param {AttributionMap | Explanation} map
   * @param {Display} [display]
   * @param {{ shared?: boolean, signal?: AbortSignal }} [options]
   */
  async png(map, display = {}, options = {}) {
    const { shared, signal } = optionsFrom('png', options);
    const args = { display: { ...this.displayOf(map), ...display }, shared };
    const bytes = await this.#origins.held(map, signal, (of) => this.#engine.call('png', { ...args, ...of }, { signal }));
    return new Blob([bytes], { type: 'image/png' });
  }

  /**
   * A map as a file of numpy.
   * @param {AttributionMap | Explanation} map
   * @param {{ signal?: AbortSignal }} [options]
   */
  async npy(map, options = {}) {
    const { signal } = optionsFrom('npy', options);
    const bytes = await this.#origins.held(map, signal, (of) => this.#engine.call('npy', of, { signal }));
    return new Blob([bytes], { type: 'application/octet-stream' });
  }

  /**
   * The class names in a file, in class order.
   * @param {Blob | string | URL | ArrayBuffer | ArrayBufferView} source
   */
  async readLabels(source) {
    return this.#engine.call('labels', { blob: await this.#fileOf(fileOf('labels', source)) });
  }

  /** Ends the workers. Whoever waits for an answer gets an error, code `disposed`. */
  dispose() {
    this.#engine.close(new PellucidError('disposed', 'the explainer was disposed of; load another'));
    this.#seen = this.#cut = null;
  }

  [Symbol.dispose ?? Symbol('dispose')]() {
    this.dispose();
  }

  /**
   * Does something with the engine when it has this image and nobody else's; once more where the engine failed at it.
   * @template T
   * @param {ImageSource} image
   * @param {{ signal?: AbortSignal, whole?: boolean }} options
   * @param {(blob: Blob, view: PictureView) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #ask(image, { signal, whole }, work) {
    if (signal?.aborted) throw cancelled();
    const blob = await abortable(this.#fileOf(image, signal), signal);
    const attempt = async () => work(blob, await this.#show(blob, signal));
    return this.#inTurn(() => this.#trying(attempt, signal), { signal, whole });
  }

  /**
   * @template T
   * @param {() => Promise<T>} attempt
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #trying(attempt, signal) {
    for (let left = this.#retries; ; left -= 1) {
      try {
        return await attempt();
      } catch (error) {
        const dead = error instanceof PellucidError && error.dead;
        if (codeOf(error) !== 'crashed' || dead || left <= 0 || signal?.aborted) throw error;
      }
    }
  }

  /**
   * Gives the engine an image, unless it has it.
   * @param {Blob} blob
   * @param {AbortSignal} [signal]
   */
  async #show(blob, signal) {
    await this.#engine.ready;
    if (signal?.aborted) throw cancelled();
    if (this.#engine.image === blob && this.#seen?.blob === blob) return this.#seen.view;
    const view = await this.#engine.loadImage(blob);
    this.#seen = { blob, view };
    return view;
  }

  /**
   * The question to the engine, with the caller's own pictures as files.
   * @param {Omit<ExplainOptions, 'signal' | 'onProgress' | 'partial'>} asked
   * @param {AbortSignal} [signal]
   * @returns {Promise<Question>}
   */
  async #question({ method = 'grad-cam', target, versus, layer, score, seed = 0, parameters = {}, background, baseline, ...own }, signal) {
    /** @type {Question} */
    const question = { method, target: target ?? null, versus: versus ?? null, layer: layer ?? null, score: score ?? null, parameters, seed, ...own };
    if (background && this.methods().some(({ id, background: takes }) => id === method && !takes)) {
      throw new PellucidError('argument', `${method} compares with no background; leave it out`);
    }
    if (background) question.background = await this.#choice('background', [background].flat(), signal);
    if (!baseline) return question;
    question.baseline = await this.#choice('baseline', [baseline], signal);
    question.parameters = { baseline: 'image', ...parameters };
    return question;
  }

  /**
   * The same pictures are sent once.
   * @param {string} use
   * @param {ImageSource[]} images
   * @param {AbortSignal} [signal]
   */
  async #choice(use, images, signal) {
    const blobs = await Promise.all(images.map((image) => createImages()(image, signal)));
    const last = this.#choices[use];
    if (last?.blobs.length === blobs.length && last.blobs.every((blob, i) => blob === blobs[i])) return last;
    return (this.#choices[use] = { turn: ++this.#turns, blobs });
  }
}
