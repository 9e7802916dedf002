// The page as people meet it: by keyboard alone, in a narrow window, in the dark, in a sub-folder.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, explained } from './support.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };

describe('the page', () => {
  let browser;

  before(async () => {
    browser = await launch({ webgpu: false });
  });
  after(() => browser?.close());

  it('works by keyboard alone', async () => {
    const { page, trouble, context } = await open(browser);
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const tabTo = async (selector) => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((to) => document.activeElement.matches(to), selector)) return;
      }
      assert.fail(`${selector} cannot be reached with the Tab key`);
    };
    await tabTo('#welcome .sample');
    const first = await explained(page, () => press('Enter'));
    assert.match(first.result.target.label, /^(tiger|Egyptian) cat$/);
    assert.match(await page.locator('#announce').textContent(), /cat|Grad-CAM/);

    await tabTo('#canvas');
    await press('ArrowRight', 'ArrowDown', 'ArrowRight');
    assert.match(await page.locator('#readout').textContent(), /logit · column 5 of 7, row 5 of 7/);

    await tabTo('#answers input');
    const second = await explained(page, () => press('ArrowDown'));
    assert.equal(second.result.target.label, (await answers(page))[1].label);

    await tabTo('#class-field .picker-button');
    await press('Enter');
    await page.keyboard.type('espresso');
    assert.equal(await page.locator('[role="option"].active .option-label').textContent(), 'espresso');
    const espresso = await explained(page, () => press('ArrowDown', 'ArrowUp', 'Enter'));
    assert.equal(espresso.result.target.label, 'espresso');
    assert.ok(await page.evaluate(() => document.activeElement.matches('#class-field .picker-button')), 'focus comes back');

    await tabTo('#method-field .picker-button');
    const saliency = await explained(page, () => press('ArrowDown', 'S', 'a', 'l', 'Enter'));
    assert.equal(saliency.result.method, 'saliency');
    await press('Enter', 'Escape');
    assert.equal(await page.locator('.sheet:popover-open').count(), 0);
    assertQuiet(trouble);
    await context.close();
  });

  it('fits a phone, in the light and in the dark', async () => {
    for (const colorScheme of ['light', 'dark']) {
      const { page, trouble, context } = await open(browser, '?backend=cpu', { ...PHONE, colorScheme });
      assert.deepEqual(await faults(page), [], `welcome, ${colorScheme}`);
      await explained(page, () => page.click('#welcome .sample:nth-child(2)'));
      assert.equal((await answers(page))[0].label, 'espresso');
      await page.waitForTimeout(500);
      assert.deepEqual(await faults(page), [], `work, ${colorScheme}`);
      for (const mode of ['methods', 'classes']) {
        await page.$eval(`.compare-head [value=${mode}]`, (radio) => radio.click());
        await page.locator('.tile').nth(3).waitFor();
        assert.deepEqual(await faults(page), [], `${mode} side by side, ${colorScheme}`);
      }
      assertQuiet(trouble);
      await context.close();
    }
  });

  it('can be switched to the other theme, and remembers', async () => {
    const { page, context } = await open(browser, '', { colorScheme: 'light' });
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.click('#theme-button');
    const dark = await paper();
    assert.notEqual(dark, light);
    await page.reload();
    assert.equal(await paper(), dark);
    await context.close();
  });
});

/** What a look at the page would find wrong: sideways scrolling, and text too faint to read. */
const faults = (page) =>
  page.evaluate(() => {
    const found = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push(`wider than the window: ${document.documentElement.scrollWidth}`);
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const rgb = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([r, g, b]) => {
      const [R, G, B] = [r, g, b].map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
      return 0.2126 * R + 0.7152 * G + 0.0722 * B;
    };
    const paper = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = rgb(getComputedStyle(at).backgroundColor);
        if (color[3] === 255) return color;
      }
      return rgb('Canvas');
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const text = texts.currentNode.textContent.trim();
      if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      if (element.closest('.visually-hidden, .skeleton, .waiting, .skip, :disabled, noscript, .stale')) continue;
      const [a, b] = [luminance(rgb(getComputedStyle(element).color)), luminance(paper(element))].sort((x, y) => y - x);
      const contrast = (a + 0.05) / (b + 0.05);
      if (contrast < 4.5) found.push(`contrast ${contrast.toFixed(1)}: ${text.slice(0, 40)}`);
    }
    return [...new Set(found)];
  });
