// Memory over a hundred images in a row, on each backend: what scripts, the engine and the GPU hold stays flat.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { launch } from './chromium.mjs';
import { openHost } from './host.mjs';

const FULL = Boolean(process.env.PELLUCID_FULL);
const IMAGES = FULL ? 100 : 25;
/** What may be held more than before, as a share. */
const GROWTH = 0.05;

/** Hands out the engine's memory, and counts the bytes of the GPU's buffers and textures: those that live. */
const WATCH = `
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const made = await instantiate(...args);
    self.memory = (made.instance ?? made).exports.memory;
    return made;
  };
  self.held = 0;
  const collected = new FinalizationRegistry((size) => (self.held -= size));
  for (const [make, Kind, size] of [
    ['createBuffer', self.GPUBuffer, ({ size }) => size],
    ['createTexture', self.GPUTexture, ({ size }) => 4 * (size.width ?? size[0]) * (size.height ?? size[1])],
  ]) {
    if (!Kind) continue;
    const sizes = new WeakMap();
    const forget = (made) => {
      self.held -= sizes.get(made) ?? 0;
      sizes.delete(made);
      collected.unregister(made);
    };
    const { [make]: create } = GPUDevice.prototype;
    GPUDevice.prototype[make] = function (about) {
      const made = create.call(this, about);
      sizes.set(made, size(about));
      collected.register(made, size(about), made);
      self.held += size(about);
      return made;
    };
    const { destroy } = Kind.prototype;
    Kind.prototype.destroy = function () {
      forget(this);
      return destroy.call(this);
    };
  }
`;
const HTML = (backend) => `<!doctype html><meta charset="utf-8"><title>A host</title><script type="module">
  import { Explainer } from './www/api/pellucid.js';
  window.explainer = await Explainer.load({ backend: '${backend}', workers: 1 });
  window.some = async (count) => {
    const names = ['cat', 'coffee', 'rocket', 'astronaut', 'camera'];
    for (let i = 0; i < count; i++) {
      const address = new URL('www/samples/' + names[i % names.length] + '.jpg', location.href).href;
      const map = await window.explainer.explain(address, { method: i % 3 ? 'grad-cam' : 'saliency' });
      await window.explainer.draw(map);
    }
  };
</script>`;

describe('memory', () => {
  for (const backend of ['cpu', 'gpu']) {
    const skip = backend === 'gpu' && !FULL ? 'slow: a hundred images on a software GPU; --full runs it' : false;
    it(`stays flat over ${IMAGES} images on the ${backend.toUpperCase()}`, { skip, timeout: 400_000 }, async () => {
      const browser = await launch({ webgpu: backend === 'gpu', args: ['--js-flags=--expose-gc'] });
      try {
        const rewrite = (path, bytes) => path === 'www/worker/worker.js' && WATCH + bytes;
        const { page, context, trouble } = await openHost(browser, HTML(backend), { rewrite });
        await page.waitForFunction(() => window.some, null, { timeout: 60_000 });
        const [engine] = page.workers();
        const client = await context.newCDPSession(page);
        const measure = async () => {
          await client.send('HeapProfiler.collectGarbage');
          const { usedSize } = await client.send('Runtime.getHeapUsage');
          // What is collected is counted in a task of its own.
          for (let i = 0; i < 3; i++) await engine.evaluate(() => (self.gc(), new Promise((resolve) => setTimeout(resolve, 100))));
          return { heap: usedSize, ...(await engine.evaluate(() => ({ wasm: self.memory.buffer.byteLength, gpu: self.held }))) };
        };
        // Each method on each sample once: programs are made then, and kept.
        await page.evaluate(() => window.some(15));
        const before = await measure();
        await page.evaluate((count) => window.some(count), IMAGES);
        const after = await measure();
        assert.equal(before.gpu > 1e6, backend === 'gpu', `${before.gpu} bytes on the GPU`);
        for (const key of ['heap', 'wasm', 'gpu']) assert.ok(after[key] <= before[key] * (1 + GROWTH), `${key}: ${before[key]} to ${after[key]}`);
        assert.deepEqual(trouble, { violations: [], errors: [] });
      } finally {
        await browser.close();
      }
    });
  }
});
