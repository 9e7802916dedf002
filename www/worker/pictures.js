// Pictures in formats that the browser reads and the engine does not, as AVIF and ICO. Runs in the worker.

import { check_picture_size, check_size, reads_picture } from '../pkg/pellucid.js';
import { bytesOf } from './download.js';

/** How many bytes tell a format. */
const HEAD = 64;

/**
 * The bytes of a picture. What the page itself fetched is read by the engine.
 * @param {Blob | Response} source
 */
export async function pictureOf(source) {
  if (!(source instanceof Blob)) return bytesOf(source);
  check_size('picture', source.size);
  return pictureBytes(source);
}

/**
 * The bytes of a picture's file; those of a PNG where only the browser reads its format: upright, over white, with its
 * colours as they are stored. What neither reads is left to the engine, which says why.
 * @param {Blob} blob
 */
async function pictureBytes(blob) {
  const head = new Uint8Array(await blob.slice(0, HEAD).arrayBuffer());
  const bitmap = reads_picture(head) ? null : await decoded(blob);
  return new Uint8Array(await (bitmap ? await png(bitmap) : blob).arrayBuffer());
}

/** @param {Blob} blob */
async function decoded(blob) {
  try {
    return await createImageBitmap(blob, { imageOrientation: 'from-image', colorSpaceConversion: 'none' });
  } catch {
    return null;
  }
}

/** @param {ImageBitmap} bitmap */
async function png(bitmap) {
  try {
    const { width, height } = bitmap;
    check_picture_size(width, height);
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('this browser gives no canvas to a worker');
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return await canvas.convertToBlob({ type: 'image/png' });
  } finally {
    bitmap.close();
  }
}
