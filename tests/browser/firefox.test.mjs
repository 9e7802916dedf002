// Another engine than Chromium's: Firefox, by the protocol that both speak. The page and the tag say there what they say
// in Chromium.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open, pageUrl } from './chromium.mjs';
import { serveSite } from './host.mjs';
import { answers, coffee, cosine, drop, explained } from './support.mjs';

const { PELLUCID_FULL, FIREFOX } = process.env;
const SKIP = PELLUCID_FULL ? false : 'slow: starts another browser; --full runs it';

const TAG = '<pellucid-explainer src="www/samples/coffee.jpg" backend="cpu" method="grad-cam"></pellucid-explainer>';
const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A host</title>${TAG}<script type="module" src="www/tag/pellucid-explainer.js"></script>`;

describe('in Firefox', { skip: SKIP }, () => {
  let browser, wanted;

  before(async () => {
    const chromium = await launch({ webgpu: false });
    const { page } = await open(chromium, '?backend=cpu&workers=1');
    const picture = await coffee();
    wanted = { ...(await explained(page, () => drop(page, picture))), answers: await answers(page) };
    await chromium.close();
    const { default: puppeteer } = await import('puppeteer-core');
    browser = await puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX ?? '/usr/bin/firefox-esr', headless: true });
  });
  after(() => browser?.close());

  async function visit(url) {
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(url);
    return { page, errors };
  }

  it('the page opens, names what it sees, and explains it on the CPU', async () => {
    const { page, errors } = await visit(pageUrl('?backend=cpu&workers=1'));
    assert.match(await page.evaluate(() => navigator.userAgent), /Firefox/);
    const picture = await coffee();
    const { result, values } = await explained(page, () => drop(page, picture));
    assert.deepEqual([result.method, result.backend, result.target.label], ['grad-cam', 'cpu', 'espresso']);
    assert.deepEqual(await answers(page), wanted.answers);
    assert.ok(cosine(values, wanted.values) > 0.9999, `${cosine(values, wanted.values)}`);
    assert.deepEqual(errors, []);
    await page.close();
  });

  it('the tag shows its map', async () => {
    const server = await serveSite({ '': HTML });
    const { page, errors } = await visit(server.url);
    await page.waitForFunction(() => document.querySelector('pellucid-explainer').explanations?.length, { timeout: 60_000 });
    const shown = await page.evaluate(() => {
      const [{ method, target, values }] = document.querySelector('pellucid-explainer').explanations;
      const overlay = document.querySelector('pellucid-explainer').shadowRoot.querySelector('[part="overlay"]');
      return { said: [method, target.label], values: [...values].slice(0, 10_000), isDrawn: overlay.checkVisibility() && overlay.width > 100 };
    });
    assert.deepEqual(shown.said, ['grad-cam', 'espresso']);
    assert.ok(cosine(shown.values, wanted.values) > 0.9999);
    assert.ok(shown.isDrawn);
    assert.deepEqual(errors, []);
    await page.close();
    server.end();
  });
});
