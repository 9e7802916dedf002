// The picture: the drawn frame when there is one, else the crop as the network sees it, else a preview.

/** @import { Store } from '../types' */

import { $, contextOf, show } from '../dom.js';
import { fill, waitingOf } from './loading.js';

/** Larger files are not given to the browser's decoder, in bytes: the engine may be about to refuse them. */
const PREVIEW = 64 << 20;

/** @param {Store} store */
export function setUpStage(store) {
  const stage = $('#stage');
  const canvas = $('#canvas');
  const context = contextOf(canvas);

  store.watch(
    ({ view }) => [view],
    (view) => {
      show($('#welcome'), view === 'welcome');
      show($('#work'), view === 'work');
    },
  );

  store.watch(
    ({ frame, crop, pictureOnly }) => [pictureOnly || !frame ? crop : frame],
    (image) => {
      if (!image) return context.clearRect(0, 0, canvas.width, canvas.height);
      canvas.width = image.width;
      canvas.height = image.height;
      context.putImageData(new ImageData(image.rgba, image.width, image.height), 0, 0);
    },
  );

  store.watch(
    ({ crop }) => [crop],
    (crop) => crop && stage.style.setProperty('aspect-ratio', `${crop.width} / ${crop.height}`),
  );

  store.watch(
    ({ run, frame }) => [Boolean(frame && run.status === 'running' && !run.maps?.includes(frame.map))],
    (stale) => canvas.classList.toggle('stale', stale),
  );

  store.watch(
    ({ target, run, picture }) => [target, run.asked?.method, picture?.name],
    (target, method, name) => {
      const picture = name ? `Picture ${name}` : 'Your picture';
      canvas.setAttribute('aria-label', target && method ? `${picture} with the map of ${method} for ${target.label}` : picture);
    },
  );

  setUpPreview(store);
  setUpWaiting(store);
  setUpPictureOnly(store, canvas);
}

/**
 * While the engine loads, the browser's own decoder shows the picture; the engine's crop replaces it.
 * @param {Store} store
 */
function setUpPreview(store) {
  const preview = $('#preview');
  preview.addEventListener('error', () => show(preview, false));
  store.watch(
    ({ coming, opening, engine }) => [opening && engine === 'loading' && coming && coming.blob.size < PREVIEW ? coming.blob : null],
    (blob) => {
      if (preview.src) URL.revokeObjectURL(preview.src);
      preview.removeAttribute('src');
      show(preview, Boolean(blob));
      if (blob) preview.src = URL.createObjectURL(blob);
    },
  );
}

/** @param {Store} store */
function setUpWaiting(store) {
  const bar = $('#waiting-bar');
  store.watch(
    ({ engine, loading, opening, openingModel, crop, classes }) => [engine, loading, opening, openingModel, crop, classes],
    () => {
      const waiting = waitingOf(store.state);
      show($('#waiting'), waiting);
      $('#waiting-text').textContent = waiting?.text ?? '';
      show(bar, waiting?.isLong);
      fill(bar, waiting?.share);
    },
  );
}

/**
 * Holding the button, or space on the picture, shows the picture alone.
 * @param {Store} store
 * @param {HTMLElement} canvas
 */
function setUpPictureOnly(store, canvas) {
  const button = $('#picture-only');
  const start = () => store.set({ pictureOnly: true });
  const end = () => store.state.pictureOnly && store.set({ pictureOnly: false });
  button.addEventListener('pointerdown', start);
  for (const type of ['pointerup', 'pointercancel', 'pointerleave', 'blur']) button.addEventListener(type, end);
  for (const element of [button, canvas]) {
    element.addEventListener('keydown', (event) => {
      if (event.key !== ' ') return;
      event.preventDefault();
      if (!event.repeat) start();
    });
    element.addEventListener('keyup', (event) => event.key === ' ' && end());
  }
  canvas.addEventListener('blur', end);
  button.addEventListener('contextmenu', (event) => event.preventDefault());
}
