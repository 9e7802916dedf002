// The service worker: it keeps the page on the device, so that it opens without a network. It holds the files of one
// version, all of them or none, and a file counts only if it has the hash that the build wrote down. The next version is
// a service worker of its own, which waits until the reader asks for it or the last tab is closed.

import { BUILD } from '../shared/build.js';
import { NAME_HEADER, sharedWith } from '../shared/share.js';

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** The address of the page, with a slash at the end; pages in other folders of this origin have service workers of their own. */
const { scope } = worker.registration;
const PREFIX = `pellucid ${scope} `;
const CACHE = PREFIX + BUILD;

/**
 * How the SHA-256 of each file begins, by its path; the page itself is './'. The build writes them in the place of this word.
 * @type {Map<string, string>}
 */
const FILES = new Map('__FILES__'.split(' ').map((entry) => /** @type {[string, string]} */ (entry.split('='))));

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('message', ({ data, ports: [port] }) => {
  if (data === 'activate') worker.skipWaiting();
  if (data === 'build') port?.postMessage(BUILD);
});
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const path = pathOf(request.url);
  if (request.method === 'POST' && path === 'share') event.respondWith(share(request));
  else if (request.method === 'GET' && FILES.has(path)) event.respondWith(answer(request, path));
});

async function install() {
  try {
    const cache = await caches.open(CACHE);
    await Promise.all([...FILES].map(async ([path, hash]) => cache.put(scope + path, await find(path, hash))));
  } catch (error) {
    // There is no room, or the host is between two versions: what works now is left as it is, and a later visit tries again.
    await caches.delete(CACHE).catch(() => {});
    throw error;
  }
}

/** This version is used from now on, by every tab. What the others have not loaded yet, they will not mistake for theirs. */
async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await worker.clients.claim();
}

/**
 * A file with this hash: from the version before, from what the browser has fetched for the page, or from the host.
 * @param {string} path
 * @param {string} hash
 */
async function find(path, hash) {
  const url = scope + path;
  const sources = [
    () => caches.match(url),
    () => fetch(url, { cache: 'force-cache' }),
    () => fetch(url, { cache: 'reload' }),
  ];
  for (const source of sources) {
    const response = await source();
    if (!response?.ok) continue;
    const bytes = await response.arrayBuffer();
    const type = response.headers.get('Content-Type');
    // The body was compressed on its way and is not any more, so the host's other headers are no longer true.
    if ((await sha256(bytes)).startsWith(hash)) return new Response(bytes, { headers: type ? { 'Content-Type': type } : {} });
  }
  throw new Error(`${url} is not of this version`);
}

/** @param {ArrayBuffer} bytes */
async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The kept file; from the host where the browser has thrown it away.
 * @param {Request} request
 * @param {string} path
 */
async function answer(request, path) {
  const kept = await caches.match(scope + path, { cacheName: CACHE }).catch(() => undefined);
  return kept ?? fetch(request);
}

/**
 * The path of an address under the page's own, without what the page is asked for; '' where it lies elsewhere.
 * @param {string} address
 */
function pathOf(address) {
  const { origin, pathname } = new URL(address);
  const url = origin + pathname;
  if (!url.startsWith(scope)) return '';
  const path = url.slice(scope.length);
  return path === '' || path === 'index.html' ? './' : path;
}

/**
 * Takes what another program shares: the files wait for the page, which opens next.
 * @param {Request} request
 */
async function share(request) {
  const form = await request.formData();
  const files = form.getAll('files').filter((entry) => entry instanceof File);
  await caches.delete(sharedWith(scope));
  const cache = await caches.open(sharedWith(scope));
  const put = (/** @type {File} */ file, /** @type {number} */ i) =>
    cache.put(`${scope}shared/${i}`, new Response(file, { headers: { 'Content-Type': file.type, [NAME_HEADER]: encodeURIComponent(file.name) } }));
  await Promise.all(files.map(put));
  return Response.redirect(`${scope}?shared`, 303);
}
