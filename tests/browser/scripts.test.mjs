// The tag's scripts in pages that load them in other ways: as a classic script, more than once, and beside or through a
// loader of modules that is older than those of the language.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { launch, pageUrl } from './chromium.mjs';
import { openHost } from './host.mjs';

const MODULE = '<script type="module" src="www/tag/pellucid-explainer.js"></script>';
const CLASSIC = '<script src="www/tag/pellucid-explainer.classic.js"></script>';
const OTHER = '<script src="other/www/tag/pellucid-explainer.classic.js"></script>';
const REQUIRE = '<script src="require.js"></script>';
const TAG = '<pellucid-explainer src="www/samples/cat.jpg" backend="cpu" height="100" controls="none"></pellucid-explainer>';
const html = (script) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A host</title><body>${TAG}${script}`;

const WAYS = {
  'a classic script': CLASSIC,
  'two of them': CLASSIC + CLASSIC,
  'a classic script behind the module': MODULE + CLASSIC,
  'a classic script before the module': CLASSIC + MODULE,
  'two versions': CLASSIC + OTHER,
  'a classic script on a page of RequireJS': REQUIRE + CLASSIC,
  'a module on a page of RequireJS': REQUIRE + MODULE,
  'RequireJS itself': `${REQUIRE}<script>require(['www/tag/pellucid-explainer.classic.js'], () => (window.isRequired = true));</script>`,
};

describe('the tag from', () => {
  let browser, files;

  before(async () => {
    browser = await launch({ webgpu: false });
    const classic = await (await fetch(pageUrl('www/tag/pellucid-explainer.classic.js'))).text();
    // Another build: its events have other names, and nothing lies beside it that an explanation could be made with.
    const renamed = classic.replaceAll('pellucid-${', 'other-${');
    assert.notEqual(renamed, classic);
    files = {
      'require.js': await readFile(new URL('node_modules/requirejs/require.js', import.meta.url)),
      'other/www/tag/pellucid-explainer.classic.js': `${renamed};window.isOtherRead = true;`,
    };
  });
  after(() => browser?.close());

  for (const [name, script] of Object.entries(WAYS)) {
    it(name, async () => {
      const { page, context, trouble } = await openHost(browser, html(script), { files });
      await page.waitForFunction(() => document.querySelector('pellucid-explainer').explanations?.length, null, { timeout: 30_000 });
      assert.equal(page.workers().length, 1);
      assert.equal(await page.evaluate(() => Boolean(window.define?.amd)), script.includes(REQUIRE));
      assert.equal(await page.evaluate(() => Boolean(window.isRequired)), name === 'RequireJS itself');
      assert.equal(await page.evaluate(() => Boolean(window.isOtherRead)), name === 'two versions');
      assert.deepEqual(trouble, { violations: [], errors: [] });
      await context.close();
    });
  }
});
