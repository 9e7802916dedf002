// The addresses of the page's parts, wherever the page itself lies. This file stays beside app.js, so that these
// addresses mean the same when the modules are packed into one.

/** @param {string} path */
const at = (path) => new URL(path, import.meta.url).href;

/** The folder of the page, which its service worker controls. */
export const HOME = at('../../');
export const WORKER = at('../worker/worker.js');
/** The page as one file, without what fills it. */
export const TEMPLATE = at('../single.html');
export const SERVICE_WORKER = at('../../sw.js');
/** @param {string} file */
export const sampleUrl = (file) => at(`../samples/${file}`);
