// Several workers without shared memory: the same maps to the bit, also when one of them dies.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { assertQuiet, choose, coffee, drop, eventually, explained, model, set } from './support.mjs';

const LIME = { Segments: 'grid', 'Number of segments': 16, Samples: 90 };

describe('several workers', () => {
  let browser, picture;
  const alone = {};

  before(async () => {
    browser = await launch({ webgpu: false });
    picture = await coffee();
  });
  after(() => browser?.close());

  /** A page with the picture, and how to ask it. */
  async function start(workers) {
    const { page, trouble, context } = await open(browser, `?backend=cpu&workers=${workers}`);
    await explained(page, () => drop(page, picture));
    const ask = (method, settings) =>
      explained(page, async () => {
        await choose(page, '#method-field', method);
        await set(page, settings);
      });
    return { page, trouble, context, ask };
  }

  /** Counts what a helper brings back. */
  const count = (worker) =>
    worker.evaluate(() => {
      const post = MessagePort.prototype.postMessage;
      self.brought = 0;
      MessagePort.prototype.postMessage = function (message, ...rest) {
        self.brought += message?.outputs ? 1 : 0;
        return post.call(this, message, ...rest);
      };
    });

  it('have the processors to themselves: the page asks for no frames once a picture is open', async () => {
    const { page, context } = await open(browser, '?backend=cpu&workers=1');
    const frames = () =>
      page.evaluate(async () => {
        const request = window.requestAnimationFrame;
        let count = 0;
        window.requestAnimationFrame = (draw) => (count++, request(draw));
        await new Promise((resolve) => setTimeout(resolve, 500));
        window.requestAnimationFrame = request;
        return count;
      });
    assert.ok((await frames()) > 2, 'the lens drifts over the first view');
    await explained(page, () => drop(page, picture));
    await page.waitForTimeout(500);
    assert.equal(await frames(), 0);
    await context.close();
  });

  it('are not started where one is asked for', async () => {
    const { page, trouble, context, ask } = await start(1);
    alone.lime = await ask('LIME', LIME);
    alone.smooth = await ask('SmoothGrad', { Samples: 6 });
    assert.equal(page.workers().length, 1);
    assertQuiet(trouble);
    await context.close();
  });

  it('make the same map, with one engine each and nothing downloaded twice', async () => {
    const { page, trouble, context, ask } = await start(2);
    const downloads = [];
    // What the service worker keeps for the next visit is another matter.
    context.on('request', (request) => !request.serviceWorker() && downloads.push(new URL(request.url()).pathname));
    assert.equal(page.workers().length, 1, 'a helper is only started when there is work for it');
    await ask('SmoothGrad', { Samples: 6 });
    await eventually(() => page.workers().length === 2, 'a helper is started');
    await count(page.workers()[1]);
    const lime = await ask('LIME', LIME);
    assert.equal(lime.hash, alone.lime.hash);
    assert.deepEqual(lime.result.weights, alone.lime.result.weights);
    assert.equal((await ask('SmoothGrad', { Samples: 6 })).hash, alone.smooth.hash);
    assert.ok((await page.workers()[1].evaluate(() => self.brought)) > 5, 'the helper has worked');
    assert.deepEqual(downloads.filter((path) => /\.(wasm|onnx)$/.test(path)), []);
    assertQuiet(trouble);
    await context.close();
  });

  it('go on without one that dies, redo what it had, and start another', async () => {
    const { page, context, ask } = await start(3);
    await ask('SmoothGrad', { Samples: 4 });
    await eventually(() => page.workers().length === 3, 'two helpers are started');
    const lime = await explained(page, async () => {
      await choose(page, '#method-field', 'LIME');
      await set(page, LIME);
      await page.waitForFunction(() => document.querySelector('#run-bar').value > 0.2);
      await page.workers()[1].evaluate(() => void setTimeout(() => { throw new Error('a trap'); }));
    });
    assert.equal(lime.hash, alone.lime.hash);
    assert.equal(await page.locator('.notice.error').count(), 0);
    await ask('SmoothGrad', { Samples: 12 });
    await eventually(() => page.workers().length === 3, 'another is started in its place');
    await count(page.workers()[2]);
    assert.equal((await ask('LIME', LIME)).hash, alone.lime.hash);
    assert.ok((await page.workers()[2].evaluate(() => self.brought)) > 5, 'and it works');
    await context.close();
  });

  it('stop when they are told to, and hold another model when one is opened', async () => {
    const { page, context, ask } = await start(2);
    const stopped = await explained(page, async () => {
      await choose(page, '#method-field', 'RISE');
      await page.waitForFunction(() => document.querySelector('#run-bar').value > 0.05);
      await page.click('#stop');
    });
    assert.ok(stopped.result.stopped && stopped.result.evaluations < 900, `${stopped.result.evaluations}`);
    assert.equal(page.workers().length, 2);
    const again = await ask('LIME', LIME);
    assert.equal(again.hash, alone.lime.hash);
    const file = await model();
    const opened = await explained(page, () => drop(page, file));
    assert.equal(opened.hash, alone.lime.hash);
    await eventually(() => page.workers().length === 2, 'another helper holds the model that was opened');
    await context.close();
  });
});
