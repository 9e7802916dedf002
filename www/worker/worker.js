// The worker: everything that computes runs here, so that the page never freezes.
// Messages: { id, op, args } in; { id, value | error | progress } out; { id, stop: true } stops a call;
// { summon: [numbers] } asks the page for helpers besides those, which are workers like this one.

import { clock } from '../shared/timings.js';
import { download, failure, throttled } from './download.js';
import { pictureBytes } from './pictures.js';
import { breath, createPool } from './pool.js';

const glue = import('../pkg/pellucid.js');
const stopped = new Set();
let pellucid;
let engine;
let pool;
/** Whether what is explained is to stop. */
let halted = () => false;
let methods = [];
/** What the engine has been given besides the picture. */
const given = {};
let lane = Promise.resolve();
/** How many calls have no answer yet. */
let calls = 0;

/** Anything that wasm-bindgen's promises cannot deliver (a trap in a task) ends here; the page replaces us. */
function fatal(error) {
  postMessage({ fatal: String(error?.message ?? error) });
}
self.addEventListener('error', (event) => {
  event.preventDefault();
  fatal(event.error ?? event.message);
});
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  fatal(event.reason);
});

self.onmessage = ({ data: { id, op, args, stop } }) => {
  if (stop) return stopped.add(id);
  calls++;
  const work = () => answer(id, op, args);
  // Whatever uses the network takes turns; drawing a map does not wait for a run.
  if (op in inTurn) lane = lane.then(work);
  else work();
};

async function answer(id, op, args) {
  try {
    const context = { progress: (value) => postMessage({ id, progress: value }), stopped: () => stopped.has(id) };
    if (context.stopped()) throw failure('cancelled', 'stopped on request');
    const { value, transfer = [] } = await (inTurn[op] ?? atOnce[op])(args, context);
    postMessage({ id, value }, transfer);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return fatal(error);
    // A DOMException's code is a number.
    postMessage({ id, error: { code: typeof error?.code === 'string' ? error.code : 'internal', message: String(error?.message ?? error) } });
  } finally {
    calls--;
    stopped.delete(id);
  }
}

/** The photographs that expected gradients compare with; fetched when they are first needed. */
const BACKGROUND = 'astronaut brick camera cat clock coffee coins galaxies grass gravel retina rocket'.split(' ');

/** Gives the engine the files that a question needs: `{ background, baseline }`, each `{ turn, blobs }` or null. */
async function furnish({ method, files }) {
  const { background, baseline } = files ?? {};
  const turn = background?.turn ?? 0;
  if (methods.find(({ id }) => id === method)?.background && given.background !== turn) {
    const shipped = () => BACKGROUND.map((name) => download(new URL(`../../models/background/${name}.jpg`, import.meta.url), () => {}));
    const blobs = await Promise.all(background?.blobs ?? shipped());
    engine.set_background(await Promise.all(blobs.map(pictureOf)));
    given.background = turn;
  }
  if (baseline && given.baseline !== baseline.turn) {
    engine.set_baseline(await pictureOf(baseline.blobs[0]));
    given.baseline = baseline.turn;
  }
}

/** What the page itself fetches is read by the engine. */
async function pictureOf(source) {
  if (!(source instanceof Blob)) return bytesOf(source);
  pellucid.check_size('picture', source.size);
  return pictureBytes(source, pellucid);
}

/** Reads a file, unless it is too large for what it is to be: its size is known before a byte of it is. */
async function bytesOf(source, kind = 'picture') {
  if (source instanceof Blob) pellucid.check_size(kind, source.size);
  return new Uint8Array(await source.arrayBuffer());
}

/** Sends pixels without copying them. */
const pixels = (value) => ({ value, transfer: [value.rgba.buffer] });

/** Has programs compiled, one at a time, while nothing is asked: first of all while the reader looks for a picture. */
const warm = (wait = 300) =>
  setTimeout(() => (calls ? warm() : (lane = lane.then(async () => (await engine.warm()) && warm(30)))), wait);

