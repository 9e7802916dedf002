// The tag in plain pages of somebody else's: what it shows and when, what it fetches, how it shares and gives back, and how
// it says what is wrong.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { launch } from './chromium.mjs';
import { openHost, serve, serveSite } from './host.mjs';
import { difference, eventually } from './support.mjs';
import { CLASSIC, MODULE, errorOf, events, html, results, tag } from './tag.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A window in which several tags are seen at once. */
const TALL = { context: { viewport: { width: 1000, height: 2400 } } };

/** What a tag shows, averaged to a few colours. */
const shown = (page, selector = 'pellucid-explainer', size = 12) =>
  page.evaluate(
    ({ selector, size }) => {
      const root = document.querySelector(selector).shadowRoot;
      const context = new OffscreenCanvas(size, size).getContext('2d');
      context.imageSmoothingQuality = 'high';
      for (const part of ['underlay', 'overlay']) {
        const canvas = root.querySelector(`[part="${part}"]`);
        context.globalAlpha = part === 'overlay' ? Number(canvas.style.opacity) : 1;
        context.drawImage(canvas, 0, 0, size, size);
      }
      const { data } = context.getImageData(0, 0, size, size);
      return Array.from({ length: size * size }, (_, i) => [data[4 * i], data[4 * i + 1], data[4 * i + 2]]);
    },
    { selector, size },
  );
const visible = (page, part) => page.locator('pellucid-explainer').first().locator(`[part="${part}"]`).isVisible();

