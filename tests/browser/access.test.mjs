// What axe-core, the accessibility checker, finds in every view: nothing. And what a phone keeps in sight.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { choose, explained } from './support.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** Each takes a minute; colours are those of the scheme, whatever the size, so two of the four meet all of them. */
const FULL = process.env.PELLUCID_FULL;
const USUAL = ['wide light', 'phone dark'];
const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

describe('everybody', () => {
  let browser, axe;

  before(async () => {
    browser = await launch({ webgpu: false });
    axe = await readFile(AXE, 'utf8');
  });
  after(() => browser?.close());

  /** The page without its policy, which would not let the checker in. */
  async function start(size, colorScheme) {
    const { page, context } = await open(browser, '?backend=cpu&workers=1', { viewport: SIZES[size], colorScheme, bypassCSP: true, reducedMotion: 'reduce', hasTouch: size === 'phone' });
    await page.locator('#welcome .sample').first().waitFor();
    await page.evaluate(axe);
    return { page, context };
  }

  /** What is wrong, as `rule: element`. */
  const violations = (page) =>
    page.evaluate(async () => {
      const { violations } = await window.axe.run(document);
      return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary.split('\n')[1] ?? ''}`));
    });

  for (const size of Object.keys(SIZES)) {
    for (const colorScheme of ['light', 'dark']) {
      const skip = FULL || USUAL.includes(`${size} ${colorScheme}`) ? false : 'slow: takes a minute; the two others meet every colour and every size';
      it(`can use the page on a ${size} screen in the ${colorScheme}`, { skip }, async () => {
        const { page, context } = await start(size, colorScheme);
        const found = [];
        const check = async (view) => {
          await page.waitForTimeout(100);
          for (const violation of await violations(page)) found.push(`${view}: ${violation}`);
        };
        await check('welcome');
        await explained(page, () => page.click('#welcome .sample:nth-child(2)'));
        await check('work');
        await page.$$eval('details', (all) => all.forEach((one) => (one.open = true)));
        await explained(page, () => choose(page, '#method-field', 'Occlusion'));
        await check('a method with settings');
        await page.$eval('.compare-head [value=classes]', (radio) => radio.click());
        await page.locator('.tile').nth(3).waitFor();
        await check('side by side');
        await page.click('.compare-head .button');
        await check('which stand side by side');
        await page.keyboard.press('Escape');
        await page.click('#method-field .picker-button');
        await check('the list of methods');
        await page.keyboard.press('Escape');
        await page.click('#class-field .picker-button');
        await check('the list of classes');
        await page.keyboard.press('Escape');
        await page.click('#picture-button');
        await check('another picture');
        await page.keyboard.press('Escape');
        await page.click('#backend-chip');
        await check('what computes');
        await page.keyboard.press('Escape');
        await page.click('#model-button');
        await check('the model');
        assert.deepEqual(found, []);
        await context.close();
      });
    }
  }

  it('hears one heading of the first level in each view', async () => {
    const { page, context } = await start('phone', 'light');
    const headings = () => page.getByRole('heading', { level: 1 }).count();
    assert.equal(await headings(), 1);
    await explained(page, () => page.click('#welcome .sample:nth-child(2)'));
    assert.equal(await headings(), 1);
    assert.equal(await page.getByRole('button', { name: 'New picture' }).count(), 1);
    await context.close();
  });

  it('sees the picture on a phone while its settings are changed', async () => {
    const { page, context } = await start('phone', 'light');
    await explained(page, () => page.click('#welcome .sample:nth-child(2)'));
    await page.$$eval('details', (all) => all.forEach((one) => (one.open = true)));
    for (const setting of ['#opacity', '#method-field .picker-button', '#clip', '#saves .button']) {
      await page.locator(setting).first().scrollIntoViewIfNeeded();
      await page.locator(setting).first().focus();
      const [stage, input] = await Promise.all([page.locator('#stage').boundingBox(), page.locator(setting).first().boundingBox()]);
      assert.ok(stage.y >= 0 && stage.y + stage.height <= SIZES.phone.height, `${setting}: the picture is in sight`);
      assert.ok(input.y >= stage.y + stage.height && input.y + input.height <= SIZES.phone.height, `${setting} is in sight, and not behind the picture`);
    }
    await context.close();
  });

  it('reads what is said of the model as prose', async () => {
    const { page, context } = await start('wide', 'light');
    await page.waitForFunction(() => !document.querySelector('#model-button').disabled);
    await page.click('#model-button');
    const note = page.locator('#model-dialog .prose p', { hasText: 'straight-through' });
    assert.match(await note.evaluate((one) => getComputedStyle(one).textAlign), /start|left/);
    assert.ok((await note.boundingBox()).width > 400, 'as wide as the dialog');
    await context.close();
  });
});
