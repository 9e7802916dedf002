// Side by side: several classes of one run on one scale, each a click away from being the large picture.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, choose, coffee, difference, drop, eventually, explained, thumbnail } from './support.mjs';

const tiles = (page) =>
  page.$$eval('.tile', (all) =>
    all.map((tile) => ({
      title: tile.querySelector('.tile-title').textContent,
      note: tile.querySelector('.tile-note').textContent,
      pressed: tile.getAttribute('aria-pressed') === 'true',
    })),
  );

const ends = (page) => page.$$eval('#legend-ticks span', (all) => all.map((tick) => tick.textContent).join(' '));

describe('side by side', () => {
  let browser, page, trouble, alone;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu'));
    const picture = await coffee();
    alone = await explained(page, () => drop(page, picture));
  });
  after(() => browser?.close());

  it('shows the best classes of one run, each with its probability', async () => {
    const { result, hash } = await explained(page, () => page.getByRole('radio', { name: 'Classes' }).check({ force: true }));
    assert.equal(hash, alone.hash, 'the map is the same in company');
    assert.equal(result.evaluations, alone.result.evaluations, 'one run for all of them');
    const seen = await answers(page);
    const shown = await tiles(page);
    assert.deepEqual(shown.map(({ title, note }) => [title, note]), seen.slice(0, 4).map(({ label, share }) => [label, share]));
    assert.deepEqual(shown.map(({ pressed }) => pressed), [true, false, false, false]);
  });

  it('makes a tile the large picture, on the scale that all share, without another run', async () => {
    const [before, scale] = [await thumbnail(page), await ends(page)];
    const status = await page.locator('#status-text').textContent();
    const second = await explained(page, () => page.click('.tile:nth-child(2)'));
    assert.equal(second.result.target.label, (await answers(page))[1].label);
    assert.notEqual(second.hash, alone.hash);
    assert.equal(await page.locator('#status-text').textContent(), status, 'the same run');
    await eventually(async () => difference(before, await thumbnail(page)) > 2, 'another map');
    assert.equal(await ends(page), scale);
    assert.ok(await page.locator('.answer:nth-child(2) input').isChecked());
  });

  it('draws every tile', async () => {
    await eventually(async () => {
      const spread = await page.$$eval('.tile canvas', (all) =>
        all.map((canvas) => {
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return canvas.width > 100 ? Math.max(...data.slice(0, 4000)) - Math.min(...data.slice(0, 4000)) : 0;
        }),
      );
      return spread.length === 4 && spread.every((one) => one > 50);
    }, 'tiles with pictures');
  });

  it('takes other classes by tick and by search', async () => {
    await page.click('.compare-head .button');
    const fifth = await explained(page, () => page.locator('.tick').nth(4).click());
    assert.equal(fifth.result.target.label, (await answers(page))[1].label, 'the large picture stays');
    await page.keyboard.press('Escape');
    assert.equal((await tiles(page)).length, 5);
    await explained(page, async () => {
      await page.click('#class-field .picker-button');
      await page.keyboard.type('tiger c');
      await page.keyboard.press('Enter');
    });
    const six = await tiles(page);
    assert.deepEqual([six.length, six.at(-1).title, six.at(-1).pressed], [6, 'tiger cat', true]);
  });

  it('takes the class that another was held against', async () => {
    await choose(page, '#method-field', 'Saliency');
    const rather = (await answers(page))[2].label;
    await explained(page, () => choose(page, '#versus-field', rather), { method: 'saliency' });
    const { result } = await explained(page, () => page.click('.answer:nth-child(3)'), { method: 'saliency' });
    assert.equal(result.target.label, rather);
    assert.ok(!result.versus, 'a class is not held against itself');
    assertQuiet(trouble);
    await explained(page, async () => {
      await page.click('#class-field .picker-button');
      await page.keyboard.type('tiger c');
      await page.keyboard.press('Enter');
    });
  });

  it('works for a method that hides parts, while it runs', async () => {
    await choose(page, '#method-field', 'Occlusion');
    await page.waitForFunction(() => document.querySelector('#run-bar').value > 0);
    const { result } = await explained(page, () => page.click('#stop'));
    assert.ok(result.stopped && result.target.label === 'tiger cat');
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});
