// The page as a picture, beside the pictures in screens/: loosely, since fonts differ from machine to machine. A
// panel that is gone, a theme that is lost or a layout that breaks is many times over the bound.
// SCREENS=update draws them anew.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { difference, explained } from './support.mjs';

const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
/** Screenshots are compared at this part of their size: shapes and colours stay, letters do not. */
const SCALE = 1 / 10;
/** Mean difference, 0..255: other fonts make about 2; another theme or layout makes 12 to 200. */
const BOUND = 6;

describe('the page looks as it did', () => {
  let browser;
  let studio;

  before(async () => {
    browser = await launch({ webgpu: false });
    studio = await browser.newPage();
  });
  after(() => browser?.close());

  /** A PNG file in fewer pixels: `{ png, pixels }`, the file in base64. */
  const shrink = (png, scale) =>
    studio.evaluate(
      async ([base64, scale]) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const [width, height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
        const context = new OffscreenCanvas(width, height).getContext('2d');
        context.imageSmoothingQuality = 'high';
        context.drawImage(image, 0, 0, width, height);
        const { data } = context.getImageData(0, 0, width, height);
        const pixels = Array.from({ length: width * height }, (_, i) => [data[4 * i], data[4 * i + 1], data[4 * i + 2]]);
        const file = new Uint8Array(await (await context.canvas.convertToBlob()).arrayBuffer());
        return { png: btoa(String.fromCharCode(...file)), pixels };
      },
      [png.toString('base64'), scale],
    );

  async function compare(page, name) {
    const shown = await shrink(await page.screenshot({ animations: 'disabled', caret: 'hide' }), SCALE);
    const file = new URL(`screens/${name}.png`, import.meta.url);
    if (process.env.SCREENS === 'update') await writeFile(file, Buffer.from(shown.png, 'base64'));
    const kept = await shrink(await readFile(file), 1);
    assert.equal(shown.pixels.length, kept.pixels.length, `${name}: another size`);
    const far = difference(shown.pixels, kept.pixels);
    assert.ok(far < BOUND, `${name} differs by ${far.toFixed(1)} of 255; look at it, and if it is meant, run with SCREENS=update`);
    return kept.pixels;
  }

  for (const [size, viewport] of Object.entries(SIZES)) {
    it(`on a ${size} screen, in the light and in the dark`, async () => {
      const works = [];
      for (const colorScheme of ['light', 'dark']) {
        const { page, context } = await open(browser, '?backend=cpu', { viewport, colorScheme });
        await page.locator('#welcome .sample').first().waitFor();
        await compare(page, `welcome-${size}-${colorScheme}`);
        await explained(page, () => page.click('#welcome .sample:nth-child(2)'));
        await page.waitForTimeout(500);
        works.push(await compare(page, `work-${size}-${colorScheme}`));
        await context.close();
      }
      assert.ok(difference(...works) > 2 * BOUND, 'the bound is so loose that light passes for dark');
    });
  }
});
