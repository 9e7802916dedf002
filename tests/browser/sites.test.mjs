// Real sites, built with the generators of documentation that people use: every page with a tag explains, wherever it
// lies, in light and dark. `cargo xtask test --full` builds them all; the one of plain HTML needs no generator, so it is
// always there.

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { launch } from './chromium.mjs';
import { serve } from './host.mjs';

const FOLDER = process.env.PELLUCID_SITES;
const SKIP = process.env.PELLUCID_FULL ? false : 'slow: builds a site with each generator';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.jpg': 'image/jpeg', '.svg': 'image/svg+xml', '.json': 'application/json', '.xml': 'text/xml' };

/** The servers that are to end with the tests. */
const hosts = [];

/** Serves one site as a static host does. */
const host = async (name) => {
  const site = await serve(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://host').pathname);
    const file = join(FOLDER, name, path);
    const isFolder = await stat(file).then((found) => found.isDirectory(), () => false);
    const candidates = isFolder ? [join(file, 'index.html')] : [file, `${file}.html`];
    for (const candidate of candidates) {
      let bytes = await readFile(candidate).catch(() => null);
      // Material goes by the site's map, which has the address that the site was built for.
      if (bytes && candidate.endsWith('sitemap.xml')) bytes = String(bytes).replaceAll('http://127.0.0.1/', `http://${request.headers.host}/`);
      if (bytes) return response.writeHead(200, { 'Content-Type': TYPES[extname(candidate)] ?? 'application/octet-stream' }).end(bytes);
    }
    response.writeHead(404, { 'Content-Type': 'text/html' }).end('<h1>404</h1>');
  });
  hosts.push(site);
  return site;
};

/** Waits until every tag of the page shows an explanation; fails with what a tag says instead. */
async function explained(page, count = 1) {
  const tags = page.locator('pellucid-explainer');
  await tags.first().waitFor({ state: 'attached' });
  assert.equal(await tags.count(), count);
  for (let i = 0; i < count; i++) {
    const tag = tags.nth(i);
    await tag.scrollIntoViewIfNeeded();
    const said = await tag.evaluate(async (element) => {
      const failed = new Promise((resolve) => element.addEventListener('pellucid-error', ({ detail }) => resolve(detail.message)));
      const done = async () => {
        while (!element.explanations?.length) await new Promise((resolve) => setTimeout(resolve, 50));
        return null;
      };
      const late = new Promise((resolve) => setTimeout(resolve, 60_000, 'nothing came in a minute'));
      return Promise.race([failed, done(), late]);
    });
    assert.equal(said, null);
  }
}

/** The colour of the text in the first tag. */
const inkOf = (page) => page.locator('pellucid-explainer').first().evaluate((tag) => getComputedStyle(tag.shadowRoot.firstElementChild).color);

/** The colour of the text around the first tag. */
const siteInkOf = (page) => page.locator('pellucid-explainer').first().evaluate((tag) => getComputedStyle(tag.parentElement).color);

/** Whether a colour as the browser tells it, `rgb(…)`, is nearer to white. */
const isLight = (colour) => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, value) => sum + Number(value), 0) > 1.5 * 255;

/** How many bytes the page's scripts hold, with the arrays of maps and pictures, once what nobody needs is gone. */
async function heldBy(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  for (let i = 0; i < 3; i++) await session.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize + backingStorageSize;
}

/** What ten pages may leave in memory: Material keeps those that it replaced, and the tags in them, which have to be empty then. */
const LEFT = 2 * 2 ** 20;

