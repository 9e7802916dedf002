// Images as pages have them, as files that the engine reads.

/** @import { ImageSource } from './pellucid' */

import { messageOf } from '../shared/errors.js';
import { PellucidError, cancelled } from './errors.js';
import { addressOf } from './options.js';

const KINDS = 'a File, Blob, ImageBitmap, ImageData, image element, canvas, or address';

/** Files of images. The last one's address and file are kept: an address is not fetched again while it is in use. */
export function createImages() {
  /** @type {{ url: string, blob: Blob } | null} */
  let last = null;

  /**
   * The file of an image. The same Blob or address gives the same file as long as no other address is asked for.
   * @param {ImageSource} image
   * @param {AbortSignal} [signal]
   * @returns {Promise<Blob>}
   */
  return async function fileOf(image, signal) {
    if (is(image, 'Blob') || is(image, 'File')) return /** @type {Blob} */ (image);
    const url = await urlOf(image);
    if (url === null) return drawn(image);
    if (last?.url !== url) last = { url, blob: await fetched(url, signal, image) };
    return last.blob;
  };
}

/**
 * The address that an image was loaded from; null where it has none.
 * @param {ImageSource} image
 */
async function urlOf(image) {
  if (typeof image === 'string' || image instanceof URL) return addressOf('an image', image);
  if (!is(image, 'HTMLImageElement')) return null;
  const element = /** @type {HTMLImageElement} */ (image);
  // A lazy image that nobody has scrolled to is not loaded, but has an address.
  return element.currentSrc || element.src ? addressOf('an image', element.currentSrc || element.src) : null;
}

/**
 * @param {string} url
 * @param {AbortSignal | undefined} signal
 * @param {ImageSource} image
 */
async function fetched(url, signal, image) {
  let response;
  try {
    response = await fetch(url, { signal });
  } catch {
    if (signal?.aborted) throw cancelled();
    if (is(image, 'HTMLImageElement')) return drawn(image);
    throw new PellucidError('network', `${url} could not be fetched. Check the address; another site must allow it (CORS).`);
  }
  if (!response.ok) throw new PellucidError('network', `${url} is not there (status ${response.status}). Check the address.`);
  return response.blob().catch((error) => {
    throw signal?.aborted ? cancelled() : error;
  });
}

/**
 * Pixels as the file that holds them without loss.
 * @param {ImageSource} image
 */
async function drawn(image) {
  const { width, height } = await sizeOf(image);
  if (!(width > 0 && height > 0)) throw new PellucidError('image', `The image is empty. Give ${KINDS} with pixels.`);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new PellucidError('image', `A canvas of ${width} by ${height} pixels could not be made. Use a smaller image.`);
  try {
    if (is(image, 'ImageData')) context.putImageData(/** @type {ImageData} */ (image), 0, 0);
    else context.drawImage(/** @type {CanvasImageSource} */ (image), 0, 0);
    return await canvas.convertToBlob({ type: 'image/png' });
  } catch (error) {
    const isForeign = error instanceof Error && error.name === 'SecurityError';
    const why = isForeign ? 'is of another site, which does not let this page read it. Use a copy of it.' : `of ${width} by ${height} pixels cannot be read (${messageOf(error)}). Use a smaller one, or a copy.`;
    throw new PellucidError('image', `The image ${why}`);
  }
}

/**
 * @param {ImageSource} image
 * @returns {Promise<{ width: number, height: number }>}
 */
async function sizeOf(image) {
  if (is(image, 'HTMLImageElement')) {
    const element = /** @type {HTMLImageElement} */ (image);
    await element.decode().catch(() => {});
    return { width: element.naturalWidth, height: element.naturalHeight };
  }
  const known = ['ImageData', 'ImageBitmap', 'HTMLCanvasElement', 'OffscreenCanvas'];
  if (known.some((name) => is(image, name))) return /** @type {ImageData} */ (image);
  throw new PellucidError('argument', `This is no image. Give ${KINDS}.`);
}

/**
 * Whether a value is of a class that may be missing here, or come from another frame.
 * @param {unknown} value
 * @param {string} name
 */
const is = (value, name) => Object.prototype.toString.call(value) === `[object ${name}]`;
