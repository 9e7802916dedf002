// The page without a network, and what becomes of it when its host has another version.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { host, listed, version } from './site.mjs';
import { answers, assertQuiet, choose, coffee, drop, eventually, explained, model, noticeOf, set } from './support.mjs';

const KEPT = '#offline-name:text-is("Works offline")';
const NEXT = 'bbbbbbbbbbbbbbbb';

const cacheNames = (page) => page.evaluate(() => caches.keys());
const versionOf = (page) => page.evaluate(() => document.documentElement.dataset.version ?? 'first');
const prompt = (page) => page.locator('.notice', { hasText: 'A new version is ready.' });
const update = (page) => page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());

describe('the page without a network', () => {
  let browser, site, context, page, trouble, picture;

  before(async () => {
    browser = await launch({ webgpu: false });
    picture = await coffee();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    site = await host({ folder: '/some/where/' });
    ({ page, context, trouble } = await open(browser, `${site.url}?backend=cpu&workers=1`));
  });
  afterEach(async () => {
    await context.close();
    await site.close();
  });

  /** The first visit, to the point where the page is kept. */
  async function visit() {
    const first = await explained(page, () => drop(page, picture));
    await page.waitForSelector(KEPT, { timeout: 30_000 });
    return first;
  }

  /** Another tab of the same reader. */
  async function tab(query = '?backend=cpu&workers=1') {
    const other = await context.newPage();
    await other.goto(site.url + query);
    return other;
  }

  it('is kept after the first explanation, and downloads nothing twice for it', async () => {
    await page.waitForFunction(() => document.querySelector('#model-name').textContent.startsWith('EfficientNet'));
    assert.equal(site.times('sw.js'), 0, 'not before it has shown anything');
    assert.equal(site.times('models/background/brick.jpg'), 0);
    await visit();
    for (const path of ['www/pkg/pellucid_bg.wasm', 'models/efficientnet-lite0-int8.onnx', 'www/page/app.js', 'www/worker/worker.js', 'www/style.css']) {
      assert.equal(site.times(path), 1, path);
    }
    for (const [path] of await listed()) assert.ok(site.times(path === './' ? '' : path), path);
    assertQuiet(trouble);
  });

  it('opens, shows its samples, and explains by every kind of method', async () => {
    const first = await visit();
    await page.close();
    site.down = true;
    const offline = await tab();
    assert.equal(await offline.$$eval('#welcome img', (all) => all.filter((image) => image.loading !== 'lazy' && !image.naturalWidth).length), 0);
    const sample = await explained(offline, () => offline.click('#welcome .sample:nth-child(2)'));
    assert.equal((await answers(offline))[0].label, 'espresso');
    assert.equal((await explained(offline, () => drop(offline, picture))).hash, first.hash);
    assert.equal(sample.hash, first.hash);
    // Its reference images are fetched when they are first asked for.
    await explained(offline, async () => {
      await choose(offline, '#method-field', 'Expected gradients (SHAP)');
      await set(offline, { Samples: 2 });
    }, { method: 'expected-gradients' });
    await offline.waitForSelector(KEPT);
    assertQuiet(trouble);
  });

  it('goes over to a new version when the reader asks, whole', async () => {
    await visit();
    site.files = await version(NEXT);
    await update(page);
    await prompt(page).waitFor({ timeout: 20_000 });
    const old = await tab();
    assert.equal(await versionOf(old), 'first', 'until then every tab has the version before');
    await old.close();
    await Promise.all([page.waitForEvent('load'), prompt(page).getByRole('button', { name: 'Reload' }).click()]);
    assert.equal(await versionOf(page), NEXT);
    await explained(page, () => drop(page, picture));
    await page.waitForSelector(KEPT);
    await eventually(async () => (await cacheNames(page)).length === 1, 'the version before is thrown away');
    assert.match((await cacheNames(page))[0], new RegExp(`${NEXT}$`));
    assert.equal(await prompt(page).count(), 0);
    site.down = true;
    assert.equal(await versionOf(await tab()), NEXT);
    assertQuiet(trouble);
  });

  it('keeps the version that it has where the host is between two', async () => {
    await visit();
    const next = await version(NEXT);
    const app = next.get('www/page/app.js');
    next.delete('www/page/app.js');
    site.files = next;
    await update(page).catch(() => {});
    await eventually(() => site.times('www/page/app.js') > 1, 'the file was looked for');
    await eventually(async () => (await cacheNames(page)).length === 1, 'nothing of the new version is left');
    assert.equal(await prompt(page).count(), 0);
    await page.reload();
    assert.equal(await versionOf(page), 'first');
    await explained(page, () => drop(page, picture));
    next.set('www/page/app.js', app);
    await update(page);
    await prompt(page).waitFor({ timeout: 20_000 });
  });

  it('leaves a tab that is at work with the parts that it has', async () => {
    const { hash } = await visit();
    const other = await tab();
    await other.waitForSelector(KEPT);
    site.files = await version(NEXT);
    await update(other);
    await prompt(other).waitFor({ timeout: 20_000 });
    await Promise.all([other.waitForEvent('load'), prompt(other).getByRole('button', { name: 'Reload' }).click()]);
    assert.equal(await versionOf(other), NEXT);
    // A worker for another model, and one after a crash, are of the version that this tab began with.
    assert.equal((await explained(page, async () => drop(page, await model()))).hash, hash);
    await page.workers()[0].evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError('unreachable'); }));
    await page.locator('.notice[data-code="crashed"]').waitFor();
    assert.equal((await explained(page, () => page.click('#again'))).hash, hash);
    assert.equal(await versionOf(page), 'first');
    assert.equal(await prompt(page).count(), 1, 'it is told, too');
    await other.close();
  });

  it('starts the new version when the last tab is closed', async () => {
    await visit();
    site.files = await version(NEXT);
    await update(page);
    await prompt(page).waitFor({ timeout: 20_000 });
    await page.goto('about:blank');
    await eventually(async () => {
      await page.goto(site.url);
      const now = await versionOf(page);
      await page.goto('about:blank');
      return now === NEXT;
    }, 'the new version is opened');
  });

  it('takes what another program shares', async () => {
    await visit();
    const shared = await page.evaluate(async (bytes) => {
      const form = new FormData();
      form.append('files', new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], 'a cup.jpg', { type: 'image/jpeg' }));
      return (await fetch('share', { method: 'POST', body: form })).url;
    }, Buffer.from(picture.bytes).toString('base64'));
    assert.equal(shared, `${site.url}?shared`);
    const receiver = await context.newPage();
    await receiver.goto(shared);
    await eventually(async () => (await answers(receiver))[0]?.label === 'espresso', 'the picture is classified');
    assert.equal(receiver.url(), site.url, 'opened again, the page does not look for it');
    assert.deepEqual((await cacheNames(receiver)).filter((name) => name.startsWith('pellucid-shared')), []);
    assertQuiet(trouble);
  });
});

