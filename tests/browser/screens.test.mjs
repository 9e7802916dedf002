// The page as a picture, beside the pictures in screens/, and the pictures of README beside what they show. SCREENS=update
// draws them anew.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';

import { launch, open } from './chromium.mjs';
import { openHost } from './host.mjs';
import { BOUND, compare, compareWhole } from './screen.mjs';
import { difference, explained } from './support.mjs';

const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

describe('the page looks as it did', () => {
  let browser;
  let studio;

  before(async () => {
    browser = await launch({ webgpu: false });
    studio = await browser.newPage();
  });
  after(() => browser?.close());

  for (const [size, viewport] of Object.entries(SIZES)) {
    it(`on a ${size} screen, in the light and in the dark`, async () => {
      const works = [];
      for (const colorScheme of ['light', 'dark']) {
        const { page, context } = await open(browser, '?backend=cpu', { viewport, colorScheme });
        await page.locator('#welcome .sample').first().waitFor();
        await compare(studio, page, `welcome-${size}-${colorScheme}`);
        await explained(page, () => page.click('#welcome .sample:nth-child(2)'));
        await page.waitForTimeout(500);
        works.push(await compare(studio, page, `work-${size}-${colorScheme}`));
        await context.close();
      }
      assert.ok(difference(...works) > 2 * BOUND, 'the bound is so loose that light passes for dark');
    });
  }
});

/** An article of somebody's with the tag in it. */
const ARTICLE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>What the network looks at</title>
<style>body { max-width: 800px; margin: 24px auto; font: 16px/1.5 system-ui, sans-serif } h1 { font-size: 24px }</style>
<h1>What the network looks at</h1>
<p>The network is sure of its answer. What in the picture made it so? Choose another class, or another method.</p>
<pellucid-explainer src="www/samples/coffee.jpg" alt="A cup of coffee" backend="cpu" method="occlusion" parameters="window=48 stride=24" target="espresso"></pellucid-explainer>
<p>The map is computed in this page.</p>
<script type="module" src="www/tag/pellucid-explainer.js"></script>`;

describe('README shows what there is', () => {
  let browser;
  let studio;

  before(async () => {
    browser = await launch({ webgpu: false });
    studio = await browser.newPage();
  });
  after(() => browser?.close());

  it('of the page', async () => {
    const { page, context } = await open(browser, '?backend=cpu', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
    await explained(page, () => page.click('#welcome .sample[title*="cat" i]'));
    await page.waitForTimeout(500);
    await compareWhole(studio, page, 'docs/screenshot.jpg');
    await context.close();
  });

  it('of the tag', async () => {
    const { page, context } = await openHost(browser, ARTICLE, { context: { viewport: { width: 900, height: 720 }, colorScheme: 'light' } });
    await page.waitForFunction(() => document.querySelector('pellucid-explainer').explanations?.length, null, { timeout: 60_000 });
    await page.waitForTimeout(500);
    await compareWhole(studio, page, 'docs/tag.jpg');
    await context.close();
  });

  it('of the page as one file', async () => {
    const file = pathToFileURL(process.env.PELLUCID_SINGLE ?? 'target/single.html').href;
    const { page, context } = await open(browser, `${file}?workers=1`, { offline: true, viewport: { width: 1280, height: 900 }, colorScheme: 'dark' });
    await explained(page, () => page.click('#welcome .sample[title="A cup of coffee"]'));
    await page.click('#offline-chip');
    await page.waitForTimeout(500);
    await compareWhole(studio, page, 'docs/single.jpg');
    await context.close();
  });
});
