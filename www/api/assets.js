// The addresses of Pellucid's parts, beside this file and wherever the host is. Bundlers find them by these words: each
// is `new URL`, a text and `import.meta.url`, and nothing in between.

/** @import { LoadOptions } from './pellucid' */
/** @import { Assets } from './types' */

/** The addresses of the parts that ship together. */
export const ASSETS = {
  worker: new URL('../worker/worker.js', import.meta.url).href,
  engine: new URL('../pkg/pellucid_bg.wasm', import.meta.url).href,
  model: new URL('../../models/efficientnet-lite0-int8.onnx', import.meta.url).href,
  /** The photographs that expected gradients compare with; fetched when they are first needed. */
  background: [
    new URL('../../models/background/astronaut.jpg', import.meta.url).href,
    new URL('../../models/background/brick.jpg', import.meta.url).href,
    new URL('../../models/background/camera.jpg', import.meta.url).href,
    new URL('../../models/background/cat.jpg', import.meta.url).href,
    new URL('../../models/background/clock.jpg', import.meta.url).href,
    new URL('../../models/background/coffee.jpg', import.meta.url).href,
    new URL('../../models/background/coins.jpg', import.meta.url).href,
    new URL('../../models/background/galaxies.jpg', import.meta.url).href,
    new URL('../../models/background/grass.jpg', import.meta.url).href,
    new URL('../../models/background/gravel.jpg', import.meta.url).href,
    new URL('../../models/background/retina.jpg', import.meta.url).href,
    new URL('../../models/background/rocket.jpg', import.meta.url).href,
  ],
};

/** The name of the model that ships; its file does not say it. */
export const SHIPPED = 'EfficientNet-Lite0, 8-bit';

/**
 * The parts to use: those that ship, but for those that the caller has elsewhere.
 * @param {LoadOptions['assets']} [own]
 * @returns {Assets}
 */
export function assetsFrom({ worker, engine, model, background } = {}) {
  return {
    worker: placed(worker ?? ASSETS.worker),
    engine: placed(engine ?? ASSETS.engine),
    model: placed(model ?? ASSETS.model),
    background: (background ?? ASSETS.background).map(placed),
  };
}

/**
 * An address is made absolute; a part itself stays.
 * @template Part
 * @param {Part | string | URL} part
 * @returns {Exclude<Part, URL> | string}
 */
const placed = (part) => (typeof part === 'string' || part instanceof URL ? address(part) : /** @type {Exclude<Part, URL>} */ (part));

/**
 * An absolute address: a worker that starts from a blob could not resolve another one.
 * @param {string | URL} url
 */
export const address = (url) => new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href).href;