/** What the console says that is more than a remark. */
function complaints(context) {
  const found = [];
  context.on('console', (message) => ['error', 'warning'].includes(message.type()) && found.push(message.text()));
  context.on('weberror', (error) => found.push(String(error.error())));
  return found;
}

describe('where the page cannot be kept', () => {
  let browser, site, picture;

  before(async () => {
    browser = await launch({ webgpu: false });
    site = await host();
    picture = await coffee();
  });
  after(async () => {
    await browser?.close();
    await site.close();
  });

  /** The page works as it does elsewhere, and does not say a word about it. */
  async function assertWell(prepare) {
    const context = await browser.newContext();
    const found = complaints(context);
    await prepare(context);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await context.prepared?.(cdp);
    await page.goto(`${site.url}?backend=cpu&workers=1`);
    await explained(page, () => drop(page, picture));
    await page.waitForTimeout(1500);
    await explained(page, () => choose(page, '#method-field', 'Saliency'), { method: 'saliency' });
    assert.equal(await page.locator(KEPT).count(), 0);
    assert.equal(await page.locator('.notice').count(), 0);
    assert.deepEqual(found, []);
    await context.close();
  }

  const without = (change) => (context) => context.addInitScript(change);

  it('works without service workers', () =>
    assertWell(without(() => delete Navigator.prototype.serviceWorker)));

  it('works where a service worker is refused, as in a private window', () =>
    assertWell(without(() => {
      if (globalThis.ServiceWorkerContainer) ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('The operation is insecure.', 'SecurityError'));
    })));

  it('works where asking for one throws, as in a sandbox', () =>
    assertWell(without(() => {
      Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => { throw new DOMException('sandboxed', 'SecurityError'); } });
      Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('forbidden', 'SecurityError'); } });
    })));

  it('works where the disk is full, and keeps nothing by halves', async () => {
    const asked = site.times('sw.js');
    await assertWell((context) => {
      context.prepared = (cdp) => cdp.send('Storage.overrideQuotaForOrigin', { origin: new URL(site.url).origin, quotaSize: 1_000_000 });
    });
    assert.equal(site.times('sw.js'), asked + 1, 'it was tried');
  });
});

describe('parts of two versions', () => {
  let browser;

  before(async () => {
    browser = await launch({ webgpu: false });
  });
  after(() => browser?.close());

  for (const [what, path, words] of [
    ['a new engine and old scripts', 'www/pkg/pellucid_bg.wasm', /another version than its scripts/],
    ['a new worker and an old page', 'www/worker/worker.js', /of two versions/],
  ]) {
    it(`never work together: ${what}`, async () => {
      const site = await host();
      const next = await version(NEXT);
      site.files = new Map([[path, next.get(path)]]);
      const { page, context } = await open(browser, `${site.url}?backend=cpu`);
      assert.match(await noticeOf(page, 'version'), words);
      site.files = new Map();
      await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Reload' }).click()]);
      await context.close();
      await site.close();
    });
  }
});
