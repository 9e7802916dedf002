// The ways to work without a network: the page that is kept on the device, the page as an application, and the page as one file.

/** @import { SaveFlow, Store } from '../types' */

import { $, h, icon, show } from '../dom.js';
import { isSingle } from '../parts.js';
import { setUpSave } from './save.js';
import { anchored } from './sheet.js';

/**
 * The event of a browser that can install the page.
 * @typedef {Event & { prompt(): Promise<unknown> }} InstallEvent
 */

/** Title and text, by what is so. */
const TEXTS = {
  no: ['Use offline', 'After the first explanation the page, the engine, the model and the samples are kept on this device, if the browser allows it.'],
  kept: ['Works offline', 'The page, the engine, the model and the samples are kept on this device. They open without a network.'],
  single: ['Works offline', 'The engine, the model and the pictures are in this file. It needs no network.'],
};

/**
 * @param {Store} store
 * @param {SaveFlow} save
 */
export function setUpOffline(store, save) {
  const title = h('h3', {});
  const text = h('p', { class: 'muted' });
  const install = h('button', { type: 'button', class: 'button small', hidden: true }, icon('save'), 'Install as an app');
  const sheet = $('#offline-sheet');
  sheet.append(title, text, install, ...setUpSave(store, save));
  anchored(sheet, $('#offline-chip'), { minWidth: 360 });
  offerInstall(install);
  store.watch(
    ({ offline }) => [offline],
    (offline) => {
      const [name, words] = TEXTS[isSingle ? 'single' : offline];
      $('#offline-name').textContent = title.textContent = name;
      text.textContent = words;
    },
  );
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
