// The page as one file, opened from the disk without a network: as the command line makes it, and as the page saves it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { decoded, encoded } from '../../www/page/base85.js';
import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, choose, coffee, drop, eventually, explained, fileOf, model, set } from './support.mjs';

const SINGLE = process.env.PELLUCID_SINGLE ?? 'target/single.html';
/** The same with a small network, its labels and its configuration. */
const OWN = process.env.PELLUCID_SINGLE_OWN ?? 'target/single-own.html';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** With the model that ships. */
const MOST_BYTES = 10_000_000;

/** Opens a file without a network. */
const openFile = (browser, path, query = '') => open(browser, pathToFileURL(path).href + query, { offline: true });

/** Saves the page as one file, with the pictures that `tick` leaves ticked, and resolves to the file's path. */
async function save(page, folder, name, tick = () => true) {
  await page.click('#offline-chip');
  for (const pick of await page.locator('.pick').all()) await pick.locator('input').setChecked(tick(await pick.getAttribute('title')));
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: 60_000 }), page.click('#save-single')]);
  const path = join(folder, name);
  await download.saveAs(path);
  await page.keyboard.press('Escape');
  return { path, suggested: download.suggestedFilename() };
}

describe('the letters of a single file', () => {
  it('are those that the command line writes', () => {
    // The same vector is in xtask/src/single.rs.
    for (const [bytes, text] of [[[], ''], [[0, 0, 0, 20], '((((}'], [[255, 255, 255, 255], 'z?^4('], [[1], '(CC1)'], [[...Buffer.from('pellucid')], 'L2Uq,Mev3y']]) {
      assert.equal(Buffer.from(encoded(Uint8Array.from(bytes))).toString(), text);
      assert.deepEqual([...decoded(text, bytes.length)], bytes);
    }
  });

  it('bring back every byte, and end no element', () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => (i * i * 2654435761) >>> 13);
    const text = Buffer.from(encoded(bytes)).toString();
    assert.ok(!text.includes('<'));
    assert.deepEqual(decoded(text, bytes.length), bytes);
  });
});

for (const webgpu of [true, false]) {
  describe(`the page as one file, ${webgpu ? 'with' : 'without'} a GPU`, () => {
    let browser, picture;

    before(async () => {
      browser = await launch({ webgpu });
      picture = await coffee();
    });
    after(() => browser?.close());

    it('opens from the disk and explains what is dropped on it', async () => {
      const { page, trouble, context } = await openFile(browser, SINGLE, webgpu ? '?backend=gpu' : '');
      const { result } = await explained(page, () => drop(page, picture));
      assert.equal(result.backend, webgpu ? 'gpu' : 'cpu');
      assert.equal((await answers(page))[0].label, 'espresso');
      await explained(page, () => choose(page, '#method-field', 'Saliency'), { method: 'saliency' });
      assert.equal(await page.locator('#offline-name').textContent(), 'Works offline');
      assertQuiet(trouble);
      await context.close();
    });
  });
}

