// Models that are kept on the device: only when that is asked for, with their choices, until they are forgotten.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, coffee, drop, explained, fileOf, noticeOf } from './support.mjs';

const ADDRESS = '?backend=cpu&workers=1';
const databases = (page) => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name.startsWith('pellucid-models')));
const remember = (page) => page.getByLabel('Remember on this device');

describe('models that are kept', () => {
  let browser, context, page, trouble, picture, wanted;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, context, trouble } = await open(browser, ADDRESS));
    picture = await coffee();
    await explained(page, () => drop(page, picture));
  });
  after(() => browser?.close());

  it('are none where nobody asks', async () => {
    const [model, data] = await Promise.all(['model.onnx', 'model.onnx.data'].map((name) => fileOf(`tests/fixtures/files/${name}`, 'application/octet-stream')));
    const labels = { name: 'labels.txt', type: '', bytes: Buffer.from('ant\nbee\ncow\ndog\nelk') };
    await page.click('#model-button');
    assert.equal(await remember(page).isVisible(), false, 'the shipped model is kept with the page');
    await page.keyboard.press('Escape');
    await explained(page, () => drop(page, model, data, labels));
    assert.deepEqual(await databases(page), []);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
  });

  it('come back with their files and choices', async () => {
    await page.click('#model-button');
    await page.locator('#model-dialog').getByLabel('How pictures are prepared').selectOption('keras-tf');
    await explained(page, () => page.click('#model-dialog button[type=submit]'));
    await page.click('#model-button');
    await remember(page).check();
    await page.locator('.kept-list li').waitFor();
    assert.equal((await databases(page)).length, 1);
    // Choices that follow are kept too.
    await page.locator('#model-dialog').getByLabel('Order of the colours').selectOption('bgr');
    wanted = await explained(page, () => page.click('#model-dialog button[type=submit]'));
    await page.click('#model-button');
    await page.waitForFunction(() => !document.querySelector('#remember').disabled);
    assert.equal(await remember(page).isChecked(), true);
    await page.close();

    page = await context.newPage();
    await page.goto(new URL(ADDRESS, process.env.PELLUCID_URL ?? 'http://127.0.0.1:8080/').href);
    const offer = page.locator('#kept-models button');
    assert.match(await offer.innerText(), /model[\s\S]*kB/);
    await offer.click();
    await page.locator('#kept-models', { hasText: 'open' }).waitFor();
    const { hash } = await explained(page, () => drop(page, picture));
    assert.equal(hash, wanted.hash);
    assert.ok((await answers(page)).every(({ label }) => /^(ant|bee|cow|dog|elk)$/.test(label)));
  });

  it('are forgotten without a trace', async () => {
    await page.click('#model-button');
    assert.equal(await remember(page).isChecked(), true);
    await page.locator('.kept-list').getByRole('button', { name: /^Forget/ }).click();
    await page.locator('.kept-list li').waitFor({ state: 'detached' });
    assert.equal(await remember(page).isChecked(), false);
    await page.waitForFunction(async () => !(await indexedDB.databases()).some(({ name }) => name.startsWith('pellucid-models')));
  });

  it('say where there is no room, and where nothing may be stored', async () => {
    await page.evaluate(() => (navigator.storage.estimate = async () => ({ quota: 2000, usage: 1000 })));
    await remember(page).click();
    assert.match(await noticeOf(page, 'storage'), /has room for 1 kB.*Forget another/);
    assert.equal(await remember(page).isChecked(), false);
    await page.evaluate(() => {
      delete navigator.storage.estimate;
      document.querySelectorAll('.notice').forEach((one) => one.remove());
      const put = IDBObjectStore.prototype.put;
      window.mend = () => (IDBObjectStore.prototype.put = put);
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
    });
    await remember(page).click();
    assert.match(await noticeOf(page, 'storage'), /more than this browser has room for/);
    await page.waitForFunction(async () => !(await indexedDB.databases()).some(({ name }) => name.startsWith('pellucid-models')));
    await page.evaluate(() => {
      window.mend();
      document.querySelectorAll('.notice').forEach((one) => one.remove());
      IDBFactory.prototype.open = () => {
        throw new DOMException('no', 'SecurityError');
      };
    });
    await remember(page).click();
    assert.match(await noticeOf(page, 'storage'), /forbids this page to store anything/);
    assert.equal(await remember(page).isChecked(), false);
    assertQuiet(trouble);
  });
});
