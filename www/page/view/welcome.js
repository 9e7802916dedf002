// The first view: samples, and the lens that follows the pointer over an explained picture.

import { $, $$, h } from '../dom.js';
import { sampleUrl } from '../urls.js';
import { notifyError } from './notices.js';

const SAMPLES = [
  { file: 'cat.jpg', alt: 'A cat' },
  { file: 'coffee.jpg', alt: 'A cup of coffee' },
  { file: 'camera.jpg', alt: 'A man with a camera on a tripod' },
  { file: 'rocket.jpg', alt: 'A rocket that lifts off' },
  { file: 'astronaut.jpg', alt: 'An astronaut' },
];

export function setUpWelcome(store, picture) {
  for (const holder of $$('[data-samples]')) holder.append(...SAMPLES.map((sample) => thumbnail(sample, picture)));
  const drift = setUpLens($('#lens .lens-frame'));
  store.watch(({ view }) => [view], (view) => drift(view === 'welcome'));
}

function thumbnail({ file, alt }, picture) {
  const url = sampleUrl(file);
  const button = h('button', { type: 'button', class: 'sample', title: alt }, h('img', { src: url, alt, width: 72, height: 72, draggable: 'false', loading: 'lazy' }));
  button.addEventListener('click', async () => {
    try {
      const response = await fetch(url);
      await picture.open(await response.blob(), file);
    } catch {
      notifyError({ code: 'network', message: 'The sample could not be fetched. Check the connection, or drop a picture of your own.' });
    }
  });
  return button;
}

/**
 * The lens follows the pointer; left alone it drifts, unless motion is unwelcome. Answers with what starts and stops
 * that: frames cost time even where nobody sees them, and without a GPU they take it from the work.
 */
function setUpLens(frame) {
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let held = false;
  const put = (x, y) => {
    frame.style.setProperty('--x', `${x * 100}%`);
    frame.style.setProperty('--y', `${y * 100}%`);
  };
  const follow = (event) => {
    const box = frame.getBoundingClientRect();
    held = true;
    put((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  frame.addEventListener('pointermove', follow);
  frame.addEventListener('pointerdown', follow);
  frame.addEventListener('pointerleave', () => (held = false));
  let frames = 0;
  const drift = (time) => {
    if (!held && !calm.matches) put(0.52 + 0.22 * Math.sin(time / 1700), 0.4 + 0.14 * Math.sin(time / 1130 + 1));
    frames = requestAnimationFrame(drift);
  };
  return (seen) => {
    cancelAnimationFrame(frames);
    if (seen) frames = requestAnimationFrame(drift);
  };
}
