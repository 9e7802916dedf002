// The worker: everything that computes runs here, so that the page never freezes.
// shared/wire.d.ts has the operations and the messages.

/** @import { ArgumentsOf, Bytes, Crop, Frame, FromHelper, FromWorker, Info, MapValues, Method, Operation, Pixels } from '../shared/wire' */
/** @import { ProgressOf, Question, Report, Segments, ToHelper, ToWorker, ValueOf } from '../shared/wire' */

import init, { Engine, check_size, colour_maps, labels as labelsIn, methods as allMethods, tutorial_display } from '../pkg/pellucid.js';
import { BUILD } from '../shared/build.js';
import { clock } from '../shared/timings.js';
import { bytesOf, download, failure, inParts, throttled, wholeOf } from './download.js';
import { checkBrowser, checkBuild, compile } from './module.js';
import { pictureOf } from './pictures.js';
import { createPool, yieldToMessages } from './pool.js';

/**
 * The context of an operation's handler: where to bring progress, and whether it is to stop.
 * @template {Operation} O
 * @typedef {{ progress: (value: ProgressOf<O>) => void, stopped: () => boolean }} Context
 */

/**
 * @template {Operation} O
 * @typedef {(args: ArgumentsOf<O>, context: Context<O>) => Promise<{ value: ValueOf<O>, transfer?: Transferable[] }>} Handler
 */

/** @typedef {{ [O in Operation]: Handler<O> }} Handlers */

/** @type {Set<number>} */
const stopped = new Set();
/** @type {Engine} */
let engine;
/** @type {ReturnType<typeof createPool>} */
let pool;
/** Whether what is explained is to stop. */
let halted = () => false;
/** @type {Method[]} */
let methods = [];
/**
 * The photographs that expected gradients compare with, which are fetched when they are first needed.
 * @type {(string | Blob)[]}
 */
let reference = [];
/** How many milliseconds a server may be silent. */
let patience = 0;
/**
 * Which of the reader's files the engine has besides the picture, by their turns.
 * @type {{ background?: number, baseline?: number }}
 */
const sent = {};
/** The end of the queue of calls that use the network, one after another. */
let queue = Promise.resolve();
/** How many calls have no answer yet. */
let calls = 0;

/**
 * @param {FromWorker} message
 * @param {Transferable[]} [transfer]
 */
const post = (message, transfer = []) => self.postMessage(message, transfer);

/**
 * Anything that wasm-bindgen's promises cannot deliver (a trap in a task) ends here; the page replaces us.
 * @param {any} error
 */
function fatal(error) {
  post({ fatal: String(error?.message ?? error) });
}
self.addEventListener('error', (event) => {
  event.preventDefault();
  fatal(event.error ?? event.message);
});
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  fatal(event.reason);
});

self.onmessage = (/** @type {MessageEvent<ToWorker>} */ { data }) => {
  if (data.stop) return stopped.add(data.id);
  calls++;
  const work = () => answer(data.id, data.op, data.args);
  // Whatever uses the network takes turns; drawing a map does not wait for a run.
  if (data.op in inTurn) queue = queue.then(work);
  else work();
};

/**
 * @template {Operation} O
 * @param {number} id
 * @param {O} op
 * @param {ArgumentsOf<O>} args
 */
async function answer(id, op, args) {
  try {
    /** @type {Context<O>} */
    const context = { progress: (value) => post({ id, progress: value }), stopped: () => stopped.has(id) };
    if (context.stopped()) throw failure('cancelled', 'stopped on request');
    const { value, transfer = [] } = await handlers[op](args, context);
    post({ id, value }, transfer);
  } catch (/** @type {any} */ error) {
    if (isTrap(error) || error instanceof RangeError) return fatal(error);
    // A DOMException's code is a number.
    const code = typeof error?.code === 'string' ? error.code : 'internal';
    post({ id, error: { code, message: String(error?.message ?? error) } });
  } finally {
    calls--;
    stopped.delete(id);
  }
}

/**
 * Gives the engine the files that a question needs, where it has not got them.
 * @param {Pick<Question, 'method' | 'background' | 'baseline'>} question
 */
async function sendFiles({ method, background, baseline }) {
  const turn = background?.turn ?? 0;
  if (methods.find(({ id }) => id === method)?.background && sent.background !== turn) {
    const sources = await Promise.all(background?.blobs ?? reference.map((source) => opened(source)));
    engine.set_background(await Promise.all(sources.map(pictureOf)));
    sent.background = turn;
  }
  if (baseline && sent.baseline !== baseline.turn) {
    engine.set_baseline(await pictureOf(baseline.blobs[0]));
    sent.baseline = baseline.turn;
  }
}

/**
 * A value as the engine reads it: arrays of any kind are lists, and what is no number is refused as that, where `null` would
 * be a default.
 * @param {unknown} value
 */
const jsonOf = (value) =>
  JSON.stringify(value, (_, each) =>
    ArrayBuffer.isView(each) ? [.../** @type {Uint8Array} */ (each)] : typeof each === 'bigint' ? `${each}n` : Number.isNaN(each) ? 'NaN' : each,
  );

