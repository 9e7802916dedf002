// Browsers that cannot run the engine, as their own flags make them: the page and the tag say what is missing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { openHost } from './host.mjs';
import { coffee, dismissAll, drop, noticeOf } from './support.mjs';

const TAG = '<pellucid-explainer src="www/samples/cat.jpg"><img src="www/samples/cat.jpg" alt="A cat"></pellucid-explainer>';
const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A host</title>${TAG}<script type="module" src="www/tag/pellucid-explainer.js"></script>`;
const SENTENCE = /needs WebAssembly with SIMD/;

/** What makes Chromium such a browser, and whether it has WebAssembly then. */
const BROWSERS = {
  // Without these instructions Chromium has no vectors in WebAssembly.
  'WebAssembly without SIMD': ['--no-enable-sse4-1', true],
  // As lockdown modes are, without a compiler.
  'no WebAssembly': ['--jitless', false],
};

describe('a browser with', () => {
  for (const [name, [flag, hasWasm]] of Object.entries(BROWSERS)) {
    const skip = hasWasm && process.arch !== 'x64' ? 'only x64 has this flag' : false;
    it(`${name} is told what it lacks`, { skip }, async () => {
      const browser = await launch({ webgpu: false, args: [`--js-flags=${flag}`] });
      try {
        const { page, trouble } = await open(browser);
        assert.equal(await page.evaluate(() => typeof WebAssembly), hasWasm ? 'object' : 'undefined');
        assert.match(await noticeOf(page, 'browser'), SENTENCE);
        await dismissAll(page);
        await drop(page, await coffee());
        assert.match(await noticeOf(page, 'browser'), SENTENCE, 'at each drop');
        assert.deepEqual(trouble.errors, []);

        const host = await openHost(browser, HTML);
        const tag = host.page.locator('pellucid-explainer');
        // Where there is no WebAssembly the tag is not defined, and what the author put inside stays.
        if (hasWasm) assert.match(await tag.locator('[part="error"] span').textContent({ timeout: 20_000 }), SENTENCE);
        assert.ok(await tag.locator('> img').isVisible());
        assert.deepEqual(host.trouble.errors, []);
      } finally {
        await browser.close();
      }
    });
  }
});
