// The page as an application: what Chromium finds in its manifest, and files that the system opens with it.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { launch, open, persistent } from './chromium.mjs';
import { host } from './site.mjs';
import { answers, coffee, eventually, explained, fileOf } from './support.mjs';

/** The width and height of a PNG or JPEG. */
function sizeOf(bytes) {
  if (bytes.readUInt32BE(0) === 0x89504e47) return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  for (let at = 2; ; at += 2 + bytes.readUInt16BE(at + 2)) {
    const isFrame = bytes[at + 1] >= 0xc0 && bytes[at + 1] <= 0xc3;
    if (isFrame) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
  }
}

describe('the page as an application', () => {
  let folder, site, context, page;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pellucid-install-'));
    site = await host();
    context = await persistent(folder, { webgpu: false });
    page = await context.newPage();
    await page.goto(`${site.url}?backend=cpu`);
  });
  after(async () => {
    await context?.close();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('can be installed', async () => {
    const cdp = await context.newCDPSession(page);
    const { errors, data } = await cdp.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    assert.equal(JSON.parse(data).name, 'Pellucid');
    const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
    assert.deepEqual(installabilityErrors, []);
  });

  it('has the pictures that its manifest names', async () => {
    const base = new URL('manifest.webmanifest', site.url);
    const { icons, screenshots } = await (await fetch(base)).json();
    for (const { src, sizes, type } of [...icons, ...screenshots]) {
      const response = await fetch(new URL(src, base));
      assert.ok(response.ok, src);
      assert.equal(response.headers.get('content-type'), type, src);
      if (sizes === 'any') continue;
      assert.deepEqual(sizeOf(Buffer.from(await response.arrayBuffer())), sizes.split('x').map(Number), src);
    }
    assert.deepEqual(icons.filter(({ purpose }) => purpose === 'maskable').map(({ sizes }) => sizes), ['512x512']);
    assert.deepEqual(screenshots.map(({ form_factor }) => form_factor).sort(), ['narrow', 'wide']);
  });
});

describe('files that the system opens with the page', () => {
  let browser;

  before(async () => {
    browser = await launch({ webgpu: false });
  });
  after(() => browser?.close());

  /** Opens the page as the system does with files. */
  async function opened(...files) {
    const context = await browser.newContext();
    await context.addInitScript((files) => {
      const handles = files.map(({ name, type, base64 }) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        return { getFile: async () => new File([bytes], name, { type }) };
      });
      const launchQueue = { setConsumer: (take) => void setTimeout(() => take({ files: handles })) };
      Object.defineProperty(window, 'launchQueue', { value: launchQueue });
    }, files.map(({ name, type, bytes }) => ({ name, type, base64: Buffer.from(bytes).toString('base64') })));
    const { page } = await open({ newContext: () => context }, '?backend=cpu');
    return { page, close: () => context.close() };
  }

  it('are taken as if they were dropped', async () => {
    const { page, close } = await opened(await coffee());
    await eventually(async () => (await answers(page))[0]?.label === 'espresso', 'the picture is classified');
    await explained(page, () => page.click('.answer:nth-child(2)'));
    await close();
  });

  it('may be a model', async () => {
    const { file_handlers } = JSON.parse(await readFile(new URL('../../www/manifest.webmanifest', import.meta.url), 'utf8'));
    assert.ok(file_handlers.some(({ accept }) => Object.values(accept).flat().includes('.onnx')));
    const { page, close } = await opened(await fileOf('tests/fixtures/heads/softmax.onnx', ''));
    await eventually(async () => (await page.textContent('#model-name')).includes('softmax'), 'the model is open');
    await close();
  });
});
