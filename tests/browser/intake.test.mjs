// What comes in, and in which order: files too large to be read, pictures that overtake each other, text that is pasted.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { MOST_WORKERS, usualWorkers } from '../../www/api/workers.js';
import { workersFrom as workersAsked } from '../../www/page/engine.js';
import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, coffee, difference, dismissAll, drop, eventually, explained, fileOf, noticeOf, thumbnail } from './support.mjs';

describe('what comes in', () => {
  let browser, page, trouble;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
  });
  after(() => browser?.close());

  /** Drops a file of two gigabytes, which takes no memory until somebody reads it. */
  const dropHuge = (name) =>
    page.evaluate((name) => {
      const part = new Blob([new Uint8Array(1 << 24)]);
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(Array(128).fill(part), name));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, name);

  for (const [name, says] of Object.entries({ 'huge.jpg': /2,?147,?483,?648/, 'huge.onnx': /MiB is 2,?048.*8 bits \(quantize_dynamic/ })) {
    it(`refuses ${name} by its size, unread`, async () => {
      await dismissAll(page);
      const start = Date.now();
      await dropHuge(name);
      assert.match(await noticeOf(page, 'limit'), says);
      assert.ok(Date.now() - start < 5000, 'at once');
      assert.equal((await answers(page))[0].label, 'espresso');
    });
  }

  it('draws no map of the picture before', async () => {
    const picture = await fileOf('www/samples/cat.jpg');
    await explained(page, () => drop(page, picture));
    const render = (id) =>
      page.workers()[0].evaluate(
        (id) =>
          new Promise((resolve) => {
            const post = self.postMessage;
            self.postMessage = (message, ...rest) => {
              if (message.id !== 'test') return post.call(self, message, ...rest);
              self.postMessage = post;
              resolve(message.error?.code ?? 'drawn');
            };
            self.onmessage({ data: { id: 'test', op: 'render', args: { id, k: 0, display: {} } } });
          }),
        id,
      );
    // Runs are numbered from 1.
    assert.equal(await render(2), 'drawn');
    assert.equal(await render(1), 'argument');
  });

  it('stays with a good picture when a broken one comes at its heels', async () => {
    await dismissAll(page);
    const shown = await thumbnail(page);
    const good = await fileOf('www/samples/rocket.jpg');
    const { result } = await explained(page, async () => {
      await page.evaluate((base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        for (const file of [new File([bytes], 'rocket.jpg', { type: 'image/jpeg' }), new File(['no picture'], 'broken.jpg')]) {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(file);
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
        }
      }, good.bytes.toString('base64'));
    });
    assert.match(await noticeOf(page, 'image'), /./);
    const [best] = await answers(page);
    assert.equal(result.target.label, best.label);
    assert.match(best.label, /missile|projectile|rocket/i);
    await eventually(async () => difference(shown, await thumbnail(page)) > 8, 'the good picture is shown');
    assert.match(await page.locator('#canvas').getAttribute('aria-label'), /rocket\.jpg/);
  });

  it('takes text that is pasted for nothing', async () => {
    await dismissAll(page);
    await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', 'some words');
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    });
    await page.waitForTimeout(200);
    assert.equal(await page.locator('.notice').count(), 0);
  });

  it('starts one to eight workers, whatever the address says', async () => {
    const of = (asked) => workersAsked(asked) ?? usualWorkers(16);
    assert.deepEqual([null, '', 'many', 'NaN', '-3', '0', '1', '2.9', '8', '9', '1e9', 'Infinity', '-Infinity'].map(of), [4, 4, 4, 4, 1, 1, 1, 2, 8, 8, 8, 8, 1]);
    assert.deepEqual([usualWorkers(2), usualWorkers(undefined), workersAsked('1e9')], [2, 1, MOST_WORKERS]);
    const { page: other, context, trouble: quiet } = await open(browser, '?backend=cpu&workers=-1e9');
    const picture = await coffee();
    await explained(other, () => drop(other, picture));
    assert.equal(other.workers().length, 1);
    assertQuiet(quiet);
    await context.close();
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});
