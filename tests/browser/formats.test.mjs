// Pictures in formats that the engine does not read come in through the browser; what has to be said of a picture is said.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { assertQuiet, coffee, dismissAll, drop, explained, fileOf, noticeOf, thumbnail } from './support.mjs';

describe('picture formats', () => {
  let browser, page, trouble;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
  });
  after(() => browser?.close());

  /** The corners of the picture itself, below the map. */
  async function corners() {
    await page.locator('#opacity').fill('0');
    await page.waitForTimeout(300);
    const pixels = await thumbnail(page, 8);
    return [pixels[9], pixels[14], pixels[49], pixels[54]];
  }

  for (const [name, type] of [['quadrants.avif', 'image/avif'], ['quadrants.ico', 'image/x-icon']]) {
    it(`decodes ${name} through the browser`, async () => {
      const file = await fileOf(`tests/fixtures/pictures/${name}`, type);
      await explained(page, () => drop(page, file));
      // Red, green, blue, white.
      const wanted = [[250, 20, 20], [20, 250, 20], [20, 20, 250], [250, 250, 250]];
      (await corners()).forEach((pixel, i) => pixel.forEach((value, c) => assert.ok(Math.abs(value - wanted[i][c]) < 40, `${name}: corner ${i} is ${pixel}`)));
    });
  }

  it('says which format it is when the browser cannot either', async () => {
    await dismissAll(page);
    const { bytes } = await fileOf('tests/fixtures/pictures/quadrants.avif');
    await drop(page, { name: 'cut.avif', type: 'image/avif', bytes: bytes.subarray(0, 100) });
    assert.match(await noticeOf(page, 'image'), /AVIF images cannot be read/);
    await dismissAll(page);
    const { bytes: tiff } = await fileOf('tests/fixtures/pictures/turned.tiff');
    await drop(page, { name: 'turned.tiff', type: 'image/tiff', bytes: tiff });
    assert.match(await noticeOf(page, 'image'), /TIFF images cannot be read/);
  });

  it('shows a JPEG that lacks only its end, with a note, and refuses one that is cut', async () => {
    await dismissAll(page);
    const { name, type, bytes } = await coffee();
    const { result } = await explained(page, () => drop(page, { name, type, bytes: bytes.subarray(0, bytes.length - 2) }));
    assert.equal(result.target.label, 'espresso');
    assert.match(result.notes[0], /end marker/);
    assert.match(await page.locator('.notice p').first().textContent(), /end marker/);
    await drop(page, { name, type, bytes: bytes.subarray(0, bytes.length - 200) });
    assert.match(await noticeOf(page, 'image'), /cut short/);
  });

  it('says when most of a picture lies outside the crop', async () => {
    await dismissAll(page);
    const wide = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(1200, 300);
      canvas.getContext('2d').fillRect(0, 0, 300, 300);
      const blob = await canvas.convertToBlob({ type: 'image/png' });
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    const { result } = await explained(page, () => drop(page, { name: 'wide.png', type: 'image/png', bytes: Buffer.from(wide) }));
    assert.match(result.notes[0], /81 % of the picture lie outside the crop/);
    assert.match(await page.locator('#notes').textContent(), /outside the crop/);
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});