/**
 * A part, from its address where it is not here.
 * @param {string | Blob} source
 * @param {(received: number, total: number) => void} [onBytes]
 * @returns {Promise<Response | Blob>}
 */
const opened = async (source, onBytes = () => {}) => (source instanceof Blob ? source : download(source, onBytes, patience));

/**
 * Sends pixels without copying them.
 * @template {{ rgba: Pixels }} Image
 * @param {Image} value
 */
const pixels = (value) => ({ value, transfer: [value.rgba.buffer] });

/** Has programs compiled, one at a time, while nothing is asked: first of all while the reader looks for a picture. */
function warm(wait = 300) {
  setTimeout(() => {
    if (calls) return warm();
    queue = queue.then(async () => {
      if (await engine.warm()) warm(30);
    });
  }, wait);
}

/** @satisfies {Partial<Handlers>} */
const inTurn = {
  /**
   * Downloads and compiles the engine and opens the model. `helpers` is how many other workers may take parts of the
   * work; a helper itself has none, and is told what to do.
   */
  async start({ engine: part, model, files = [], config, labels, name, options, background, patience: silence, helpers }, { progress }) {
    checkBrowser();
    [reference, patience] = [background, silence];
    /** @type {Record<string, [number, number]>} */
    const timings = {};
    /**
     * @template T
     * @param {string} what
     * @param {Promise<T>} work
     */
    const span = async (what, work) => {
      const start = clock();
      const result = await work;
      timings[what] = [start, clock()];
      return result;
    };
    /** @type {Record<'engine' | 'model', [number, number]>} */
    const received = { engine: [0, 0], model: [0, 0] };
    let started = false;
    const report = throttled(() => progress({ stage: 'download', received: { ...received } }), 60);
    const fetched = (/** @type {string | Blob} */ source, /** @type {'engine' | 'model'} */ of) =>
      opened(source, (got, total) => {
        received[of] = [got, total];
        // The engine knows how much it takes.
        if (started && of === 'model') check_size(of, Math.max(got, total));
        report();
      });

    const downloaded = async (/** @type {string} */ url) => wholeOf(await fetched(url, 'model'));
    const file = model instanceof Blob ? Promise.resolve(model) : span('download-model', downloaded(model));
    const names = labels && opened(labels).then(wholeOf);
    // Whichever fails first is told of.
    for (const coming of [file, names]) if (coming) coming.catch(() => {});
    const compiled = part instanceof WebAssembly.Module ? part : await span('download-engine', compile(await fetched(part, 'engine')));
    checkBuild(compiled);
    await span('start-engine', init({ module_or_path: compiled }));
    started = true;
    if (config) options = { ...options, config: await config.text() };
    if (names) options = { ...options, labels: labelsIn(await bytesOf(await names)) };
    const whole = await file;
    pool = createPool(helpers ?? 0, (present) => post({ summon: present }), () => halted());
    const open = async () => {
      const total = [whole, ...files].reduce((sum, { size }) => sum + size, 0);
      check_size('model', total);
      let done = 0;
      const tell = () => progress({ stage: 'open', step: 'read', done, total });
      tell();
      const told = throttled(tell, 60);
      const read = (/** @type {Blob} */ file) => inParts(file, (count) => (done += count, told()));
      const data = [];
      for (const file of files) data.push({ name: file.name, bytes: await read(file) });
      const step = (/** @type {'parse' | 'upload'} */ step) => progress({ stage: 'open', step });
      return Engine.open(await read(whole), data, name, jsonOf(options), pool, step);
    };
    const opening = open().catch(async (error) => {
      if (error.code !== 'missing-data' || model instanceof Blob) throw error;
      // The weights lie beside the model: in its own folder or below, whatever their names look like.
      for (const path of error.files) {
        const { href } = new URL(`./${encodeURIComponent(path).replaceAll('%2F', '/')}`, model);
        files = [...files, new File([await downloaded(href)], path)];
      }
      return open();
    });
    engine = await span('load-model', opening);
    if (helpers !== undefined) warm();
    methods = JSON.parse(allMethods());
    const value = {
      module: compiled,
      file: whole,
      files,
      labels: options.labels,
      methods,
      colourMaps: colour_maps(),
      tutorial: JSON.parse(tutorial_display()),
      info: info(),
      timings,
    };
    return { value };
  },

  async image({ blob }) {
    return pixels(/** @type {Crop} */ (engine.load_image(await pictureOf(blob))));
  },

  async classify({ as }) {
    const start = clock();
    const answer = JSON.parse(as ? await engine.try_out(jsonOf(as)) : await engine.classify());
    const end = clock();
    const found = as ? answer : { classes: answer };
    return { value: { ...found, elapsed_ms: end - start, span: [start, end], backend: info().backend } };
  },

  /** Cuts the picture into segments. */
  async cut({ method, parameters }) {
    return pixels(/** @type {Segments} */ (engine.cut(method, jsonOf(parameters))));
  },

  /** The scores of every class with some segments hidden. */
  async hide({ hidden }) {
    return { value: JSON.parse(await engine.hide(Uint32Array.from(hidden))) };
  },

  /** Explains; every step is told, and a stop is heard between two steps. */
  async explain({ background, baseline, ...request }, { progress, stopped }) {
    await sendFiles({ method: request.method, background, baseline });
    const start = performance.now();
    /** @type {number | undefined} */
    let spread;
    /** The maps that nobody has been told of yet. @type {number | undefined} */
    let id;
    let told = 0;
    halted = stopped;
    /** @type {(done: number, total: number, made?: number, error?: number) => Promise<boolean>} */
    const step = async (done, total, made, error) => {
      spread = error ?? spread;
      id = made ?? id;
      // Drawing the page takes time from the work, so it is told of it a few times a second.
      if (performance.now() - told > 120) {
        progress({ done, total, id, spread });
        id = undefined;
        told = performance.now();
      }
      await yieldToMessages();
      return !stopped();
    };
    /** @type {Report} */
    const report = JSON.parse(await engine.explain(jsonOf(request), step));
    return { value: { ...report, elapsed_ms: performance.now() - start, backend_now: info().backend } };
  },

  /** Explains at every layer, the nearest to the one asked for first; progress brings the reports that are there. */
  async sweep({ background, baseline, ...request }, { progress, stopped }) {
    const start = performance.now();
    /** @type {(done: number, total: number, reports: string) => Promise<boolean>} */
    const step = async (done, total, reports) => {
      const elapsed_ms = performance.now() - start;
      const made = /** @type {Report[]} */ (JSON.parse(reports));
      progress({ done, total, reports: made.map((report) => ({ ...report, elapsed_ms })) });
      await yieldToMessages();
      return !stopped();
    };
    await engine.sweep(jsonOf(request), step);
    return { value: { backend_now: info().backend } };
  },
};