describe('a single file', () => {
  let browser, folder, picture;

  before(async () => {
    browser = await launch({ webgpu: false });
    folder = await mkdtemp(join(tmpdir(), 'pellucid-single-'));
    picture = await coffee();
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is small enough to mail', async () => {
    assert.ok((await stat(SINGLE)).size < MOST_BYTES, `${(await stat(SINGLE)).size}`);
  });

  it('has its samples, its reference images and its workers inside', async () => {
    const { page, trouble, context } = await openFile(browser, SINGLE, '?workers=2');
    const { hash } = await explained(page, () => page.click('#welcome .sample[title="A cup of coffee"]'));
    assert.equal((await explained(page, () => drop(page, picture))).hash, hash);
    await explained(page, async () => {
      await choose(page, '#method-field', 'Expected gradients (SHAP)');
      await set(page, { Samples: 2 });
    }, { method: 'expected-gradients' });
    await explained(page, async () => {
      await choose(page, '#method-field', 'LIME');
      await set(page, { Segments: 'grid', 'Number of segments': 16, Samples: 60 });
    }, { method: 'lime' });
    await eventually(() => page.workers().length === 2, 'a helper is started');
    assertQuiet(trouble);
    await context.close();
  });

  it('gives the same maps as the page, and starts again after a crash', async () => {
    const { page: hosted, context: other } = await open(browser, '?backend=cpu&workers=1');
    const wanted = await explained(hosted, () => drop(hosted, picture));
    await other.close();
    const { page, context } = await openFile(browser, SINGLE, '?workers=1');
    assert.equal((await explained(page, () => drop(page, picture))).hash, wanted.hash);
    await page.workers()[0].evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError('unreachable'); }));
    await page.locator('.notice[data-code="crashed"]').waitFor();
    assert.equal((await explained(page, () => page.click('#again'))).hash, wanted.hash);
    await context.close();
  });

  it('is saved by the page, with the pictures of a reader’s choice, and by a single file again', async () => {
    const { page, trouble, context } = await open(browser, '?backend=cpu&workers=1');
    const wanted = await explained(page, () => drop(page, { ...picture, name: 'my "cup" <1> & co.jpg' }));
    const first = await save(page, folder, 'first.html', (title) => title.startsWith('my'));
    assert.equal(first.suggested, 'pellucid-efficientnet-lite0-int8.html');
    assertQuiet(trouble);
    await context.close();
    assert.ok((await stat(first.path)).size < MOST_BYTES);

    const opened = await openFile(browser, first.path, '?workers=1');
    assert.deepEqual(await opened.page.$$eval('#welcome .sample', (all) => all.map(({ title }) => title)), ['my "cup" <1> & co']);
    assert.equal((await explained(opened.page, () => opened.page.click('#welcome .sample'))).hash, wanted.hash);
    const second = await save(opened.page, folder, 'second.html');
    assertQuiet(opened.trouble);
    await opened.context.close();
    assert.ok((await readFile(first.path)).equals(await readFile(second.path)), 'a copy is the same to the byte');
  });

  it('has the model that is open, with its labels and its scaling', async () => {
    const { page, context } = await open(browser, '?backend=cpu&workers=1');
    await explained(page, () => drop(page, picture));
    const labels = Array.from({ length: 1000 }, (_, i) => `thing ${i} <b>`);
    await page.click('#model-button');
    const files = [
      { name: 'mine.onnx', mimeType: 'application/octet-stream', buffer: (await model()).bytes },
      { name: 'names.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(labels)) },
    ];
    await explained(page, () => page.getByLabel('Choose a model').setInputFiles(files));
    await page.locator('#model-dialog').getByLabel('How pictures are prepared').selectOption('keras-caffe');
    const wanted = await explained(page, () => page.click('#model-dialog .primary'));
    assert.match((await answers(page))[0].label, /^thing \d+ <b>$/);
    const { path } = await save(page, folder, 'own.html', () => false);
    await context.close();

    const { page: single, trouble, context: other } = await openFile(browser, path, '?workers=1');
    const { hash } = await explained(single, () => drop(single, picture));
    assert.equal(hash, wanted.hash);
    assert.match((await answers(single))[0].label, /^thing \d+ <b>$/);
    assert.ok(await single.locator('#samples-heading').isHidden());
    // The way back from another model is to the one of the file.
    await explained(single, async () => drop(single, { ...(await model()), name: 'other.onnx' }));
    assert.equal((await answers(single))[0].label, 'espresso');
    await single.click('#model-button');
    await explained(single, () => single.locator('#model-dialog button', { hasText: /shipped|ships|default/i }).click());
    assert.match((await answers(single))[0].label, /^thing \d+ <b>$/);
    assertQuiet(trouble);
    await other.close();
  });

  it('of one’s own network, labels and configuration says what the command line says', async () => {
    const files = ['--model', 'heads/sigmoid.onnx', '--labels', 'files/labels.txt', '--preprocessing', 'files/preprocessor_config.json'];
    const paths = files.map((word) => (word.startsWith('--') ? word : join('tests/fixtures', word)));
    const { stdout } = await promisify(execFile)(process.env.PELLUCID_CLI, ['classify', 'www/samples/coffee.jpg', '--backend', 'cpu', '--json', ...paths], { cwd: ROOT });
    const { classes } = JSON.parse(stdout);
    const { page, trouble, context } = await openFile(browser, OWN, '?workers=1');
    await explained(page, () => drop(page, picture));
    const shown = await answers(page);
    assert.deepEqual(shown.map(({ label }) => label), classes.slice(0, shown.length).map(({ label }) => label));
    const exact = shown.map(({ share }, i) => [Number.parseFloat(share), 100 * classes[i].probability]).filter(([share]) => share > 0);
    assert.ok(exact.length >= 3, 'what is neither < nor > some percent');
    for (const [share, probability] of exact) assert.ok(Math.abs(share - probability) < 0.1, `${share} is not ${probability}`);
    assertQuiet(trouble);
    await context.close();
  });

  it('lets nothing out', async () => {
    const { page, context } = await openFile(browser, SINGLE, '?workers=1');
    await explained(page, () => drop(page, picture));
    const attempt = (where) =>
      where.evaluate(
        () =>
          new Promise((resolve) => {
            const outcome = (work) => Promise.resolve().then(work).then(() => 'through', () => 'refused');
            setTimeout(async () => resolve([await outcome(() => fetch('http://127.0.0.1:9/')), await outcome(() => fetch('data:text/plain,x')), await outcome(() => (0, eval)('1'))]));
          }),
      );
    assert.deepEqual(await attempt(page.workers()[0]), ['refused', 'refused', 'refused']);
    const violations = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const found = [];
          document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => found.push(effectiveDirective));
          const script = document.createElement('script');
          document.body.append(script);
          fetch('https://example.org/').catch(() => {});
          new Image().src = 'https://example.org/x.png';
          setTimeout(() => resolve([...new Set(found)].sort()), 500);
        }),
    );
    assert.deepEqual(violations, ['connect-src', 'img-src']);
    await context.close();
  });

  it('opens in a frame that has no origin', async () => {
    const outer = join(folder, 'outer.html');
    await writeFile(join(folder, 'inner.html'), await readFile(SINGLE));
    await writeFile(outer, '<!doctype html><iframe sandbox="allow-scripts" src="inner.html?workers=1" width="900" height="700"></iframe>');
    const context = await browser.newContext({ offline: true });
    const page = await context.newPage();
    await page.goto(pathToFileURL(outer).href);
    const frame = page.frames()[1];
    await explained(frame, () => frame.click('#welcome .sample[title="A cup of coffee"]'));
    assert.equal((await answers(frame))[0].label, 'espresso');
    await context.close();
  });
});
