// The same on WebGPU, here a software adapter: same answer and map as the CPU's, also after the GPU was lost.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, coffee, cosine, drop, explained } from './support.mjs';

describe('on the GPU', () => {
  let browser, page, trouble, picture, first, seen;

  before(async () => {
    browser = await launch({ webgpu: true });
    picture = await coffee();
    // A software GPU is not asked for again when it is lost; so the page takes this one for another kind.
    const hardware = `Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false });\n`;
    ({ page, trouble } = await open(browser, '?backend=gpu', { before: hardware }));
    first = await explained(page, () => drop(page, picture));
    seen = await answers(page);
  });
  after(() => browser?.close());

  it('says what it sees and why, on the adapter that it names', async () => {
    assert.equal(first.result.backend, 'gpu');
    assert.ok(first.result.adapter.length > 0);
    assert.equal(await page.locator('#backend-name').textContent(), 'GPU');
    assert.equal(seen[0].label, 'espresso');
  });

  it('gives the same map for the same question', async () => {
    await explained(page, () => page.click('.answer:nth-child(2)'));
    const again = await explained(page, () => page.click('.answer:nth-child(1)'));
    assert.equal(again.hash, first.hash);
  });

  /** Ends the process that has the GPU, and asks for another class, then for the first one again. */
  async function lose() {
    const session = await browser.newBrowserCDPSession();
    await session.send('Browser.crashGpuProcess');
    await page.waitForTimeout(1500);
    await explained(page, () => page.click('.answer:nth-child(2)'));
    return explained(page, () => page.click('.answer:nth-child(1)'));
  }

  /** How often the worker asks for an adapter from now on. */
  const countRequests = () =>
    page.workers()[0].evaluate(() => {
      const ask = GPU.prototype.requestAdapter;
      self.requests = 0;
      GPU.prototype.requestAdapter = function (...args) {
        self.requests += 1;
        return ask.apply(this, args);
      };
    });
  const requests = () => page.workers()[0].evaluate(() => self.requests);

  it('asks for a GPU that was lost again, goes on with it, and says so', async () => {
    await countRequests();
    const again = await lose();
    assert.equal(again.result.backend, 'gpu', 'the CPU has taken over instead');
    assert.ok((await requests()) > 0);
    assert.ok(cosine(again.values, first.values) > 0.9999);
    await page.locator('.notice', { hasText: 'The GPU was lost' }).first().waitFor();
    assert.equal(await page.locator('#backend-name').textContent(), 'GPU');
  });

  it('asks for none the second time: the CPU takes over', async () => {
    const asked = await requests();
    const again = await lose();
    assert.equal(again.result.backend, 'cpu');
    assert.equal(await requests(), asked);
    assert.ok(cosine(again.values, first.values) > 0.999);
    await page.locator('.notice', { hasText: 'the CPU takes over' }).first().waitFor();
    assert.equal(await page.locator('#backend-name').textContent(), 'CPU');
  });

  it('agrees with the CPU, which auto chooses where the adapter is a software one', async () => {
    const { page: other, trouble: quiet } = await open(browser);
    const cpu = await explained(other, () => drop(other, picture));
    assert.equal(cpu.result.backend, 'cpu');
    assert.ok(cosine(cpu.values, first.values) > 0.999);
    const [mine, theirs] = [seen, await answers(other)];
    for (const [i, { label, share }] of mine.slice(0, 3).entries()) {
      assert.equal(label, theirs[i].label);
      assert.ok(Math.abs(parseFloat(share) - parseFloat(theirs[i].share)) < 1.5, `${share} ${theirs[i].share}`);
    }
    assertQuiet(quiet);
    await other.close();
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});
