// Says that the page works offline, once it does, and offers to install it where the browser can.

/** @import { Store } from '../types' */

import { $, h, show } from '../dom.js';
import { anchored } from './sheet.js';

/**
 * What a browser sends that can install the page.
 * @typedef {Event & { prompt(): Promise<unknown> }} InstallEvent
 */

/** @param {Store} store */
export function setUpOffline(store) {
  anchored($('#offline-sheet'), $('#offline-chip'), { minWidth: 320 });
  const install = h('button', { type: 'button', class: 'button', hidden: true }, 'Install as an app');
  $('#offline-sheet').append(
    h('h3', {}, 'Works offline'),
    h('p', { class: 'muted' }, 'The page, the engine, the model and the samples are kept on this device. They open without a network.'),
    install,
  );
  offerInstall(install);
  store.watch(({ offline }) => [offline], (offline) => show($('#offline-chip'), offline === 'kept'));
}

/** @param {HTMLButtonElement} button */
function offerInstall(button) {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    show(button, true);
    button.onclick = () => {
      show(button, false);
      /** @type {InstallEvent} */ (event).prompt().catch(() => {});
    };
  });
}
