// Networks that are unlike most: with one layer, with one class, of channels that no picture has, with a size that is left
// open, and in files of other names.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { assertQuiet, coffee, drop, explained, fileOf, noticeOf } from './support.mjs';

/** A field of a protobuf message: a number, or a text or message with its length. */
const int = (field, value) => [field << 3, value];
const sub = (field, ...parts) => {
  const bytes = parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : part));
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return [(field << 3) | 2, ...length, ...bytes];
};
const value = (name, ...dims) => [sub(1, name), sub(2, sub(1, int(1, 1), sub(2, ...dims.map((dim) => sub(1, typeof dim === 'string' ? sub(2, dim) : int(1, dim))))))];
const node = (operator, from, to) => sub(1, sub(1, from), sub(2, to), sub(3, to), sub(4, operator));

/** A classifier without weights, whose scores are the means of its channels: the file's bytes. */
const means = (channels, height = 8, width = 8) => {
  const nodes = [node('Relu', 'image', 'relu'), node('GlobalAveragePool', 'relu', 'pool'), node('Flatten', 'pool', 'scores')];
  const graph = sub(7, ...nodes, sub(2, 'means'), sub(11, ...value('image', 1, channels, height, width)), sub(12, ...value('scores', 1, channels)));
  return Uint8Array.from([...int(1, 8), ...graph, ...sub(8, int(2, 13))]);
};
const model = (bytes, name = 'means.onnx', type = '') => ({ name, type, bytes });

describe('networks that are unlike most', () => {
  let browser, page, trouble;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
  });
  after(() => browser?.close());

  it('have no slider for one layer', async () => {
    assert.ok(await page.isVisible('#layer-slider'));
    await explained(page, () => drop(page, model(means(3))));
    assert.ok(await page.isVisible('#layer-field'));
    assert.equal(await page.isVisible('#layer-slider'), false);
    assert.ok(await page.isVisible('#class-field'));
  });

  it('have no other class where there is one', async () => {
    const one = await fileOf('tests/fixtures/heads/raw_one.onnx', 'application/octet-stream');
    await explained(page, () => drop(page, one));
    assert.equal(await page.isVisible('#class-field'), false);
    assert.equal(await page.isVisible('#versus-field'), false);
  });

  it('open from a file that is called a picture', async () => {
    await explained(page, () => drop(page, model(means(3), 'photo.jpg', 'image/jpeg')));
    assert.match(await page.textContent('#model-button'), /photo\.jpg|photo/);
  });

  it('are refused where no picture has their channels, with the way out', async () => {
    await drop(page, model(means(5)));
    assert.match(await noticeOf(page, 'argument'), /reads 5 channels.*pellucid explain INPUT\.npy/);
  });

  it('show no answer to a size that cannot be read', async () => {
    await explained(page, () => drop(page, model(means(3, 'height', 'width'), 'open.onnx')));
    await page.click('#model-button');
    const size = page.getByLabel('Input, height x width');
    await size.fill('100x');
    await page.getByText('This cannot be read. Give height x width in pixels, as 224x224.').waitFor();
    assert.equal(await page.locator('.trial-list li').count(), 0);
    await size.fill('64x64');
    await page.locator('.trial-list li').first().waitFor();
    await page.keyboard.press('Escape');
    assertQuiet(trouble);
  });
});
