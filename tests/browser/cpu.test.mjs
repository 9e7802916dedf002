// The whole path without a GPU: drop, classes, three methods, values, looks, files, and the same map twice.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, coffee, choose, difference, drop, eventually, explained, thumbnail } from './support.mjs';

describe('on the CPU', () => {
  let browser, page, trouble, first, plain, overlay;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu'));
    const picture = await coffee();
    first = await explained(page, () => drop(page, picture));
  });
  after(() => browser?.close());

  it('says what it sees, and shows Grad-CAM by itself', async () => {
    const seen = await answers(page);
    assert.equal(seen.length, 5);
    assert.equal(seen[0].label, 'espresso');
    assert.match(seen[0].share, /^9\d\.\d %$/);
    assert.equal(first.result.method, 'grad-cam');
    assert.equal(first.result.backend, 'cpu');
    assert.equal(first.result.target.label, 'espresso');
    assert.deepEqual(first.shape, [7, 7]);
    overlay = await thumbnail(page);
    await page.locator('#canvas').focus();
    await page.keyboard.down(' ');
    plain = await thumbnail(page);
    await page.keyboard.up(' ');
    assert.ok(difference(plain, overlay) > 8, 'the overlay changes the picture');
  });

  it('gives the same map for the same question, and another for another class', async () => {
    const other = await explained(page, () => page.click('.answer:nth-child(2)'));
    assert.equal(other.result.target.label, (await answers(page))[1].label);
    assert.notEqual(other.hash, first.hash);
    const again = await explained(page, () => page.click('.answer:nth-child(1)'));
    assert.equal(again.hash, first.hash);
  });

  it('finds any class by search', async () => {
    const found = await explained(page, async () => {
      await page.click('#class-field .picker-button');
      await page.keyboard.type('tiger c');
      await page.keyboard.press('Enter');
    });
    assert.equal(found.result.target.label, 'tiger cat');
    assert.equal((await answers(page)).length, 6);
    await explained(page, () => page.click('.answer:nth-child(1)'));
  });

  it('explains another layer, and the probability', async () => {
    const layer = await explained(page, async () => {
      await page.click('#layer-field .picker-button');
      await page.keyboard.type('14x14');
      await page.keyboard.press('Enter');
    });
    assert.deepEqual(layer.shape, [14, 14]);
    const probability = await explained(page, () => page.getByRole('radio', { name: 'Probability' }).check({ force: true }));
    assert.equal(probability.result.score, 'probability');
    assert.notEqual(probability.hash, layer.hash);
  });

  it('draws saliency for every channel', async () => {
    const saliency = await explained(page, () => choose(page, '#method-field', 'Saliency'));
    assert.deepEqual(saliency.shape, [3, 224, 224]);
    assert.ok(saliency.result.min < 0 && saliency.result.max > 0);
    const box = await page.locator('#canvas').boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.locator('#tip').waitFor();
    assert.match(await page.locator('#tip').textContent(), /^[+−]?[\d.e−]+ logit.*R .*G .*B .*column 113 of 224/s);
  });

  it('sharpens occlusion as it runs, and keeps what there is when stopped', async () => {
    const stopped = await explained(page, async () => {
      await choose(page, '#method-field', 'Occlusion');
      await page.waitForFunction(() => document.querySelector('#run-bar').value > 0);
      await page.click('#stop');
    });
    assert.equal(stopped.result.stopped, true);
    assert.match(await page.locator('#status-text').textContent(), /stopped after \d+ evaluations/);
    assert.ok(stopped.result.max > stopped.result.min, 'what was found is kept');
  });

  it('changes the look without asking the network again', async () => {
    const before = await thumbnail(page);
    await choose(page, '#display', 'Jet at 0.4');
    await eventually(async () => difference(before, await thumbnail(page)) > 8, 'other colours');
    assert.equal(await page.locator('#opacity').inputValue(), '40');
    await page.locator('#opacity').fill('0');
    await eventually(async () => difference(plain, await thumbnail(page)) < 4, 'no strength, no overlay');
  });

  it('saves the picture and the values', async () => {
    const save = async (name) => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
      return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
    };
    const png = await save('Save PNG');
    assert.equal(png.name, 'coffee-occlusion.png');
    assert.equal(png.bytes.subarray(1, 4).toString(), 'PNG');
    const npy = await save('Values');
    assert.equal(npy.bytes.length, 128 + 4 * 224 * 224);
    assert.match(npy.bytes.subarray(10, 128).toString('latin1'), /'descr': '<f4'.*'shape': \(224, 224, \)/);
    const written = Array.from({ length: 224 * 224 }, (_, i) => npy.bytes.readFloatLE(128 + 4 * i));
    const report = JSON.parse((await save('JSON')).bytes);
    assert.equal(report.method, 'occlusion');
    assert.ok(report.evaluations > 0 && report.elapsed_ms > 0);
    const sum = written.reduce((sum, value) => sum + value, 0);
    assert.ok(Math.abs(sum - report.sum) < 1e-3 * Math.max(1, Math.abs(report.sum)), `${sum} beside ${report.sum}`);
  });

  it('tells how long each part of the start took', async () => {
    const spans = await page.evaluate(() => performance.getEntriesByType('measure').map(({ name, duration }) => [name, duration]));
    const measured = new Map(spans);
    for (const name of ['download-engine', 'download-model', 'start-engine', 'load-model', 'first-run', 'first-classes', 'first-explanation']) {
      assert.ok(measured.get(`pellucid:${name}`) > 0, name);
    }
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});
