// What a reader turns to see more: methods side by side, a slider over the layers, a locked scale, guided maps as
// pictures, contrast, and files of their own.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { assertQuiet, choose, coffee, cosine, difference, drop, eventually, explained, fileOf, thumbnail } from './support.mjs';

const tap = (page, selector) => page.$eval(selector, (element) => element.click());
const text = (page, selector) => page.locator(selector).textContent();
const chosen = (page) => page.locator('#layer-field .picker-button').textContent();

describe('explore', () => {
  let browser, page, trouble;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
  });
  after(() => browser?.close());

  it('groups the methods by what they answer, each with a sentence and its paper', async () => {
    await page.click('#method-field .picker-button');
    const groups = await page.$$eval('#method-field .group-label', (all) => all.map((one) => one.textContent));
    assert.deepEqual(groups, ['Where does the network look?', 'Which pixels matter?', 'What if a part were hidden?']);
    const sentences = await page.$$eval('#method-field .option-detail', (all) => all.map((one) => one.textContent));
    assert.ok(sentences.length >= 20 && sentences.every((one) => /^[A-Z].{20,}\.$/.test(one)), sentences.find((one) => !/^[A-Z].{20,}\.$/.test(one)));
    assert.match(sentences.find((one) => one.includes('Adebayo')), /fails the sanity check .* random weights/);
    await page.keyboard.press('Escape');
    assert.match(await page.locator('#method-sentence a').getAttribute('href'), /^https:/);
  });

  it('answers a lone change at once, and of several in a row the last', async () => {
    const other = await open(browser, '?backend=cpu&workers=1');
    const picture = await coffee();
    await explained(other.page, () => drop(other.page, picture));
    const heard = await other.page.evaluateHandle(() => {
      const methods = [];
      document.addEventListener('pellucid-result', ({ detail }) => methods.push(detail.result.method));
      return methods;
    });
    const methods = () => heard.evaluate((all) => all.join());
    // From here on the page's time stands still unless it is told to go on; its worker's does not.
    await other.page.clock.install();
    await other.page.clock.pauseAt(Date.now() + 60_000);
    const change = async (method, rest) => {
      await choose(other.page, '#method-field', method);
      await other.page.clock.runFor(rest);
    };
    await change('Saliency', 1);
    await eventually(async () => (await methods()) === 'saliency', 'a lone change is answered');
    await change('Input x gradient', 100);
    await change('Guided backpropagation', 100);
    await other.page.waitForTimeout(500);
    assert.equal(await methods(), 'saliency', 'changes that follow one another rest first');
    await other.page.clock.runFor(40);
    await eventually(async () => (await methods()) === 'saliency,guided-backprop', 'the last of several');
    await other.context.close();
  });

  it('has every layer’s map ready once a hand is on the slider, the same as a run at that layer', async () => {
    const slider = page.locator('#layer-slider');
    await slider.focus();
    const swept = await explained(page, () => slider.fill('40'));
    const name = swept.result.layer;
    assert.match(await chosen(page), new RegExp(name));
    // Layers come in groups: once both ends are there, all are.
    for (const end of ['2', '88']) await explained(page, () => slider.fill(end));
    for (const position of ['10', '30', '60']) {
      const started = Date.now();
      const { result, shape } = await explained(page, () => slider.fill(position));
      assert.ok(shape[0] > 1 && result.evaluations === 1);
      assert.ok(Date.now() - started < 2500, 'a layer is drawn at once');
    }
    const other = await open(browser, '?backend=cpu&workers=1');
    const picture = await coffee();
    await explained(other.page, () => drop(other.page, picture));
    const alone = await explained(other.page, async () => {
      await other.page.click('#layer-field .picker-button');
      await other.page.keyboard.type(name);
      await other.page.keyboard.press('Enter');
    });
    assert.equal(alone.result.layer, name);
    assert.ok(cosine(alone.values, swept.values) > 0.99999);
    await other.context.close();
  });

  it('shows where a slider stops, whatever it passed on its way', async () => {
    const shown = await page.$eval('#layer-slider', async (slider) => {
      for (let at = 20; at <= 70; at += 5) {
        slider.value = at;
        slider.dispatchEvent(new Event('input'));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return slider.getAttribute('aria-valuetext').split(' · ')[1];
    });
    await eventually(async () => (await page.locator('#facts').textContent()).includes(shown), 'the last layer');
    await page.click('#layer-field .picker-button');
    await page.keyboard.type('head/conv/relu6');
    await explained(page, () => page.keyboard.press('Enter'));
  });

  it('runs several methods one after another, and opens one at a click without running it again', async () => {
    await tap(page, '.compare-head [value=methods]');
    const ready = () => page.$$eval('.tile:not(:disabled)', (all) => all.map((tile) => tile.title));
    await eventually(async () => (await ready()).length === 2, 'two methods', 60_000);
    await page.locator('.compare-head button', { hasText: 'Stop' }).click();
    const done = (await ready()).length;
    await page.waitForTimeout(800);
    assert.equal((await ready()).length, done, 'nothing goes on');
    assert.match(await page.locator('.tile:disabled .tile-note').first().textContent(), /stopped/);
    const open = async (title) => (await explained(page, () => tap(page, `.tile[title=${title}]`))).result;
    const saliency = await open('Saliency');
    assert.equal(saliency.method, 'saliency');
    await open('Grad-CAM');
    assert.equal((await open('Saliency')).elapsed_ms, saliency.elapsed_ms, 'the same run');
    assert.equal(await page.locator('.tile[aria-pressed=true]').getAttribute('title'), 'Saliency');
    await tap(page, '.compare-head .button:not([hidden]):has(.icon)');
    const label = page.locator('.tick', { hasText: 'Occlusion' });
    await label.locator('input').uncheck();
    await page.locator('.tick', { hasText: 'Layer-CAM' }).locator('input').check();
    await page.keyboard.press('Escape');
    await eventually(async () => (await ready()).join() === 'Grad-CAM,Layer-CAM,Saliency,Integrated gradients', 'the ticked ones', 60_000);
    await tap(page, '.compare-head input:not([value=classes], [value=methods])');
  });

  it('locks the scale across methods, and says whose it is and what lies beyond', async () => {
    const ends = () => page.$$eval('#legend-ticks span', (all) => all.map((tick) => tick.textContent).join());
    const own = await ends();
    await tap(page, '#lock');
    assert.equal(await ends(), own);
    await explained(page, () => choose(page, '#method-field', 'Input x gradient'));
    await eventually(async () => /Scale locked: that of Saliency for “espresso”, where the unit is logit per unit of the normalised input/.test(await text(page, '#legend-note')), 'a note');
    assert.equal(await ends(), own, 'the same scale');
    await explained(page, () => page.click('.answer:nth-child(2)'));
    assert.equal(await ends(), own, 'for another class too');
    await tap(page, '#lock');
    await eventually(async () => (await ends()) !== own, 'its own scale again');
    assert.doesNotMatch(await text(page, '#legend-note'), /locked/);
    await explained(page, () => page.click('.answer:nth-child(1)'));
  });

  it('holds one class against another', async () => {
    const by = await explained(page, () => choose(page, '#method-field', 'Saliency'));
    const against = await explained(page, async () => {
      await page.click('#versus-field .picker-button');
      await page.keyboard.type('cup');
      await page.keyboard.press('Enter');
    });
    assert.equal(against.result.versus.label, 'cup');
    assert.notEqual(against.hash, by.hash);
    assert.equal(await text(page, '#why-heading'), 'Why “espresso” rather than “cup”?');
    assert.match(await text(page, '#facts'), /Rather thancup/);
    await choose(page, '#method-field', 'RISE');
    assert.ok(await page.locator('#versus-field').isHidden(), 'not for methods that hide parts');
    await explained(page, () => choose(page, '#method-field', 'Saliency'));
    await explained(page, () => choose(page, '#versus-field', 'No other: the class by itself'));
  });

  it('shows a guided map as a picture in colour', async () => {
    await explained(page, () => choose(page, '#method-field', 'Guided backpropagation'));
    const before = await thumbnail(page, 48);
    await choose(page, '#display', 'A picture in colour');
    await eventually(async () => difference(before, await thumbnail(page, 48)) > 8, 'another look');
    const pixels = await thumbnail(page, 224);
    const values = pixels.flat().map((value) => value / 255);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    assert.ok(Math.abs(mean - 0.5) < 0.05 && deviation > 0.05 && deviation < 0.3, `${mean} ± ${deviation}`);
    assert.ok(pixels.some(([r, g, b]) => Math.max(r, g, b) - Math.min(r, g, b) > 60), 'in colour');
    assert.ok(await page.getByText('Show what counts').isHidden());
  });

  it('starts integrated gradients from an image of the reader’s', async () => {
    await choose(page, '#method-field', 'Integrated gradients');
    if (!(await page.locator('#settings[open]').count())) await page.click('#settings summary');
    await explained(page, () => page.locator('#parameters').getByLabel('Steps').fill('3'));
    await page.locator('#parameters').getByLabel('Baseline').selectOption('image');
    const give = ({ name, type, bytes }) => explained(page, () => page.locator('#parameters input[type=file]').setInputFiles({ name, mimeType: type, buffer: bytes }));
    const own = await give(await fileOf('www/samples/cat.jpg'));
    assert.equal(own.result.parameters.baseline, 'image');
    assert.match(await text(page, '#parameters'), /cat\.jpg/);
    const itself = await give(await coffee());
    assert.equal(itself.result.max - itself.result.min, 0);
    assert.match(await text(page, '#map-message'), /^Every value is zero/);
    await page.getByRole('button', { name: 'Back to the defaults' }).click();
    assert.doesNotMatch(await text(page, '#parameters'), /coffee\.jpg/);
  });

  it('takes a background of the reader’s, and a layer, for expected gradients', async () => {
    await choose(page, '#method-field', 'Expected gradients (SHAP)');
    const shipped = await explained(page, () => page.locator('#parameters').getByLabel('Samples').fill('4'));
    const files = await Promise.all(['cat', 'rocket'].map((name) => fileOf(`www/samples/${name}.jpg`)));
    const input = page.locator('#parameters input[type=file]');
    const own = await explained(page, () => input.setInputFiles(files.map(({ name, type, bytes }) => ({ name, mimeType: type, buffer: bytes }))));
    assert.equal(own.result.evaluations, shipped.result.evaluations - 10, 'two pictures instead of twelve');
    assert.match(await text(page, '#parameters'), /2 pictures/);
    const inner = await explained(page, () => choose(page, '#layer-field', 'head/conv/relu6'));
    assert.deepEqual([inner.shape, inner.result.layer], [[7, 7], 'head/conv/relu6']);
    const within = await explained(page, () => choose(page, '#layer-field', 'block7/depthwise'));
    assert.deepEqual(within.shape, [14, 14], 'inside a residual block too');
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});