describe('sites of documentation', { skip: FOLDER ? false : 'PELLUCID_SITES names no folder: use cargo xtask test' }, () => {
  let browser;
  before(async () => (browser = await launch()));
  after(async () => {
    hosts.forEach((site) => site.end());
    await browser?.close();
  });

  /** Opens a page of a site, and returns it with all that went wrong. */
  async function open(url, colorScheme = 'light') {
    const page = await browser.newPage({ colorScheme });
    const faults = [];
    // What a generator itself asks of others, as nbsphinx does for RequireJS, is not ours.
    const isOurs = (request) => new URL(request.url()).host === new URL(url).host;
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('requestfailed', (request) => isOurs(request) && faults.push(`${request.url()}: ${request.failure()?.errorText}`));
    page.on('response', (response) => response.status() >= 400 && !response.url().endsWith('favicon.ico') && faults.push(`${response.status()} ${response.url()}`));
    await page.goto(url);
    return { page, faults };
  }

  const PAGES = {
    plain: ['index.html'],
    mkdocs: ['', 'guide/saliency/'],
    sphinx: ['index.html', 'guide/saliency.html', 'notebook.html'],
    mdbook: ['index.html', 'guide/cat.html', 'guide/deeper/saliency.html', 'root.html'],
    vitepress: ['index.html', 'guide/saliency.html'],
    docusaurus: ['', 'guide/saliency'],
  };
  for (const [name, paths] of Object.entries(PAGES)) {
    it(`show explanations with ${name}, in light and dark`, { skip: name === 'plain' ? false : SKIP }, async () => {
      const site = await host(name);
      for (const path of paths) {
        for (const scheme of ['light', 'dark']) {
          const { page, faults } = await open(site.url + path, scheme);
          await explained(page);
          assert.equal(isLight(await inkOf(page)), isLight(await siteInkOf(page)), `${path} in ${scheme}: the tag is as light as the page`);
          assert.deepEqual(faults, [], path);
          await page.close();
        }
      }
    });
  }

  it('show the page in a frame, and the tag in cells, of a notebook that was run', { skip: SKIP }, async () => {
    const site = await host('jupyter');
    const { page, faults } = await open(site.url);
    await explained(page, 2);
    const frame = page.frames().find((each) => each.url().endsWith('pellucid.html'));
    await page.locator('iframe').scrollIntoViewIfNeeded();
    await frame.click('#welcome .sample[title="A cup of coffee"]');
    await frame.locator('#answers .answer', { hasText: 'espresso' }).first().waitFor({ timeout: 60_000 });
    assert.deepEqual(await page.locator('pellucid-explainer').nth(1).locator('[part="title"]').allTextContents(), ['tabby', 'tiger cat']);
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('may be all chapters in one, as mdBook prints them', { skip: SKIP }, async () => {
    const site = await host('mdbook');
    const { page } = await open(`${site.url}print.html`);
    await page.evaluate(() => (window.print = () => {}));
    await explained(page, 3);
  });

  it('keep one engine while Material changes pages without loading them, and follow its palette', { skip: SKIP }, async () => {
    const site = await host('mkdocs');
    const { page, faults } = await open(site.url);
    await explained(page);
    const workers = page.workers().length;
    await page.evaluate(() => (window.isSameDocument = true));
    const titles = ['The pixels that count', 'Why a cat is a tabby'];
    const click = async (times) => {
      for (let i = 0; i < times; i++) {
        await page.locator('.md-nav--primary').getByRole('link', { name: titles[i % 2] }).first().click();
        await page.getByRole('heading', { level: 1, name: titles[i % 2] }).waitFor();
        await explained(page);
      }
    };
    // What each page needs once is there then.
    await click(2);
    const before = await heldBy(page);
    await click(10);
    const after = await heldBy(page);
    assert.ok(after <= before + LEFT, `${after} bytes are held, and were ${before}`);
    assert.equal(await page.evaluate(() => window.isSameDocument), true, 'the document was loaded anew');
    assert.equal(page.workers().length, workers);
    const light = await inkOf(page);
    await page.locator('label[for^="__palette"]:visible').first().click();
    await page.waitForFunction((before) => getComputedStyle(document.querySelector('pellucid-explainer').shadowRoot.firstElementChild).color !== before, light);
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('go on when Docusaurus and VitePress change pages', { skip: SKIP }, async () => {
    for (const name of ['docusaurus', 'vitepress']) {
      const site = await host(name);
      const { page, faults } = await open(site.url);
      await explained(page);
      await page.locator('main').getByRole('link', { name: 'The pixels that count' }).first().click();
      await page.getByRole('heading', { level: 1, name: /The pixels that count/ }).waitFor();
      await explained(page);
      assert.deepEqual(faults, [], name);
      await page.close();
    }
  });
});