/** @satisfies {Partial<Handlers>} */
const atOnce = {
  async helper({ number, port }) {
    pool.add(number, port);
    return { value: undefined };
  },

  async lost({ number }) {
    pool.drop(number);
    return { value: undefined };
  },

  async help({ port }) {
    help(port);
    return { value: undefined };
  },

  /** The class names in a file, in class order. */
  async labels({ blob }) {
    return { value: labelsIn(await bytesOf(blob)) };
  },

  /** Draws a map: on a scale that all of its run's maps share, or its own; large, or as small as a tile; with its raw values. */
  async render({ id, k, display, shared = false, small = false, values = false }) {
    const { facts, ...image } = /** @type {Drawing} */ (engine.render(id, k, jsonOf(display), shared, small));
    const { rendered, ticks } = /** @type {Pick<Frame, 'rendered' | 'ticks'>} */ (JSON.parse(facts));
    const frame = pixels({ ...image, rendered, ticks });
    if (!values) return frame;
    const map = /** @type {MapValues} */ (engine.values(id, k));
    return { value: { ...frame.value, values: map }, transfer: [...frame.transfer, map.data.buffer] };
  },

  async values({ id, k }) {
    const map = /** @type {MapValues} */ (engine.values(id, k));
    return { value: map, transfer: [map.data.buffer] };
  },

  async restore({ maps }) {
    return { value: engine.restore(maps) };
  },

  async png({ id, k, display, shared = false }) {
    return { value: engine.png(id, k, jsonOf(display), shared) };
  },

  async npy({ id, k }) {
    return { value: engine.npy(id, k) };
  },
};

/** @type {Handlers} */
const handlers = { ...inTurn, ...atOnce };

/** @returns {Info} */
const info = () => JSON.parse(engine.info());

/**
 * A frame as the engine gives it, with some of it as JSON.
 * @typedef {Omit<Frame, 'rendered' | 'ticks'> & { facts: string }} Drawing
 */

/**
 * Helps another worker: jobs come through `port`, and their images go back one by one.
 * @param {MessagePort} port
 */
function help(port) {
  const post = (/** @type {FromHelper} */ message, /** @type {Transferable[]} */ transfer = []) => port.postMessage(message, transfer);
  let now = { id: 0, end: 0 };
  port.onmessage = (/** @type {MessageEvent<ToHelper>} */ { data: { id, job, end } }) => {
    if (job) work((now = { id, end: 0 }), job);
    else if (id === now.id && end !== undefined) now.end = end;
  };

  /**
   * @param {typeof now} own
   * @param {Bytes} job
   */
  async function work(own, job) {
    try {
      own.end = engine.take(job);
      // Between two images it hears where to end, or of another job.
      for (let i = 0; i < own.end && own === now; i++) {
        const outputs = /** @type {Bytes} */ (await engine.work(i));
        post({ id: own.id, outputs }, [outputs.buffer]);
        await yieldToMessages();
      }
    } catch (error) {
      if (isTrap(error)) fatal(error);
      post({ id: own.id, outputs: null });
    }
  }
}

/**
 * Whether the engine has stopped for good. A browser without WebAssembly has no such error.
 * @param {unknown} error
 */
const isTrap = (error) => Boolean(globalThis.WebAssembly) && error instanceof WebAssembly.RuntimeError;

post({ hello: BUILD });
