// Real sites, built with the generators of documentation that people use: every page with a tag explains, wherever it
// lies, in light and dark. `cargo xtask test --full` builds them.

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { launch } from './chromium.mjs';
import { serve } from './host.mjs';

const FOLDER = process.env.PELLUCID_SITES;
const SKIP = FOLDER ? false : 'slow: builds a site with each generator';

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

describe('sites of documentation', { skip: SKIP }, () => {
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
    it(`show explanations with ${name}, in light and dark`, async () => {
      const site = await host(name);
      for (const [i, path] of paths.entries()) {
        const { page, faults } = await open(site.url + path, i % 2 ? 'dark' : 'light');
        await explained(page);
        assert.deepEqual(faults, [], path);
        await page.close();
      }
    });
  }

  it('show the page in a frame, and the tag in cells, of a notebook that was run', async () => {
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

  it('may be all chapters in one, as mdBook prints them', async () => {
    const site = await host('mdbook');
    const { page } = await open(`${site.url}print.html`);
    await page.evaluate(() => (window.print = () => {}));
    await explained(page, 3);
  });

  it('keep one engine while Material changes pages without loading them, and follow its palette', async () => {
    const site = await host('mkdocs');
    const { page, faults } = await open(site.url);
    await explained(page);
    const workers = page.workers().length;
    await page.evaluate(() => (window.isSameDocument = true));
    const titles = ['The pixels that count', 'Why a cat is a tabby'];
    for (let i = 0; i < 10; i++) {
      await page.locator('.md-nav--primary').getByRole('link', { name: titles[i % 2] }).first().click();
      await page.getByRole('heading', { level: 1, name: titles[i % 2] }).waitFor();
      await explained(page);
    }
    assert.equal(await page.evaluate(() => window.isSameDocument), true, 'the document was loaded anew');
    assert.equal(page.workers().length, workers);
    const light = await inkOf(page);
    await page.locator('label[for^="__palette"]:visible').first().click();
    await page.waitForFunction((before) => getComputedStyle(document.querySelector('pellucid-explainer').shadowRoot.firstElementChild).color !== before, light);
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('go on when Docusaurus and VitePress change pages', async () => {
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
