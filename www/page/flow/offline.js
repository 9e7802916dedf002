// Keeping the page on the device. Its service worker is started once the page has shown what it is there for: to keep
// the files must cost a first visitor nothing. Where the browser has no room or does not want to, nothing changes.

/** @import { Notices, Store } from '../types' */

import { BUILD } from '../../shared/build.js';
import { SERVICE_WORKER } from '../urls.js';

/** How long a page is looked at before it is kept though nothing was explained, in milliseconds. */
const PATIENCE = 15_000;

/** How often a page that stays open asks for a new version, in milliseconds. */
const UPDATE_INTERVAL = 3_600_000;

/**
 * @param {Store} store
 * @param {Pick<Notices, 'notify'>} notices
 */
export function createOfflineFlow(store, { notify }) {
  const container = serviceWorkers();
  if (!container) return;
  const worker = container;
  let told = false;
  let begun = false;

  /** Tells once that another version is ready. @param {() => unknown} reload */
  function tell(reload) {
    if (told) return;
    told = true;
    notify({ message: 'A new version is ready.', actions: [{ label: 'Reload', run: reload }] });
  }

  /** @param {ServiceWorkerRegistration} registration */
  function follow(registration) {
    const look = () => {
      if (registration.active) settle(registration.active);
      if (registration.waiting && registration.active) tell(() => change(registration));
    };
    const wait = () => registration.installing?.addEventListener('statechange', look);
    registration.addEventListener('updatefound', wait);
    wait();
    look();
    askForUpdates(registration);
  }

  /**
   * Its version is kept, or begins to be used. Where it is not the one of this page, another tab has asked for it: the page
   * goes on with the parts that it has.
   * @param {ServiceWorker} active
   */
  async function settle(active) {
    store.set({ offline: 'kept' });
    if ((await buildOf(active)) !== BUILD) tell(() => location.reload());
  }

  /** The new version takes over, then the page opens again with it. @param {ServiceWorkerRegistration} registration */
  function change({ waiting }) {
    if (!waiting) return location.reload();
    worker.addEventListener('controllerchange', () => location.reload(), { once: true });
    waiting.postMessage('activate');
  }

  async function begin() {
    if (begun) return;
    begun = true;
    try {
      const registration = await worker.register(trusted(SERVICE_WORKER), { updateViaCache: 'none' });
      if (registration) follow(registration);
    } catch {
      // A private window, a full disk, a rule of the browser's owner: the page works as it did.
    }
  }

  worker.addEventListener('controllerchange', () => worker.controller && settle(worker.controller));
  // It has been kept before: starting it costs nothing.
  if (worker.controller) begin();
  store.watch(
    ({ run, engine }) => [run.status === 'done', engine === 'ready'],
    (done, ready) => {
      if (done) begin();
      else if (ready) setTimeout(begin, PATIENCE);
    },
  );
}

/** The browser's service workers; where they are forbidden, asking for them may throw. */
function serviceWorkers() {
  try {
    return navigator.serviceWorker;
  } catch {
    return undefined;
  }
}

/** @param {ServiceWorkerRegistration} registration */
function askForUpdates(registration) {
  let last = Date.now();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || Date.now() - last < UPDATE_INTERVAL) return;
    last = Date.now();
    registration.update().catch(() => {}); // There may be no network, which is what this is for.
  });
}

/**
 * The build whose files a service worker keeps.
 * @param {ServiceWorker} worker
 * @returns {Promise<string>}
 */
function buildOf(worker) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => {
      port1.close();
      resolve(data);
    };
    worker.postMessage('build', [port2]);
  });
}

/**
 * The address as Trusted Types want it, where the browser has them. What their policy makes is a text to the type checker.
 * @param {string} url
 * @returns {string}
 */
function trusted(url) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  const createScriptURL = (/** @type {string} */ address) => {
    if (address !== SERVICE_WORKER) throw new TypeError(`not the service worker: ${address}`);
    return address;
  };
  return trustedTypes ? trustedTypes.createPolicy('pellucid-offline', { createScriptURL }).createScriptURL(url) : url;
}