const inTurn = {
  /**
   * Downloads and compiles the engine and opens the model; `module` is given where it is compiled already. `helpers` is how many
   * other workers may take parts of the work; a helper itself has none, and is told what to do.
   */
  async start({ module, model, name, options, helpers }, { progress }) {
    const isFile = model instanceof Blob;
    const timings = {};
    const span = async (what, work) => {
      const start = clock();
      const result = await work;
      timings[what] = [start, clock()];
      return result;
    };
    const received = { engine: [0, 0], model: [0, 0] };
    const report = throttled(() => progress({ stage: 'download', received: { ...received } }), 60);
    const fetched = (url, part) =>
      download(url, (got, total) => {
        received[part] = [got, total];
        report();
      });

    const shipped = isFile ? null : span('download-model', fetched(model, 'model').then((response) => response.blob()));
    shipped?.catch(() => {});
    const compiled = module ?? (await span('download-engine', compile(fetched)));
    pellucid = await glue;
    await span('start-engine', pellucid.default({ module_or_path: compiled }));
    const file = (await shipped) ?? model;
    progress({ stage: 'open' });
    pool = createPool(helpers ?? 0, (present) => postMessage({ summon: present }), () => halted());
    const open = async () => pellucid.Engine.open(await bytesOf(file, 'model'), name, JSON.stringify(options), pool);
    engine = await span('load-model', open());
    if (helpers !== undefined) warm();
    methods = JSON.parse(pellucid.methods());
    return { value: { module: compiled, file, methods, colourMaps: pellucid.colour_maps(), tutorial: JSON.parse(pellucid.tutorial_display()), info: info(), timings } };
  },

  async image({ blob }) {
    return pixels(await engine.load_image(await pictureOf(blob)));
  },

  async classify() {
    const start = clock();
    const classes = JSON.parse(await engine.classify());
    const end = clock();
    return { value: { classes, elapsed_ms: end - start, span: [start, end], backend: info().backend } };
  },

  /** Cuts the picture into segments: `{ width, height, count, labels, rgba }`. */
  async cut({ method, parameters }) {
    return pixels(engine.cut(method, JSON.stringify(parameters)));
  },

  /** The scores of every class with some segments hidden. */
  async hide({ hidden }) {
    return { value: JSON.parse(await engine.hide(Uint32Array.from(hidden))) };
  },

  /** Explains; every step is told, and a stop is heard between two steps. */
  async explain({ files, ...request }, { progress, stopped }) {
    await furnish({ method: request.method, files });
    const start = performance.now();
    let spread;
    let told = 0;
    halted = stopped;
    const report = JSON.parse(
      await engine.explain(JSON.stringify(request), async (done, total, id, error) => {
        spread = error ?? spread;
        // Drawing the page takes time from the work, so it is told of it a few times a second.
        if (performance.now() - told > 120) {
          progress({ done, total, id, spread });
          told = performance.now();
        }
        await breath();
        return !stopped();
      }),
    );
    return { value: { ...report, elapsed_ms: performance.now() - start, backend_now: info().backend } };
  },

  /** Explains at every layer, the nearest to the one asked for first; progress brings the reports that are there. */
  async sweep({ files, ...request }, { progress, stopped }) {
    const start = performance.now();
    await engine.sweep(JSON.stringify(request), async (done, total, reports) => {
      const elapsed_ms = performance.now() - start;
      progress({ done, total, reports: JSON.parse(reports).map((report) => ({ ...report, elapsed_ms })) });
      await breath();
      return !stopped();
    });
    return { value: { backend_now: info().backend } };
  },
};

const atOnce = {
  /** Another worker is there to help, at the other end of `port`. */
  async helper({ number, port }) {
    pool.add(number, port);
    return {};
  },

  async lost({ number }) {
    pool.drop(number);
    return {};
  },

  /** This worker helps another: jobs come through `port`, and their images go back one by one. */
  async help({ port }) {
    let now = {};
    port.onmessage = ({ data: { id, job, end } }) => {
      if (job) work((now = { id }), job);
      else if (id === now.id) now.end = end;
    };
    async function work(own, job) {
      try {
        own.end = engine.take(job);
        // Between two images it hears where to end, or of another job.
        for (let i = 0; i < own.end && own === now; i++) {
          const outputs = await engine.work(i);
          port.postMessage({ id: own.id, outputs }, [outputs.buffer]);
          await breath();
        }
      } catch (error) {
        if (error instanceof WebAssembly.RuntimeError) fatal(error);
        port.postMessage({ id: own.id, outputs: null });
      }
    }
    return {};
  },

  /** The class names in a file, in class order. */
  async labels({ blob }) {
    return { value: pellucid.labels(await bytesOf(blob)) };
  },

  /** Draws a map: on a scale that all of its run's maps share, or its own; large, or as small as a tile. */
  async render({ id, k, display, shared = false, small = false }) {
    const { facts, ...frame } = engine.render(id, k, JSON.stringify(display), shared, small);
    return pixels({ ...frame, ...JSON.parse(facts) });
  },

  /** The raw map: `{ shape, data }`, signed float32, neither scaled nor upsampled. */
  async values({ id, k }) {
    const value = engine.values(id, k);
    return { value, transfer: [value.data.buffer] };
  },

  async png({ id, k, display, shared = false }) {
    return { value: engine.png(id, k, JSON.stringify(display), shared) };
  },

  async npy({ id, k }) {
    return { value: engine.npy(id, k) };
  },
};

const info = () => JSON.parse(engine.info());

async function compile(fetched) {
  const response = await fetched(new URL('../pkg/pellucid_bg.wasm', import.meta.url).href, 'engine');
  try {
    return await WebAssembly.compileStreaming(new Response(response.body, { headers: { 'Content-Type': 'application/wasm' } }));
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw failure('browser', 'This browser cannot run the engine: it needs WebAssembly with SIMD. Update the browser.');
  }
}
