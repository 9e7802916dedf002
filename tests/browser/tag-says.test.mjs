// What the tag says and when: classes, captions, legends, errors, and its events.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { launch } from './chromium.mjs';
import { openHost } from './host.mjs';
import { errorOf, events, html, results, tag } from './tag.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('what the tag says', () => {
  let browser;

  before(async () => {
    browser = await launch({ webgpu: false });
  });
  after(() => browser?.close());

  it('is the classes as soon as they are known, long before the map', async () => {
    const { page, context } = await openHost(browser, html(tag('id="a" method="rise"')));
    const radios = page.locator('#a').getByRole('radio');
    await radios.nth(4).waitFor({ timeout: 20_000 });
    assert.equal(await radios.first().isChecked(), true, 'the best is explained');
    assert.deepEqual(await events(page, 'result'), []);
    await context.close();
  });

  it('leaves the focus where the reader has it', async () => {
    const { page, context } = await openHost(browser, html(tag('id="a"')));
    await results(page, 1);
    await page.locator('#a').getByRole('radio').first().focus();
    await page.keyboard.press('ArrowDown');
    const [, { detail }] = await results(page, 2);
    const focused = await page.evaluate(() => {
      const { activeElement } = document.querySelector('#a').shadowRoot;
      return [activeElement?.checked, activeElement?.closest('label').querySelector('.name').textContent];
    });
    assert.deepEqual(focused, [true, detail.label]);
    await context.close();
  });

  it('is the same of a map that was made before and of one that is made here', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pellucid-tag-'));
    try {
      const path = join(folder, 'map.json');
      const flags = ['--method', 'saliency', '--target', 'tabby', '--versus', 'lynx', '--backend', 'cpu'];
      await promisify(execFile)(process.env.PELLUCID_CLI, ['explain', 'www/samples/cat.jpg', ...flags, '--output', path], { cwd: ROOT });
      const map = `data:application/json;base64,${(await readFile(path)).toString('base64')}`;
      const body = tag(`id="made" alt="A cat" precomputed="${map}"`) + tag('id="live" alt="A cat" method="saliency" target="tabby" versus="lynx"');
      const { page, context } = await openHost(browser, html(body), { context: { viewport: { width: 1000, height: 1600 } } });
      await results(page, 2);
      const said = (id) => page.locator(`#${id}`).evaluate(({ shadowRoot }) => [shadowRoot.querySelector('[part="made"]').textContent.split(',')[0], shadowRoot.querySelector('[part="overlay"]').getAttribute('aria-label')]);
      assert.deepEqual(await said('made'), ['Saliency for “tabby” rather than “lynx”', 'A cat: Saliency for “tabby” rather than “lynx”']);
      assert.deepEqual(await said('live'), await said('made'));
      await context.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has room in the legend of a small picture', async () => {
    const bodies = ['grad-cam', 'saliency', 'input-x-gradient'].map((method) => `<div style="width:100px">${tag(`controls="minimal" height="100" method="${method}"`)}</div>${tag(`controls="minimal" height="100" method="${method}"`)}`);
    const { page, context } = await openHost(browser, html(bodies.join('')), { context: { viewport: { width: 1000, height: 2400 } } });
    await results(page, 6);
    const overlaps = await page.evaluate(() =>
      [...document.querySelectorAll('pellucid-explainer')].flatMap(({ shadowRoot }) =>
        ['.tick', '.ends span'].map((selector) => {
          const boxes = [...shadowRoot.querySelectorAll(selector)].map((each) => each.getBoundingClientRect()).filter(({ width }) => width > 0);
          return boxes.some((box, i) => boxes.slice(i + 1).some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom));
        }),
      ),
    );
    assert.deepEqual(overlaps, Array(12).fill(false));
    await context.close();
  });

  it('names a method that there is not, in a sentence, and offers the others', async () => {
    const { page, context } = await openHost(browser, html(tag('id="a" method="grad-camm"')));
    const { code, message } = await errorOf(page);
    assert.equal(code, 'argument');
    assert.match(message, /^There is no method "grad-camm".*\.$/);
    assert.equal(await page.locator('#a [part="error"] span').textContent(), message);
    const methods = page.locator('#a').getByRole('combobox');
    assert.match(await methods.locator('option:checked').textContent(), /^grad-camm: unknown$/);
    await methods.selectOption('saliency');
    assert.equal((await results(page, 1))[0].detail.method, 'saliency');
    assert.equal(await methods.locator('option', { hasText: 'grad-camm' }).count(), 0);
    await context.close();
  });

  it('is that the model is ready once for each picture', async () => {
    const inside = '<picture><source srcset="www/samples/coffee.jpg"><img src="www/samples/cat.jpg" alt=""></picture>';
    const { page, context } = await openHost(browser, html(`${tag('id="a"')}<pellucid-explainer id="b" backend="cpu">${inside}</pellucid-explainer>`), { context: { viewport: { width: 1000, height: 1600 } } });
    const ready = async () => (await events(page, 'ready')).map(({ id }) => id).sort();
    await results(page, 2);
    await page.evaluate(() => Object.assign(document.querySelector('#a'), { method: 'saliency', target: 'lynx' }));
    await results(page, 3);
    assert.deepEqual(await ready(), ['a', 'b']);
    await page.evaluate(() => (document.querySelector('#a').src = 'www/samples/coffee.jpg'));
    await results(page, 4);
    assert.deepEqual(await ready(), ['a', 'a', 'b']);
    await context.close();
  });
});
