// Engines that trap: the page goes back to what is known to work, says so once, and answers what is dropped next.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, coffee, dismissAll, drop, eventually, explained, fileOf, model, noticeOf } from './support.mjs';

/** A worker that traps as soon as it is asked for `op`. */
const trapOn = (worker, op) =>
  worker.evaluate((op) => {
    const wrap = () => {
      if (!self.onmessage) return setTimeout(wrap);
      const hear = self.onmessage;
      self.onmessage = (event) => {
        if (event.data.op !== op) return hear(event);
        setTimeout(() => {
          throw new WebAssembly.RuntimeError('unreachable');
        });
      };
    };
    wrap();
  }, op);

const trapNow = (worker) =>
  worker.evaluate(() => void setTimeout(() => {
    throw new WebAssembly.RuntimeError('unreachable');
  }));

/** The next workers that the page starts fail at once, `window.failing` of them. */
const failStarts = () => {
  window.failing = 0;
  window.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      if (window.failing-- > 0) setTimeout(() => this.dispatchEvent(new ErrorEvent('error', { message: 'unreachable' })));
    }
  };
};

const notices = (page) => page.$$eval('.notice p', (all) => all.map((one) => one.textContent));

describe('an engine that traps', () => {
  let browser, picture, other, file;

  before(async () => {
    browser = await launch({ webgpu: false });
    picture = await coffee();
    other = await fileOf('www/samples/cat.jpg');
    file = { ...(await model()), name: 'trap.onnx' };
  });
  after(() => browser?.close());

  async function start() {
    const context = await browser.newContext();
    await context.addInitScript(failStarts);
    return open({ newContext: () => context }, '?backend=cpu&workers=1');
  }

  /** Another picture is explained, so engine and page are well. */
  async function assertWell(page) {
    const { result } = await explained(page, () => drop(page, other));
    assert.match(result.target.label, /^(tiger|Egyptian) cat$/);
    assert.equal(page.workers().length, 1);
  }

  it('on a model goes back to the last one that gave an answer, and asks it again', async () => {
    const { page, context, trouble } = await start();
    const first = await explained(page, () => drop(page, picture));
    page.once('worker', (worker) => trapOn(worker, 'classify'));
    const again = await explained(page, () => drop(page, file));
    assert.equal(again.hash, first.hash, 'the same picture by the same model');
    assert.deepEqual(await notices(page), ['The engine failed on trap, so EfficientNet-Lite0 (int8) is open again.']);
    assert.match(await page.locator('#model-name').textContent(), /^EfficientNet/);
    assert.equal((await answers(page))[0].label, 'espresso');
    await assertWell(page);
    assertQuiet(trouble);
    await context.close();
  });

  it('while a model is opened leaves the one in use alone', async () => {
    const { page, context } = await start();
    await explained(page, () => drop(page, picture));
    await page.evaluate(() => (window.failing = 1));
    await drop(page, file);
    assert.match(await noticeOf(page, 'model'), /failed on trap.*The model in use stays open/);
    assert.equal(await page.locator('.notice').count(), 1);
    assert.match(await page.locator('#model-name').textContent(), /^EfficientNet/);
    await assertWell(page);
    await context.close();
  });

  it('on a picture forgets that picture', async () => {
    const { page, context } = await start();
    await explained(page, () => drop(page, picture));
    await trapOn(page.workers()[0], 'classify');
    await drop(page, other);
    assert.match(await noticeOf(page, 'crashed'), /failed on this picture/);
    assert.deepEqual((await notices(page)).length, 1);
    assert.ok(await page.locator('#welcome').isVisible());
    await assertWell(page);
    await context.close();
  });

  it('again while it is started again gives one message', async () => {
    const { page, context } = await start();
    const first = await explained(page, () => drop(page, picture));
    await page.evaluate(() => (window.failing = 2));
    await trapNow(page.workers()[0]);
    assert.match(await noticeOf(page, 'crashed'), /Your picture and settings are still here/);
    assert.deepEqual((await notices(page)).length, 1);
    const again = await explained(page, () => page.click('#again'));
    assert.equal(again.hash, first.hash);
    await context.close();
  });

  it('more often than is any use says so, and says so at each drop', async () => {
    const { page, context } = await start();
    await explained(page, () => drop(page, picture));
    await page.evaluate(() => (window.failing = 1000));
    await trapNow(page.workers()[0]);
    assert.match(await noticeOf(page, 'crashed'), /Reload the page/);
    for (const dropped of [other, picture]) {
      assert.deepEqual((await notices(page)).length, 1);
      await dismissAll(page);
      await drop(page, dropped);
      assert.match(await noticeOf(page, 'crashed'), /Reload the page/);
    }
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Reload' }).click()]);
    await assertWell(page);
    await context.close();
  });

  it('however often a reader asks for it is there again', async () => {
    const { page, context } = await start();
    await explained(page, () => drop(page, picture));
    for (let i = 0; i < 5; i++) {
      await dismissAll(page);
      await explained(page, () => page.click(`.answer:nth-child(${2 - (i % 2)})`));
      await trapNow(page.workers()[0]);
      assert.match(await noticeOf(page, 'crashed'), /started again/);
    }
    await assertWell(page);
    await context.close();
  });

  it('that never started says why at each drop', async () => {
    const context = await browser.newContext();
    await context.route('**/*.wasm', (route) => route.fulfill({ status: 404, body: 'none' }));
    const { page } = await open({ newContext: () => context });
    assert.match(await noticeOf(page, 'network'), /ellucid_bg\.wasm is missing/);
    for (const dropped of [picture, other]) {
      await dismissAll(page);
      await drop(page, dropped);
      assert.match(await noticeOf(page, 'network'), /ellucid_bg\.wasm is missing/);
      assert.ok(await page.locator('#welcome').isVisible());
    }
    await eventually(() => page.workers().length === 0, 'no worker is left behind');
    await context.close();
  });
});
