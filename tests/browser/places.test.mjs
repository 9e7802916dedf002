// The page where and how few use it: by keyboard alone, on the way back to it, in a sandboxed frame, and where the network
// goes before the model has come.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open, pageUrl } from './chromium.mjs';
import { openHost } from './host.mjs';
import { coffee, drop, explained, noticeOf } from './support.mjs';

/** Goes through the page with Tab: the controls that were missed, and those that do not show that they have the focus. */
const walk = async (page) => {
  await page.evaluate(() => {
    // From the start: in a dialog this is out of reach, and the dialog's own has the focus.
    document.querySelector('.skip').focus();
    for (const each of document.querySelectorAll('[data-walked]')) delete each.dataset.walked;
  });
  const dim = [];
  for (let i = 0; i < 150; i++) {
    if (i > 0) await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const focused = document.activeElement;
      if (!focused || focused === document.body || focused.dataset.walked) return null;
      focused.dataset.walked = 'yes';
      const box = focused.getBoundingClientRect();
      const rings = [focused, focused.closest('label, .stage')].some((each) => each && getComputedStyle(each).outlineStyle !== 'none');
      return { name: focused.id || focused.textContent.trim() || focused.outerHTML, isClear: rings && box.bottom > 0 && box.top < innerHeight };
    });
    if (!at) break;
    if (!at.isClear) dim.push(at.name);
  }
  const missed = await page.evaluate(() => {
    const isChosenFor = ({ type, checked, name }) => type !== 'radio' || checked || !document.querySelector(`input[name="${name}"]:checked`);
    return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
      .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && !each.dataset.walked && isChosenFor(each))
      .map((each) => each.id || each.textContent.trim());
  });
  return { dim, missed };
};
const chosen = (page) => page.$$eval('input, select', (all) => all.filter(({ type }) => type !== 'file').map(({ id, name, type, value, checked }) => [id || name, type === 'radio' || type === 'checkbox' ? checked : value].join(' ')));

describe('the page', () => {
  let browser;

  before(async () => {
    browser = await launch({ webgpu: false });
  });
  after(() => browser?.close());

  it('shows each control that is reached by keyboard, before there is a picture', async () => {
    const { page, context } = await open(browser, '?backend=cpu&workers=1');
    // Once the model is open there are more.
    await page.locator('#backend-chip').waitFor();
    assert.deepEqual(await walk(page), { dim: [], missed: [] });
    await context.close();
  });

  it('can be used by keyboard alone: a picture is chosen, each control is reached and shows it', async () => {
    const { page, context } = await open(browser, '?backend=cpu&workers=1');
    await page.locator('#backend-chip').waitFor();
    await page.getByRole('button', { name: 'Choose a picture' }).focus();
    const choosing = page.waitForEvent('filechooser');
    // The browser asks the test for files only once it was told to.
    await page.waitForTimeout(500);
    await page.keyboard.press('Enter');
    const chooser = await choosing;
    const { name, type: mimeType, bytes: buffer } = await coffee();
    await explained(page, () => chooser.setFiles({ name, mimeType, buffer }));
    for (const summary of await page.locator('summary').all()) {
      await summary.focus();
      await page.keyboard.press('Enter');
    }
    assert.deepEqual(await walk(page), { dim: [], missed: [] });
    await page.click('#model-button');
    // The first has the focus by the mouse, which needs no mark.
    assert.deepEqual((await walk(page)).dim.slice(1), []);
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'model-button');
    await context.close();
  });

  it('is as new for whoever comes back to it, not half as it was', async () => {
    const { page, context } = await open(browser, '?backend=cpu&workers=1');
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
    const fresh = await chosen(page);
    await page.$$eval('#parameters input[type=checkbox], #lock', (all) => all.forEach((each) => each.click()));
    await page.$eval('#opacity', (input) => {
      input.value = '13';
      input.dispatchEvent(new Event('input', { bubbles: true }));
    });
    assert.notDeepEqual(await chosen(page), fresh);
    await page.goto('about:blank');
    await page.goBack();
    await explained(page, () => drop(page, picture));
    assert.deepEqual(await chosen(page), fresh);
    await context.close();
  });

  it('works in a sandboxed frame that may run scripts alone, where its host lets it, and else says why not', async () => {
    const picture = await coffee();
    for (const shared of [{ 'Access-Control-Allow-Origin': '*' }, {}]) {
      const frame = '<!doctype html><title>A host</title><iframe sandbox="allow-scripts" width="1200" height="800" src="index.html?backend=cpu&workers=1"></iframe>';
      const { page, context } = await openHost(browser, frame, { shared });
      const inner = page.frames()[1];
      if ('Access-Control-Allow-Origin' in shared) await explained(inner, () => drop(inner, picture));
      else await inner.getByText('a sandboxed frame needs allow-same-origin').waitFor();
      await context.close();
    }
  });

  it('says that the network is gone before the model has come, and goes on when it is back', async () => {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    const page = await context.newPage();
    let isGone = true;
    await context.route(/\.onnx|\.wasm/, (route) => (isGone ? route.abort('internetdisconnected') : route.continue()));
    await page.goto(pageUrl('?backend=cpu&workers=1'));
    assert.match(await noticeOf(page, 'network'), /could not be downloaded\. Check the connection/);
    isGone = false;
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Reload' }).click()]);
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
    await context.close();
  });
});
