// The examples of docs/javascript.md, each run in its order in a page of somebody else's.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { launch } from './chromium.mjs';
import { openHost } from './host.mjs';

const DOCS = new URL('../../docs/javascript.md', import.meta.url);

/** The examples as one function each: what one declares, the later ones see. */
async function examples() {
  const text = await readFile(DOCS, 'utf8');
  return [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) =>
    code
      .replace(/^import \{ (\w+) \} from '(.*)';$/gm, "window.$1 = (await import(new URL('$2', location.href).href)).$1;")
      .replace(/^const (\w+) =/gm, 'window.$1 =')
      .replace(/^const \{ ([\w, ]+) \} = (.*);$/gm, 'Object.assign(window, (({ $1 }) => ({ $1 }))($2));'),
  );
}

describe('docs/javascript.md', () => {
  let browser, page, trouble;
  const said = [];

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await openHost(browser, '<!doctype html><title>Docs</title>'));
    page.on('console', (message) => said.push(message.text()));
  });
  after(() => browser?.close());

  it('has examples that run', { timeout: 120_000 }, async () => {
    const all = await examples();
    assert.ok(all.length >= 12, `${all.length} examples`);
    for (const code of all) {
      const before = said.length;
      // A function of the page, which its policy and its errors concern as they concern a script.
      await page.evaluate((code) => new (Object.getPrototypeOf(async () => {}).constructor)(code)(), code).catch((error) => assert.fail(`${code}\n${error}`));
      if (code.includes('console.log')) assert.ok(said.length > before, `nothing was said by\n${code}`);
    }
    const text = said.join('\n');
    for (const pattern of [/EfficientNet.* cpu/, /tabby/, /PellucidError argument/, /true \d+/, /image\/png/, /TABBY/, /cpu .*127\.5/, /^true$/m]) assert.match(text, pattern);
    assert.deepEqual(trouble, { violations: [], errors: [] });
  });
});
