// Pictures and models come in by drop, paste or the file dialog, anywhere on the page.

/** @import { ModelFiles, ModelFlow, PictureFlow, Store } from '../types' */

import { NAME_HEADER, sharedWith } from '../../shared/share.js';
import { $, $$, show } from '../dom.js';
import { sorted } from '../files.js';
import { methodOf } from '../state/question.js';
import { HOME } from '../urls.js';
import { notify } from './notices.js';
import { takeOwn } from './parameters.js';
import { anchored } from './sheet.js';

/** @typedef {(files: Iterable<File>) => void} Take */

/**
 * @param {Store} store
 * @param {{ picture: PictureFlow, model: ModelFlow }} flows
 */
export function setUpIntake(store, { picture, model }) {
  const take = (/** @type {Iterable<File>} */ files) => takeFiles([...files], { store, picture, model });
  setUpPicking(take);
  setUpPaste(take);
  setUpDrop(take);
  takeFromOthers(take);
  anchored($('#picture-sheet'), $('#picture-button'), { minWidth: 340, align: 'end' });
  store.watch(
    ({ opening, view }) => [opening, view],
    (opening, view) => {
      show($('#picture-button'), view === 'work');
      const sheet = $('#picture-sheet');
      if (opening && sheet.matches(':popover-open')) sheet.hidePopover();
    },
  );
}

/**
 * @param {File[]} files
 * @param {{ store: Store, picture: PictureFlow, model: ModelFlow }} to
 */
async function takeFiles(files, { store, picture, model }) {
  const { images, idle, ...own } = await sorted(files);
  // Several pictures at once are what a method compares with.
  if (images.length > 1 && images.length === files.length && methodOf(store.state)?.background) {
    return takeOwn(store, 'background', files);
  }
  const [image] = images;
  takeModel(own, idle, model);
  if (image) picture.open(image, image.name);
  if (!files.length) {
    const message = 'That was no file. If it was a picture on another site, save it first and drop the file.';
    notify({ kind: 'error', code: 'image', message });
  }
}

/**
 * Opens a model with what lies around it, and says of what was no use.
 * @param {ModelFiles} files
 * @param {File[]} idle
 * @param {ModelFlow} model
 */
export async function takeModel(files, idle, model) {
  for (const { name } of idle) notify({ message: `The file ${name} says neither how pictures are prepared nor what classes are called, so it was left out.` });
  const { data, config, labels } = files;
  return files.model || data.length || config || labels ? model.take(files) : false;
}

/** @param {Take} take */
function setUpPicking(take) {
  const input = $('#picture-file');
  for (const button of $$('[data-pick]')) button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    if (input.files?.length) take(input.files);
    input.value = '';
  });
}

/** @param {Take} take */
function setUpPaste(take) {
  document.addEventListener('paste', ({ clipboardData }) => {
    // Text that is pasted is meant for no picture, wherever it goes.
    if (clipboardData?.files.length) take(clipboardData.files);
  });
}

/**
 * Files that the system opens with the installed page, and what another program shares with it.
 * @param {Take} take
 */
async function takeFromOthers(take) {
  const { launchQueue } = /** @type {{ launchQueue?: { setConsumer(take: (launch: Launch) => unknown): void } }} */ (window);
  launchQueue?.setConsumer(async ({ files }) => {
    if (files.length) take(await Promise.all(files.map((file) => file.getFile())));
  });
  const address = new URL(location.href);
  if (!address.searchParams.has('shared')) return;
  address.searchParams.delete('shared');
  history.replaceState(null, '', address);
  const files = await sharedFiles();
  if (files.length) take(files);
}

/** @typedef {{ files: FileSystemFileHandle[] }} Launch */

/** The files that the service worker was given for this page; they are there once. */
async function sharedFiles() {
  try {
    const name = sharedWith(HOME);
    const cache = await caches.open(name);
    const files = (await cache.keys()).map(async (request) => fileOf(await cache.match(request)));
    const all = await Promise.all(files);
    await caches.delete(name);
    return all.flat();
  } catch {
    return []; // Without storage nothing was kept.
  }
}

/** @param {Response | undefined} response */
async function fileOf(response) {
  if (!response) return [];
  const blob = await response.blob();
  return [new File([blob], decodeURIComponent(response.headers.get(NAME_HEADER) ?? ''), { type: blob.type })];
}

/** @param {Take} take */
function setUpDrop(take) {
  const cover = $('#drop');
  let depth = 0;
  const reset = () => {
    depth = 0;
    show(cover, false);
  };
  document.addEventListener('dragenter', (event) => {
    event.preventDefault();
    depth += 1;
    show(cover, true);
  });
  document.addEventListener('dragleave', () => {
    depth -= 1;
    if (depth <= 0) reset();
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    reset();
    take(event.dataTransfer?.files ?? []);
  });
}
