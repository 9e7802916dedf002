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
    ({ page, trouble } = await open(browser, '?backend=gpu'));
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

  it('goes on after the GPU was lost, and says so', async () => {
    const session = await browser.newBrowserCDPSession();
    await session.send('Browser.crashGpuProcess');
    await page.waitForTimeout(1500);
    await explained(page, () => page.click('.answer:nth-child(2)'));
    const again = await explained(page, () => page.click('.answer:nth-child(1)'));
    assert.ok(cosine(again.values, first.values) > 0.9999);
    await page.locator('.notice', { hasText: /The GPU (was lost|failed)/ }).first().waitFor();
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
