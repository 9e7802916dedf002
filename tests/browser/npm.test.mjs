// The npm package that the build leaves in dist/npm: what the registry's own tools say of it, and that it works without a
// bundler, with Vite and with webpack.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { launch } from './chromium.mjs';
import { serveFolder } from './host.mjs';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGE = join(process.env.PELLUCID_DIST ?? join(ROOT, 'dist'), 'npm');

/** An application that uses both entries of the package. */
const MAIN = `
import { Explainer } from 'pellucid';
import 'pellucid/explainer';

window.answer = Explainer.load({ backend: 'cpu', workers: 1 })
  .then((explainer) => explainer.explain('cat.jpg', { method: 'grad-cam' }))
  .then(({ target, values }) => target.label + ' ' + values.length);
const tag = document.createElement('pellucid-explainer');
Object.assign(tag, { src: 'cat.jpg', backend: 'cpu', method: 'saliency' });
tag.addEventListener('pellucid-result', ({ detail }) => (window.shown = detail.explanation.method));
tag.addEventListener('pellucid-error', ({ detail }) => (window.shown = detail.message));
document.body.append(tag);
`;
const HTML = (script) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>An application</title><body>${script}</body></html>`;

describe('the npm package', () => {
  let browser, folder;

  before(async () => {
    browser = await launch({ webgpu: false });
    folder = await mkdtemp(join(tmpdir(), 'pellucid-npm-'));
    await mkdir(join(folder, 'node_modules'));
    await cp(PACKAGE, join(folder, 'node_modules/pellucid'), { recursive: true });
    await cp(join(ROOT, 'www/samples/cat.jpg'), join(folder, 'cat.jpg'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'main.js'), MAIN);
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The application in `built` explains a picture, by the API and by the tag. */
  async function assertWorks(built) {
    const server = await serveFolder(built);
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(server.url);
    assert.match(await page.evaluate(() => window.answer), /cat|tabby/);
    await page.waitForFunction(() => window.shown, null, { timeout: 30_000 });
    assert.equal(await page.evaluate(() => window.shown), 'saliency');
    assert.deepEqual(errors, []);
    await page.close();
    server.end();
  }

  it('is what publint and are-the-types-wrong want', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: PACKAGE, strict: true });
    assert.deepEqual(messages.filter(({ type }) => type !== 'suggestion'), []);
    const attw = join(ROOT, 'tests/browser/node_modules/@arethetypeswrong/cli/dist/index.js');
    await run(process.execPath, [attw, '--pack', PACKAGE, '--profile', 'esm-only', '--exclude-entrypoints', './explainer.classic.js'], { cwd: folder });
  });

  it('does nothing where there is no document', async () => {
    const code = "const api = await import('pellucid'); await import('pellucid/explainer'); console.log(Object.keys(api).sort().join());";
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
    assert.equal(stdout.trim(), 'Explainer,PellucidError');
  });

  it('works without a bundler', async () => {
    const map = JSON.stringify({ imports: { pellucid: './node_modules/pellucid/www/api/pellucid.js', 'pellucid/explainer': './node_modules/pellucid/www/tag/pellucid-explainer.js' } });
    await writeFile(join(folder, 'index.html'), HTML(`<script type="importmap">${map}</script><script type="module" src="main.js"></script>`));
    await assertWorks(folder);
  });

  it('works with Vite', { timeout: 120_000 }, async () => {
    const { build } = await import('vite');
    await writeFile(join(folder, 'index.html'), HTML('<script type="module" src="/main.js"></script>'));
    await build({ root: folder, configFile: false, logLevel: 'silent', build: { outDir: 'vite' } });
    await cp(join(folder, 'cat.jpg'), join(folder, 'vite/cat.jpg'));
    await assertWorks(join(folder, 'vite'));
  });

  it('works with webpack', { timeout: 120_000 }, async () => {
    const { default: webpack } = await import('webpack');
    const compiler = webpack({ mode: 'production', context: folder, entry: './main.js', output: { path: join(folder, 'webpack'), publicPath: 'auto' }, performance: { hints: false } });
    const stats = await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    assert.equal(stats.hasErrors(), false, stats.toString());
    await writeFile(join(folder, 'webpack/index.html'), HTML('<script src="main.js" defer></script>'));
    await cp(join(folder, 'cat.jpg'), join(folder, 'webpack/cat.jpg'));
    await assertWorks(join(folder, 'webpack'));
  });
});
