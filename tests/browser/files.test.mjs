// The files around a model: weights in a file of their own, a configuration, labels; dropped together, in any order.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, coffee, drop, explained, fileOf } from './support.mjs';

const text = (name, content) => ({ name, type: '', bytes: Buffer.from(content) });

describe('files around a model', () => {
  let browser, page, trouble, model, data, wanted;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
    model = await fileOf('tests/fixtures/files/model.onnx', 'application/octet-stream');
    data = await fileOf('tests/fixtures/files/model.onnx.data', 'application/octet-stream');
    const whole = await fileOf('tests/fixtures/heads/sigmoid.onnx', 'application/octet-stream');
    wanted = (await explained(page, () => drop(page, whole))).hash;
  });
  after(() => browser?.close());

  it('opens weights that are dropped with their model, in any order', async () => {
    for (const files of [[model, data], [data, { ...model, name: 'renamed.onnx' }]]) {
      assert.equal((await explained(page, () => drop(page, ...files))).hash, wanted);
    }
    assertQuiet(trouble);
  });

  it('names the weights that are missing, and opens when they come', async () => {
    await drop(page, model);
    const notice = await page.waitForSelector('.notice[data-code="missing-data"]');
    assert.match(await notice.textContent(), /"model\.onnx\.data", which is missing/);
    assert.equal((await explained(page, () => drop(page, data))).hash, wanted);
    assert.equal(await page.$('.notice.error'), null, 'it is true no more');
    // What is told of a model goes when another is open, and a file's name is told as it is written.
    assert.deepEqual(await page.$$eval('.notice p', (all) => all.map((each) => each.textContent.split(' is open')[0])), ['The model model.onnx']);
  });

  it('takes labels and a configuration that are dropped with it', async () => {
    const labels = text('labels.txt', 'ant\nbee\ncow\ndog\nelk');
    const config = text('preprocessor_config.json', '{"size": 224, "image_mean": 0.5, "image_std": 0.5, "image_processor_type": "ViTImageProcessor"}');
    const { result, hash } = await explained(page, () => drop(page, config, data, labels, model));
    assert.notEqual(hash, wanted, 'the picture is prepared in another way');
    assert.ok((await answers(page)).every(({ label }) => /^(ant|bee|cow|dog|elk)$/.test(label)), result.target.label);
    await page.click('#model-button');
    const facts = await page.textContent('#model-dialog .facts');
    assert.match(facts, /\(RGB − 127\.5, 127\.5, 127\.5\) \/ 127\.5, 127\.5, 127\.5; squash, bilinear/);
    await page.keyboard.press('Escape');
  });

  it('shows a guess as one, and prepares pictures as it is told', async () => {
    await explained(page, () => drop(page, model, data));
    await page.click('#model-button');
    assert.match(await page.textContent('#model-dialog'), /Pictures \(a guess\).*is a guess/);
    await page.selectOption('#model-dialog select:has(option[value="keras-caffe"])', 'keras-caffe');
    const { hash } = await explained(page, () => page.click('#model-dialog button[type=submit]'));
    assert.notEqual(hash, wanted);
    await page.click('#model-button');
    assert.match(await page.textContent('#model-dialog .facts'), /\(BGR − 103\.94, 116\.78, 123\.68\) \/ 1, 1, 1; squash, nearest/);
    assertQuiet(trouble);
  });

  it('takes several from the button, and keeps what was chosen when labels come alone', async () => {
    await page.keyboard.press('Escape');
    await page.click('#model-button');
    const all = [data, model, text('config.json', JSON.stringify({ id2label: { 0: 'a', 1: 'b', 2: 'c', 3: 'd', 4: 'e' } }))];
    const given = all.map(({ name, bytes }) => ({ name, mimeType: '', buffer: bytes }));
    const opened = await explained(page, () => page.getByLabel('Choose a model').setInputFiles(given));
    assert.equal(opened.hash, wanted);
    assert.match((await answers(page))[0].label, /^[a-e]$/);
    await page.locator('#model-dialog').getByLabel('How pictures are prepared').selectOption('unit');
    const chosen = await explained(page, () => page.click('#model-dialog button[type=submit]'));
    assert.notEqual(chosen.hash, wanted);
    const { hash } = await explained(page, () => drop(page, text('labels.txt', 'ant\nbee\ncow\ndog\nelk')));
    assert.equal(hash, chosen.hash, 'the preset is still that one');
    assert.match((await answers(page))[0].label, /^(ant|bee|cow|dog|elk)$/);
    assertQuiet(trouble);
  });

  it('says how far it is: reading, understanding, preparing', async () => {
    await page.evaluate(() => {
      const told = new Set();
      new MutationObserver(() => told.add(document.querySelector('#model-name').textContent)).observe(document.querySelector('#model-name'), { childList: true, characterData: true, subtree: true });
      window.told = told;
    });
    await explained(page, () => drop(page, model, data));
    const told = await page.evaluate(() => [...window.told]);
    for (const step of [/^Reading the model/, /^Understanding the network/, /^Preparing the network/]) assert.ok(told.some((text) => step.test(text)), `${step} of ${told}`);
  });

  it('calls what is no classifier by its name', async () => {
    await drop(page, text('net.xml', '<?xml version="1.0"?><net name="x" version="11"><layers></layers></net>'), text('net.bin', 'weights'));
    const notice = page.locator('.notice[data-code="model"] p');
    await notice.waitFor();
    assert.match(await notice.textContent(), /OpenVINO model .* torch\.onnx\.export/);
  });
});
