// Pictures of what is shown, beside pictures that are kept: loosely, since fonts differ from machine to machine. A panel
// that is gone, a theme that is lost or a layout that breaks is many times over the bound. SCREENS=update draws them anew.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';

import { difference } from './support.mjs';

/** Screenshots are compared at this part of their size: shapes and colours stay, letters do not. */
const SCALE = 1 / 10;
/** Mean difference, 0..255: other fonts make about 2; another theme or layout makes 12 to 200. */
export const BOUND = 6;

const isUpdate = process.env.SCREENS === 'update';
const STILL = { animations: 'disabled', caret: 'hide' };

/** A picture file in fewer pixels: `{ png, pixels }`, the file in base64. `studio` is a page that does the work. */
const shrink = (studio, bytes, scale) =>
  studio.evaluate(
    async ([base64, scale]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes]));
      const [width, height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
      const context = new OffscreenCanvas(width, height).getContext('2d');
      context.imageSmoothingQuality = 'high';
      context.drawImage(image, 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      const pixels = Array.from({ length: width * height }, (_, i) => [data[4 * i], data[4 * i + 1], data[4 * i + 2]]);
      const file = new Uint8Array(await (await context.canvas.convertToBlob()).arrayBuffer());
      return { png: btoa(String.fromCharCode(...file)), pixels };
    },
    [bytes.toString('base64'), scale],
  );

function assertAlike(shown, kept, name) {
  assert.equal(shown.length, kept.length, `${name}: another size`);
  const far = difference(shown, kept);
  assert.ok(far < BOUND, `${name} differs by ${far.toFixed(1)} of 255; look at it, and if it is meant, run with SCREENS=update`);
}

/** Compares a page with the small picture of that name in screens/, whose pixels it returns. */
export async function compare(studio, page, name) {
  const shown = await shrink(studio, await page.screenshot(STILL), SCALE);
  const file = new URL(`screens/${name}.png`, import.meta.url);
  if (isUpdate) await writeFile(file, Buffer.from(shown.png, 'base64'));
  const kept = await shrink(studio, await readFile(file), 1);
  assertAlike(shown.pixels, kept.pixels, name);
  return kept.pixels;
}

/** Compares a page with a picture that documents show, in its full size. */
export async function compareWhole(studio, page, path) {
  const file = new URL(`../../${path}`, import.meta.url);
  const shown = await page.screenshot({ ...STILL, type: 'jpeg', quality: 85 });
  if (isUpdate) await writeFile(file, shown);
  const [now, kept] = await Promise.all([shown, await readFile(file)].map((bytes) => shrink(studio, bytes, SCALE)));
  assertAlike(now.pixels, kept.pixels, path);
}
