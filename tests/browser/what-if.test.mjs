// Hiding parts of the picture by hand, LIME's own way to show its segments, and progress that says how sure it is.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, choose, coffee, difference, drop, eventually, explained, set, thumbnail } from './support.mjs';

const LIME = { Segments: 'grid', 'Number of segments': 9, Samples: 40 };

describe('segments', () => {
  let browser, page, trouble, lime;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
    lime = await explained(page, async () => {
      await choose(page, '#method-field', 'LIME');
      await set(page, LIME);
    });
  });
  after(() => browser?.close());

  const text = () => page.locator('#what-if [role="status"]').textContent();
  const shares = async () => (await answers(page)).map(({ share }) => share);
  const click = async (x, y) => {
    const box = await page.locator('#parts').boundingBox();
    await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
  };

  it('can be hidden by a click, and the answers move', async () => {
    const before = await shares();
    await page.click('#what-if >> text=Hide parts yourself');
    await page.locator('#parts').waitFor();
    assert.equal(await text(), 'Click a segment to hide it; there are 9');
    await click(0.5, 0.5);
    await eventually(async () => (await shares()).every((share) => share.includes('→')), 'the answers move');
    assert.match(await text(), /^1 of 9 segments hidden/);
    const one = await shares();
    assert.ok(one.every((share, i) => share.startsWith(before[i])), `${one} after ${before}`);
    await click(0.5, 0.5);
    await eventually(async () => (await shares()).join() === before.join(), 'all is shown again');
  });

  it('give the scores of the picture that is left', async () => {
    for (const [x, y] of [[0.1, 0.1], [0.9, 0.1], [0.5, 0.5]]) {
      const before = (await shares()).join();
      await click(x, y);
      await eventually(async () => (await shares()).join() !== before, 'the answers move');
    }
    assert.match(await text(), /^3 of 9 segments hidden/);
    const three = await shares();
    await click(0.9, 0.9);
    await click(0.9, 0.9);
    await eventually(async () => /^3 of 9/.test(await text()) && (await shares()).join() === three.join(), 'the latest click wins');
    await page.click('#what-if >> text=Reset');
    await eventually(async () => /^Click a segment/.test(await text()), 'all is shown again');
  });

  it('can be reached by keyboard', async () => {
    await page.locator('#parts').focus();
    for (const key of ['ArrowRight', 'ArrowRight', ' ']) await page.keyboard.press(key);
    assert.match(await text(), /^1 of 9 segments hidden/);
    assert.equal(await page.locator('#parts').getAttribute('aria-label'), 'Segment 2 of 9, hidden');
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('#parts').isVisible(), false);
    assert.ok((await shares()).every((share) => !share.includes('→')), 'the answers are those of the whole picture');
  });

  it('are shown as LIME shows them', async () => {
    const before = await thumbnail(page);
    await choose(page, '#display', 'The segments themselves');
    await eventually(async () => difference(before, await thumbnail(page)) > 4, 'the segments themselves');
    assert.equal(await page.locator('#legend').isVisible(), false);
    const all = await thumbnail(page);
    await page.click('label[for="features-rest"]');
    await eventually(async () => difference(all, await thumbnail(page)) > 15, 'the rest is hidden');
    const five = await thumbnail(page);
    await page.fill('#features-count', '1');
    await eventually(async () => difference(five, await thumbnail(page)) > 10, 'one segment');
    const black = (pixels) => pixels.filter((pixel) => pixel.every((value) => value === 0)).length;
    assert.ok(black(await thumbnail(page)) >= 100, 'eight of nine are black');
    assert.equal(lime.result.weights.length, 9);
    assert.match(await page.locator('#facts').textContent(), /Weights sum to/);
    await choose(page, '#display', 'Blue to red');
    await page.locator('#legend').waitFor();
  });

  it('let a run go on after it was interrupted', async () => {
    const interrupt = async () => {
      await set(page, { Samples: 41 });
      await page.waitForFunction(() => /[1-9]\d* of 41 evaluations/.test(document.querySelector('#status-text').textContent));
      await page.click('#what-if >> text=Hide parts yourself');
      await page.locator('#parts').waitFor();
      await page.click('#what-if >> text=Done');
      await page.locator('#parts').waitFor({ state: 'hidden' });
    };
    // What was there when it was interrupted may be told before.
    await explained(page, interrupt, { method: 'lime', evaluations: 41 });
    await eventually(async () => (await page.locator('#status-text').textContent()).includes('on the CPU'), 'the run ends');
  });

  it('of SHAP lie over a faint picture, blue and red', async () => {
    const { result } = await explained(page, async () => {
      await choose(page, '#method-field', 'SHAP (Partition)');
      await set(page, { Evaluations: 60 });
    }, { method: 'shap-partition' });
    assert.equal(result.evaluations, 60);
    assert.match(await page.locator('#display').textContent(), /SHAP’s blue and red/);
    await eventually(async () => {
      const pixels = await thumbnail(page);
      const faint = pixels.filter((pixel) => Math.min(...pixel) > 205).length;
      const vivid = pixels.filter((pixel) => Math.max(...pixel) - Math.min(...pixel) > 40).length;
      return faint > 30 && vivid > 3;
    }, 'a faint picture under what counts');
    assert.equal(await page.locator('#what-if').isVisible(), false, 'it has no segments to hide');
    await choose(page, '#method-field', 'LIME');
  });

  it('say how sure a method is while it runs, and stop where it is sure enough', async () => {
    const seen = [];
    await page.exposeFunction('tellProgress', (progress) => void seen.push(progress));
    await page.evaluate(() => document.addEventListener('pellucid-progress', ({ detail }) => window.tellProgress(detail)));
    const { result } = await explained(page, () => set(page, { ...LIME, Samples: 1000, Tolerance: 0.2 }), { method: 'lime' });
    const first = seen.find(({ spread }) => spread !== undefined);
    assert.ok(first.done <= 64, `the first picture after ${first.done} evaluations`);
    assert.ok(first.spread > 0);
    assert.ok(result.evaluations < 1000 && Math.max(...result.standard_errors) < 0.2);
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});
