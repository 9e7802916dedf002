// Pictures and models come in by drop, paste or the file dialog, anywhere on the page.

/** @import { ModelFlow, PictureFlow, Store } from '../types' */

import { $, $$, show } from '../dom.js';
import { methodOf } from '../state/question.js';
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

/** Models, and what is taken for one: the engine says what it is, and the way to a model. */
const MODEL = /\.(onnx|ort|pth?|ckpt|safetensors|h5|hdf5|keras|tflite|pb|mlmodel|mlpackage|engine|gguf|zip|gz|tgz)$/i;

/**
 * @param {File[]} files
 * @param {{ store: Store, picture: PictureFlow, model: ModelFlow }} to
 */
function takeFiles(files, { store, picture, model }) {
  // Several pictures at once are what a method compares with.
  if (files.length > 1 && methodOf(store.state)?.background) return takeOwn(store, 'background', files);
  const onnx = files.find(({ name }) => MODEL.test(name));
  const image = files.find((file) => file !== onnx);
  if (onnx) model.open(onnx);
  if (image) picture.open(image, image.name);
  if (!onnx && !image) {
    const message = 'That was no file. If it was a picture on another site, save it first and drop the file.';
    notify({ kind: 'error', code: 'image', message });
  }
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
