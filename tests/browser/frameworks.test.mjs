// The tag in applications of React, Vue and Svelte, built with Vite and the npm package that the build leaves in dist/npm.
// They are built for development, where frameworks warn of what they find odd.

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch } from './chromium.mjs';
import { serveFolder } from './host.mjs';
import { eventually } from './support.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = join(HERE, '../..');
const PACKAGE = join(process.env.PELLUCID_DIST ?? join(ROOT, 'dist'), 'npm');

/** Each framework: what it is made of, and the plugin that Vite needs for it. */
const FRAMEWORKS = {
  react: { parts: ['react', 'react-dom'], plugins: async () => [] },
  vue: {
    parts: ['vue'],
    plugins: async () => {
      const { default: vue } = await import('@vitejs/plugin-vue');
      return [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === 'pellucid-explainer' } } })];
    },
  },
  svelte: {
    parts: ['svelte'],
    plugins: async () => [(await import('@sveltejs/vite-plugin-svelte')).svelte({ configFile: false })],
  },
};

/** Builds the application of a framework, and returns the folder that has it. */
async function built(name, { parts, plugins }) {
  const folder = await mkdtemp(join(tmpdir(), `pellucid-${name}-`));
  const installed = join(folder, 'node_modules');
  await mkdir(installed);
  await Promise.all(parts.map((part) => symlink(join(HERE, 'node_modules', part), join(installed, part))));
  await cp(PACKAGE, join(installed, 'pellucid'), { recursive: true });
  for (const from of [name, 'index.html', 'questions.js']) {
    await cp(join(HERE, 'frameworks', from), from === name ? folder : join(folder, from), { recursive: true });
  }
  for (const picture of ['cat.jpg', 'coffee.jpg']) await cp(join(ROOT, 'www/samples', picture), join(folder, 'public', picture));
  const { build } = await import('vite');
  await build({ root: folder, configFile: false, logLevel: 'error', mode: 'development', plugins: await plugins() });
  return folder;
}

describe('the tag in an application of', () => {
  let browser;

  before(async () => (browser = await launch({ webgpu: false })));
  after(() => browser?.close());

  for (const [name, framework] of Object.entries(FRAMEWORKS)) {
    it(`${name} follows its state, tells it results, and goes while it runs`, { timeout: 120_000 }, async () => {
      const folder = await built(name, framework);
      const server = await serveFolder(join(folder, 'dist'));
      const page = await browser.newPage({ viewport: { width: 1000, height: 1000 } });
      const faults = [];
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => ['error', 'warning'].includes(message.type()) && faults.push(message.text()));
      await page.addInitScript(() => {
        window.told = [];
        for (const what of ['progress', 'error']) document.addEventListener(`pellucid-${what}`, ({ detail }) => window.told.push([what, detail.message]));
      });
      try {
        await page.goto(server.url);
        await follow(page);
        const errors = await page.evaluate(() => window.told.filter(([what]) => what === 'error'));
        assert.deepEqual([faults, errors], [[], []]);
      } finally {
        await page.close();
        server.end();
        await rm(folder, { recursive: true });
      }
    });
  }

  async function follow(page) {
    const tag = page.locator('pellucid-explainer');
    const press = (button) => page.getByRole('button', { name: button, exact: true }).click();
    const seen = async (...results) => {
      const matches = () => page.locator('main > output').textContent().then((text) => new RegExp(`^${results.join('; ')}$`).test(text));
      await eventually(matches, `${results.at(-1)}, not ${await page.locator('main > output').textContent()}`, 30_000);
    };
    const cat = '(tabby|tiger cat|Egyptian cat)';
    await seen(`grad-cam ${cat}`);
    assert.ok(await tag.locator('[part="overlay"]').evaluate((canvas) => canvas.checkVisibility() && canvas.width > 100));
    // The same question in another object is no question.
    await press('Regions');
    await press('Hiding');
    await seen(`grad-cam ${cat}`, `occlusion ${cat}`);
    assert.equal(await tag.evaluate((element) => element.getAttribute('parameters')), '{"window":64,"stride":64}');
    await press('Pale');
    await eventually(() => tag.locator('[part="overlay"]').evaluate(({ style }) => style.opacity === '0.25'), 'a pale overlay');
    await press('Strong');
    await eventually(() => tag.evaluate((element) => !element.hasAttribute('opacity')), 'no opacity of its own');
    await press('Coffee');
    await seen(`grad-cam ${cat}`, `occlusion ${cat}`, 'occlusion espresso');
    await page.evaluate(() => (window.told.length = 0));
    await press('Slow');
    await page.waitForFunction(() => window.told.some(([what]) => what === 'progress'), null, { timeout: 30_000 });
    await press('Show or hide');
    assert.equal(await tag.count(), 0);
    await eventually(() => page.workers().length === 0, 'the engine goes with its last tag', 20_000);
    await press('Regions');
    await press('Show or hide');
    await seen(`grad-cam ${cat}`, `occlusion ${cat}`, 'occlusion espresso', 'grad-cam espresso');
  }
});
