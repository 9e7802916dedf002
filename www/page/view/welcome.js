// The first view: samples, and the lens that follows the pointer over an explained picture.

/** @import { PictureFlow, Sample, Store } from '../types' */

import { $, $$, h, show } from '../dom.js';
import { samples } from '../samples.js';
import { notify } from './notices.js';

/**
 * @param {Store} store
 * @param {PictureFlow} picture
 */
export function setUpWelcome(store, picture) {
  samples.then((all) => {
    for (const holder of $$('[data-samples]')) holder.append(...all.map((sample) => thumbnail(sample, picture)));
    show($('#samples-heading'), all.length);
  });
  const drift = setUpLens($('#lens .lens-frame'));
  store.watch(({ view }) => [view], (view) => drift(view === 'welcome'));
}

/**
 * @param {Sample} sample
 * @param {PictureFlow} picture
 */
function thumbnail({ file, alt, url, read }, picture) {
  const image = h('img', { src: url, alt, width: 72, height: 72, draggable: 'false', loading: 'lazy' });
  const button = h('button', { type: 'button', class: 'sample', title: alt }, image);
  button.addEventListener('click', async () => {
    try {
      await picture.open(await read(), file);
    } catch {
      const message = 'The sample could not be fetched. Check the connection, or drop a picture of your own.';
      notify({ kind: 'error', code: 'network', message });
    }
  });
  return button;
}

/**
 * The lens follows the pointer; left alone it drifts, unless motion is unwelcome. Answers with what starts and stops
 * that: frames cost time even where nobody sees them, and without a GPU they take it from the work.
 * @param {HTMLElement} frame
 */
function setUpLens(frame) {
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let held = false;
  const put = (/** @type {number} */ x, /** @type {number} */ y) => {
    frame.style.setProperty('--x', `${x * 100}%`);
    frame.style.setProperty('--y', `${y * 100}%`);
  };
  const follow = (/** @type {PointerEvent} */ event) => {
    const box = frame.getBoundingClientRect();
    held = true;
    put((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  frame.addEventListener('pointermove', follow);
  frame.addEventListener('pointerdown', follow);
  frame.addEventListener('pointerleave', () => (held = false));
  let frames = 0;
  const drift = (/** @type {number} */ time) => {
    if (!held && !calm.matches) put(0.52 + 0.22 * Math.sin(time / 1700), 0.4 + 0.14 * Math.sin(time / 1130 + 1));
    frames = requestAnimationFrame(drift);
  };
  return (/** @type {boolean} */ seen) => {
    cancelAnimationFrame(frames);
    if (seen) frames = requestAnimationFrame(drift);
  };
}