describe('the tag', () => {
  let browser;

  before(async () => {
    browser = await launch({ webgpu: false });
  });
  after(() => browser?.close());

  it('shows the picture, the classes, the method and the map, and tells of it', async () => {
    const { page, context, trouble } = await openHost(browser, html(tag('id="a" method="grad-cam" target="tabby" alt="A cat"')));
    const [result] = await results(page, 1);
    assert.deepEqual(result.detail, { label: 'tabby', method: 'grad-cam', targets: 1 });
    assert.deepEqual([...new Set((await events(page)).map(({ what }) => what))].sort(), ['progress', 'ready', 'result']);
    const inside = page.locator('#a');
    assert.ok((await inside.getByRole('radio').count()) >= 5);
    assert.equal(await inside.getByRole('radio', { checked: true }).count(), 1);
    assert.equal(await inside.getByRole('combobox').inputValue(), 'grad-cam');
    assert.equal(await inside.getByRole('img', { name: 'A cat: Grad-CAM for “tabby”' }).count(), 1);
    assert.match(await inside.locator('[part="made"]').textContent(), /Grad-CAM for “tabby”, .* on the CPU/);
    assert.ok(await visible(page, 'legend'));
    assert.deepEqual(trouble, { violations: [], errors: [] });
    await context.close();
  });

  it('asks again when the reader chooses, and when an attribute or a property changes', async () => {
    const { page, context } = await openHost(browser, html(tag('id="a"')));
    await results(page, 1);
    await page.locator('#a').getByRole('combobox').selectOption('saliency');
    assert.equal((await results(page, 2))[1].detail.method, 'saliency');
    await page.locator('#a').getByRole('radio').nth(2).check({ force: true });
    const third = (await results(page, 3))[2].detail.label;
    assert.equal(third, (await page.locator('#a').locator('.class .name').nth(2).textContent()));
    assert.equal(await page.evaluate(() => document.querySelector('#a').method), 'saliency');
    await page.evaluate(() => Object.assign(document.querySelector('#a'), { method: 'occlusion', parameters: { window: 64, stride: 64 }, target: 'tabby' }));
    assert.deepEqual((await results(page, 4))[3].detail, { label: 'tabby', method: 'occlusion', targets: 1 });
    assert.equal(await page.evaluate(() => document.querySelector('#a').getAttribute('parameters')), '{"window":64,"stride":64}');
    const before = await shown(page);
    await page.evaluate(() => document.querySelector('#a').setAttribute('colours', 'inferno'));
    await eventually(async () => difference(before, await shown(page)) > 2, 'other colours');
    await page.evaluate(() => (document.querySelector('#a').opacity = 0));
    assert.equal(await page.locator('#a').locator('[part="overlay"]').evaluate((canvas) => canvas.style.opacity), '0');
    assert.equal((await events(page, 'result')).length, 4, 'colours and opacity need no other run');
    await context.close();
  });

  it('fetches nothing before it is near, and runs no more than what is seen', async () => {
    const body = Array.from({ length: 200 }, (_, i) => `<p style="height:90vh">Text</p>${tag(`id="t${i}" controls="none" height="200"`)}`).join('');
    const { page, context, requests } = await openHost(browser, html(`<p style="height:2000px">Text</p>${body}`));
    await page.waitForTimeout(800);
    assert.deepEqual(requests.map((url) => new URL(url).pathname), ['/', '/www/tag/pellucid-explainer.js']);
    assert.equal(page.workers().length, 0);
    await page.evaluate(() => document.querySelector('#t0').scrollIntoView());
    await results(page, 1);
    await page.waitForTimeout(1500);
    assert.ok((await events(page, 'result')).length <= 3, 'those that are seen');
    assert.equal(page.workers().length, 1);
    await page.evaluate(() => document.querySelector('#t150').scrollIntoView());
    await page.waitForFunction(() => window.events.some(({ what, id }) => what === 'result' && id === 't150'));
    assert.ok((await events(page, 'result')).length <= 8, 'not those on the way');
    await context.close();
  });

  it('leaves the memory when it has left the document', async () => {
    const { page, context } = await openHost(browser, html('<main></main>'));
    const session = await context.newCDPSession(page);
    for (let i = 1; i <= 4; i++) {
      await page.evaluate((one) => {
        document.querySelector('main').innerHTML = one;
        (window.made ??= []).push(new WeakRef(document.querySelector('pellucid-explainer')));
      }, tag(''));
      await results(page, i);
    }
    await page.evaluate(() => document.querySelector('main').replaceChildren());
    const held = async () => {
      await session.send('HeapProfiler.collectGarbage');
      return page.evaluate(() => window.made.filter((one) => one.deref()).length);
    };
    // Chromium's own watch over forms may keep the last one.
    await eventually(async () => (await held()) <= 1, 'tags that were removed are held');
    await context.close();
  });

  it('shares one engine with all tags of the page, and gives it back with the last', async () => {
    const { page, context, requests } = await openHost(browser, html([1, 2, 3].map((i) => tag(`id="t${i}" controls="minimal" height="120" method="${i === 2 ? 'saliency' : 'grad-cam'}"`)).join('')));
    await results(page, 3);
    assert.equal(page.workers().length, 1);
    assert.equal(requests.filter((url) => url.endsWith('.wasm')).length, 1);
    // One that moves stays as it is; one that leaves takes its part with it.
    await page.evaluate(() => document.body.prepend(document.querySelector('#t3')));
    await page.waitForTimeout(300);
    assert.equal((await events(page, 'result')).length, 3);
    assert.ok(await page.evaluate(() => document.querySelector('#t3').shadowRoot.querySelector('[part="overlay"]').width > 100));
    const freed = await page.evaluate(async () => {
      const gone = document.querySelector('#t3');
      gone.remove();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return [gone.shadowRoot.querySelector('[part="overlay"]').width, gone.explanations.length];
    });
    assert.deepEqual(freed, [0, 0]);
    assert.equal(page.workers().length, 1);
    await page.evaluate(() => document.querySelectorAll('pellucid-explainer').forEach((each) => each.remove()));
    await eventually(() => page.workers().length === 0, 'the worker ends', 10_000);
    await page.evaluate((text) => document.body.insertAdjacentHTML('beforeend', text), tag('id="new"'));
    await page.waitForFunction(() => window.events.some(({ what, id }) => what === 'result' && id === 'new'));
    await context.close();
  });

  it('that is removed while it runs leaves the others well', async () => {
    const { page, context, trouble } = await openHost(browser, html(tag('id="a" method="rise" height="100"') + tag('id="b" height="100"')));
    await page.waitForFunction(() => window.events.some(({ what, id }) => what === 'progress' && id === 'a'));
    await page.evaluate(() => document.querySelector('#a').remove());
    const [result] = await results(page, 1);
    assert.equal(result.id, 'b');
    assert.deepEqual(trouble.errors, []);
    await context.close();
  });

  it('compares methods, or classes', async () => {
    const { page, context } = await openHost(browser, html(tag('id="a" compare="grad-cam, saliency"') + tag('id="b" compare="tabby, tiger cat, Egyptian cat"')), TALL);
    await results(page, 2);
    const titles = (id) => page.locator(`#${id} [part="title"]`).allTextContents();
    assert.deepEqual(await titles('a'), ['Grad-CAM', 'Saliency']);
    assert.deepEqual(await titles('b'), ['tabby', 'tiger cat', 'Egyptian cat']);
    await page.evaluate(() => (document.querySelector('#b').compare = ['lynx', 'tabby']));
    await page.waitForFunction(() => document.querySelector('#b').explanations[0]?.targets[0].target.label === 'lynx');
    assert.deepEqual(await titles('b'), ['lynx', 'tabby']);
    await context.close();
  });

  it('shows as much as it is told to', async () => {
    const { page, context } = await openHost(browser, html(['none', 'minimal', 'full'].map((controls) => tag(`id="${controls}" controls="${controls}" height="120"`)).join('')));
    await results(page, 3);
    const parts = (id) => page.locator(`#${id}`).evaluate((element) => ['overlay', 'answer', 'classes', 'method', 'legend'].filter((part) => element.shadowRoot.querySelector(`[part="${part}"]`).checkVisibility()));
    assert.deepEqual(await parts('none'), ['overlay']);
    assert.deepEqual(await parts('minimal'), ['overlay', 'answer', 'legend']);
    assert.deepEqual(await parts('full'), ['overlay', 'classes', 'method', 'legend']);
    const { width, height } = await page.locator('#none [part="stage"]').boundingBox();
    assert.deepEqual([Math.round(width), Math.round(height)], [120, 120]);
    await context.close();
  });

  it('takes properties that were set before its script came', async () => {
    const early = `<script>Object.assign(document.querySelector('pellucid-explainer'), { method: 'saliency', target: 'tabby' });</script>`;
    const { page, context } = await openHost(browser, html(tag('') + early));
    assert.deepEqual((await results(page, 1))[0].detail, { label: 'tabby', method: 'saliency', targets: 1 });
    await context.close();
  });

  it('shows a map that was made before, without any engine, as the engine would', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pellucid-tag-'));
    try {
      const files = {};
      for (const [name, method] of [['cam', 'grad-cam'], ['fine', 'saliency'], ['signed', 'occlusion']]) {
        for (const kind of ['json', 'npy']) {
          const path = join(folder, `${name}.${kind}`);
          const settings = method === 'occlusion' ? ['--set', 'window=64', '--set', 'stride=32'] : [];
          await promisify(execFile)(process.env.PELLUCID_CLI, ['explain', 'www/samples/cat.jpg', '--method', method, '--target', 'tabby', '--backend', 'cpu', '--output', path, ...settings], { cwd: ROOT });
          files[`${name}.${kind}`] = `data:application/octet-stream;base64,${(await readFile(path)).toString('base64')}`;
        }
      }
      for (const [name, method, more] of [['cam', 'grad-cam', ''], ['fine', 'saliency', ''], ['signed', 'occlusion', 'parameters="window=64 stride=32"']]) {
        const body = tag(`id="made" precomputed="${files[`${name}.json`]}"`) + tag(`id="live" method="${method}" target="tabby" ${more}`);
        const { page, context } = await openHost(browser, html(body));
        await results(page, 2);
        assert.ok(difference(await shown(page, '#made'), await shown(page, '#live')) < 6, `${name}: ${difference(await shown(page, '#made'), await shown(page, '#live'))}`);
        await context.close();
      }
      const { page, context, requests } = await openHost(browser, html(tag(`id="a" precomputed="${files['cam.json']}"`) + tag(`id="b" precomputed="${files['signed.npy']}"`)));
      const first = (await results(page, 2)).find(({ id }) => id === 'a');
      assert.deepEqual(first.detail, { label: 'tabby', method: 'grad-cam', targets: 1 });
      assert.equal(page.workers().length, 0);
      assert.deepEqual([...new Set(requests.filter((url) => url.startsWith('http')).map((url) => new URL(url).pathname))].sort(), ['/', '/www/samples/cat.jpg', '/www/tag/pellucid-explainer.js']);
      assert.match(await page.locator('#a [part="classes"]').textContent(), /tabby/);
      await context.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('opens a model as the command line does by the same words', { skip: process.env.PELLUCID_CLI ? false : 'PELLUCID_CLI names no program: use cargo xtask test' }, async () => {
    const network = 'tests/fixtures/heads/raw.onnx';
    const config = 'tests/fixtures/files/preprocessor_config.json';
    const files = Object.fromEntries(await Promise.all([network, config].map(async (path) => [path, await readFile(join(ROOT, path))])));
    const heard = `<script>window.opened = []; document.addEventListener('pellucid-ready', ({ target, detail }) => (window.opened[target.id] = detail.explainer));</script>`;
    const cases = [
      {},
      { preset: 'keras-caffe', channels: 'rgb', resize: 'squash', interpolation: 'nearest' },
      { mean: '0.5,0.4,0.3', std: '0.2,0.2,0.2', resize: '40' },
      { preprocessing: config, std: '51,51,60' },
      { head: 'sigmoid', scores: 'gemm_4' },
    ];
    const words = (attributes) => Object.entries(attributes).map(([name, value]) => `${name}="${value}"`).join(' ');
    const body = cases.map((attributes, i) => tag(`id="${i}" model="${network}" ${words(attributes)}`)).join('');
    const { page, context, trouble } = await openHost(browser, html(heard + body), { ...TALL, files });
    await results(page, cases.length);
    const all = [];
    for (const [i, attributes] of cases.entries()) {
      const flags = Object.entries(attributes).flatMap(([name, value]) => [`--${name}`, value]);
      const { stdout } = await promisify(execFile)(process.env.PELLUCID_CLI, ['classify', 'www/samples/cat.jpg', '--backend', 'cpu', '--json', '--model', network, ...flags], { cwd: ROOT });
      const theirs = JSON.parse(stdout);
      const ours = await page.evaluate((i) => window.opened[i].classify('www/samples/cat.jpg', { top: 5 }), i);
      assert.equal(ours.head, theirs.head, words(attributes));
      for (const [k, { index, logit, probability }] of theirs.classes.slice(0, 5).entries()) {
        assert.equal(ours.classes[k].index, index, words(attributes));
        assert.ok(Math.abs(ours.classes[k].logit - logit) < 1e-3, `${words(attributes)}: ${ours.classes[k].logit}, ${logit}`);
        assert.ok(Math.abs(ours.classes[k].probability - probability) < 1e-4, words(attributes));
      }
      all.push(theirs.classes[0].logit.toFixed(3) + theirs.head);
    }
    // Else words that change nothing would be as right.
    assert.equal(new Set(all).size, cases.length);
    // A property takes an array, and asks again.
    const again = await page.evaluate(async () => {
      const tag = document.getElementById('0');
      const heard = new Promise((resolve) => tag.addEventListener('pellucid-ready', ({ detail }) => resolve(detail.explainer), { once: true }));
      tag.mean = [0.5, 0.4, 0.3];
      Object.assign(tag, { std: [0.2, 0.2, 0.2], resize: 40 });
      return (await (await heard).classify('www/samples/cat.jpg', { top: 1 })).classes[0].logit;
    });
    assert.equal(`${again.toFixed(3)}softmax`, all[2]);
    assert.deepEqual(trouble.errors, []);
    await context.close();
  });

  it('says what is wrong, in a sentence and in an event', async () => {
    for (const [attributes, code, pattern] of [
      ['model="index.html"', 'model', /web page/],
      ['model="gone.onnx"', 'network', /gone\.onnx is missing.*404/],
      ['method="salience"', 'argument', /salience/],
      ['target="no such class"', 'argument', /no such class/],
      ['parameters="steps"', 'argument', /"steps" is no parameter/],
      ['colours="mauve"', 'argument', /mauve/],
      ['precomputed="index.html"', 'argument', /neither JSON nor an array/],
      ['mean="1,2"', 'argument', /mean takes 3 numbers; it has "1,2"/],
      ['preset="imagenet"', 'argument', /imagenet/],
      ['scores="nothing"', 'argument', /no output "nothing"/],
      ['preprocessing="gone.json"', 'network', /gone\.json is not there \(status 404\)/],
    ]) {
      const { page, context, trouble } = await openHost(browser, html(tag(attributes)));
      const error = await errorOf(page);
      assert.deepEqual([error.code, pattern.test(error.message)], [code, true], `${attributes}: ${error.code}: ${error.message}`);
      assert.equal(await page.locator('pellucid-explainer [part="error"] span').textContent(), error.message);
      assert.deepEqual(trouble.errors, []);
      // What is put right works.
      await page.evaluate(() => ['model', 'method', 'target', 'parameters', 'colours', 'precomputed', 'mean', 'preset', 'scores', 'preprocessing'].forEach((name) => document.querySelector('pellucid-explainer').removeAttribute(name)));
      await results(page, 1);
      assert.equal(await visible(page, 'error'), false);
      await context.close();
    }
    const { page, context } = await openHost(browser, html('<pellucid-explainer id="a"></pellucid-explainer>'));
    assert.match((await errorOf(page)).message, /Set src/);
    await context.close();
  });

  it('shows the host’s own content while it waits, where scripts are off, and beside an error', async () => {
    const image = (page) => page.locator('pellucid-explainer > img');
    const own = '<img src="www/samples/cat.jpg" width="300" alt="A cat"><span slot="caption">A caption</span>';
    const off = await openHost(browser, html(tag('', own)), { context: { javaScriptEnabled: false } });
    assert.ok(await image(off.page).isVisible());
    await off.context.close();
    const { page, context } = await openHost(browser, html(tag('', own)));
    await results(page, 1);
    assert.equal(await image(page).isVisible(), false);
    assert.ok(await page.getByText('A caption').isVisible());
    await context.close();
    const wrong = await openHost(browser, html(tag('model="gone.onnx"', own)));
    await errorOf(wrong.page);
    assert.ok(await image(wrong.page).isVisible());
    await wrong.context.close();
  });

  it('takes the picture that stands inside it, in whatever the generator puts around it', async () => {
    const inside = '<pellucid-explainer method="saliency"><p><img src="www/samples/cat.jpg" alt="A cat"></p></pellucid-explainer>';
    const { page, context } = await openHost(browser, html(inside));
    await results(page, 1);
    assert.ok(await page.getByRole('img', { name: 'A cat' }).first().isVisible());
    // Frameworks change it, and put it there late.
    const change = (attributes) => page.evaluate((attributes) => Object.assign(document.querySelector('pellucid-explainer img'), attributes), attributes);
    await change({ src: 'www/samples/coffee.jpg', alt: 'A cup' });
    assert.equal((await results(page, 2))[1].detail.label, 'espresso');
    await change({ alt: 'A cup of coffee' });
    await page.getByRole('img', { name: 'A cup of coffee' }).first().waitFor();
    await change({ srcset: 'www/samples/rocket.jpg 1x' });
    assert.match((await results(page, 3))[2].detail.label, /missile/);
    await context.close();
    const none = await openHost(browser, html('<pellucid-explainer></pellucid-explainer>'));
    assert.match((await errorOf(none.page)).message, /put an <img> inside/);
    await none.page.evaluate(() => document.querySelector('pellucid-explainer').append(Object.assign(new Image(), { src: 'www/samples/coffee.jpg' })));
    assert.equal((await results(none.page, 1))[0].detail.label, 'espresso');
    await none.page.waitForTimeout(500);
    assert.equal((await events(none.page, 'result')).length, 1);
    await none.context.close();
  });

  it('follows the host from light to dark, whatever its switch', async () => {
    const isDark = (page) => page.locator('pellucid-explainer').evaluate((element) => element.shadowRoot.querySelector('.frame').classList.contains('dark'));
    for (const [style, act] of [
      ['body { background: white } html.navy body { background: #161923 }', () => document.documentElement.classList.add('navy')],
      ['body { background: #fff } [data-md-color-scheme="slate"] { background: hsl(232 15% 14%) }', () => document.body.setAttribute('data-md-color-scheme', 'slate')],
      ['[data-theme="dark"] body { background: #131416; transition: background 0.3s }', () => document.documentElement.setAttribute('data-theme', 'dark')],
      ['.dark { color-scheme: dark }', () => document.documentElement.classList.add('dark')],
    ]) {
      const { page, context } = await openHost(browser, html(`<style>${style}</style>${tag('')}`), { context: { colorScheme: 'light' } });
      await page.waitForFunction(() => document.querySelector('pellucid-explainer').shadowRoot);
      assert.equal(await isDark(page), false, style);
      await page.evaluate(act);
      await eventually(() => isDark(page), style, 3000);
      await context.close();
    }
    const { page, context } = await openHost(browser, html(`<style>:root { color-scheme: light dark }</style>${tag('')}`), { context: { colorScheme: 'dark' } });
    await eventually(() => isDark(page), 'the system’s own', 3000);
    await page.emulateMedia({ colorScheme: 'light' });
    await eventually(async () => !(await isDark(page)), 'back in the light', 3000);
    await context.close();
  });

  it('prints as the finished picture', async () => {
    const { page, context } = await openHost(browser, html(tag('')));
    await results(page, 1);
    await page.emulateMedia({ media: 'print' });
    assert.deepEqual(await Promise.all(['overlay', 'legend', 'made', 'method', 'opacity'].map((part) => visible(page, part))), [true, true, true, false, false]);
    assert.equal(await page.locator('.class:visible').count(), 1);
    await context.close();
  });
});

describe('three tags on a GPU', { skip: process.env.PELLUCID_FULL ? false : 'slow: takes a minute without a GPU; --full runs it' }, () => {
  it('have their results though its process is killed meanwhile', { timeout: 300_000 }, async () => {
    const browser = await launch();
    try {
      const gpu = (id, method, sample, more = '') => `<pellucid-explainer id="${id}" src="www/samples/${sample}.jpg" backend="gpu" controls="minimal" height="120" method="${method}" ${more}></pellucid-explainer>`;
      const body = gpu('a', 'grad-cam', 'cat') + gpu('b', 'smooth-grad', 'coffee', 'parameters="samples=12"') + gpu('c', 'saliency', 'rocket');
      const { page, trouble } = await openHost(browser, html(body), TALL);
      await page.waitForFunction(() => window.events.some(({ what, id }) => what === 'progress' && id === 'b'), null, { timeout: 90_000 });
      await (await browser.newBrowserCDPSession()).send('Browser.crashGpuProcess');
      const killed = Date.now();
      const done = await results(page, 3, 120_000);
      assert.ok(Date.now() - killed < 10_000, `${Date.now() - killed} ms`);
      assert.deepEqual(done.map(({ id }) => id).sort(), ['a', 'b', 'c']);
      assert.deepEqual([await events(page, 'error'), trouble.errors], [[], []]);
    } finally {
      await browser.close();
    }
  });
});

describe('the tag under policies', () => {
  let browser;

  before(async () => {
    browser = await launch({ webgpu: false });
  });
  after(() => browser?.close());

  const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self'; style-src 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types pellucid";
  const plain = (body, script) => `<!doctype html><meta charset="utf-8"><title>Strict</title><body>${body}${script}`;
  const done = (page) => page.waitForFunction(() => document.querySelector('pellucid-explainer')?.explanations?.length, null, { timeout: 30_000 });
  const failure = (page) => page.locator('pellucid-explainer [part="error"] span').textContent({ timeout: 20_000 });

  for (const [name, script] of [['a module', MODULE], ['a classic script', CLASSIC]]) {
    it(`works as ${name} under a strict policy with Trusted Types, and breaks no rule`, async () => {
      const { page, context, trouble } = await openHost(browser, plain(tag(''), script), { headers: { 'Content-Security-Policy': `${POLICY}; worker-src blob:` } });
      await done(page);
      assert.deepEqual(trouble, { violations: [], errors: [] });
      await context.close();
    });
  }

  it('works where workers from blobs are forbidden', async () => {
    const { page, context } = await openHost(browser, plain(tag(''), MODULE), { headers: { 'Content-Security-Policy': `${POLICY}; worker-src 'self'` } });
    await done(page);
    await context.close();
  });

  it('says what the policy has to allow', async () => {
    const { page, context } = await openHost(browser, plain(tag(''), MODULE), { headers: { 'Content-Security-Policy': `${POLICY}; worker-src 'none'` } });
    assert.match(await failure(page), /Content-Security-Policy.*worker-src blob:/);
    await context.close();
  });

  it('works from another origin that lets others read it, and says so where it does not', async () => {
    for (const [shared, isOpen] of [[{ 'Access-Control-Allow-Origin': '*' }, true], [{}, false]]) {
      const cdn = await serveSite({}, { shared });
      const script = `<script src="${cdn.url}www/tag/pellucid-explainer.classic.js"></script>`;
      const { page, context } = await openHost(browser, plain(tag(''), script));
      if (isOpen) await done(page);
      else assert.match(await failure(page), /could not be loaded.*Access-Control-Allow-Origin/);
      await context.close();
      cdn.end();
    }
  });

  it('works in a sandboxed frame that may run scripts and nothing else', async () => {
    const cdn = await serveSite({}, { shared: { 'Access-Control-Allow-Origin': '*' } });
    const inner = `<!doctype html><base href="${cdn.url}"><pellucid-explainer src="www/samples/cat.jpg" backend="cpu"></pellucid-explainer><script src="www/tag/pellucid-explainer.classic.js"></script>`;
    const { page, context } = await openHost(browser, `<!doctype html><title>Frames</title><iframe sandbox="allow-scripts" width="800" height="600" srcdoc='${inner}'></iframe>`);
    const frame = page.frames()[1];
    await frame.waitForFunction(() => document.querySelector('pellucid-explainer')?.explanations?.length, null, { timeout: 30_000 });
    await context.close();
    cdn.end();
  });
});

describe('what is said of the tag', () => {
  it('is true: attributes, parts and variables of the manifest are those of the code', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'www/tag/custom-elements.json'), 'utf8'));
    const [declaration] = manifest.modules[0].declarations;
    // On a server there is no document, and the import does nothing.
    const { PellucidExplainer } = await import('../../www/tag/pellucid-explainer.js');
    const names = (list) => list.map(({ name }) => name).sort();
    assert.deepEqual(names(declaration.attributes), [...PellucidExplainer.observedAttributes].sort());
    assert.deepEqual(names(declaration.members.filter(({ attribute }) => attribute)), [...PellucidExplainer.observedAttributes].sort());
    const code = (await Promise.all(['view.js', 'panel.js', 'style.js', 'element.js'].map((file) => readFile(join(ROOT, 'www/tag', file), 'utf8')))).join('');
    const found = (pattern) => [...new Set([...code.matchAll(pattern)].map(([, name]) => name))].sort();
    assert.deepEqual(names(declaration.cssParts), found(/part: '([\w-]+)'/g));
    assert.deepEqual(names(declaration.cssProperties), found(/(--pellucid-[\w-]+)/g).filter((name) => name !== '--pellucid-'));
    assert.deepEqual(names(declaration.events), found(/#tell\('(\w+)'/g).map((what) => `pellucid-${what}`));
    assert.equal(globalThis.customElements, undefined);
    const text = await readFile(join(ROOT, 'docs/tag.md'), 'utf8');
    const { attributes, events, cssParts, cssProperties } = declaration;
    for (const { name } of [...attributes, ...events, ...cssParts, ...cssProperties]) assert.ok(text.includes(`\`${name}\``), `docs/tag.md says nothing of ${name}`);
  });
});
