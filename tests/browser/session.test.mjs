// A whole session, as the browser itself records it: page, workers, service worker and all. Nothing is asked of anybody
// but the page's own host, and no cookie is set.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { open, launch } from './chromium.mjs';
import { host } from './site.mjs';
import { choose, coffee, drop, explained, set } from './support.mjs';

/** Whom Chromium asks on its own account, whatever page is open: for updates of itself and the like. */
const CHROMIUM_S_OWN = /^(clients\d*|update|accounts|content-autofill|optimizationguide-pa|redirector)\.(google|googleapis|gvt1)\.com$/;

/** The hosts that a browser's own record says were asked, or looked up. */
async function hostsIn(log) {
  const text = await readFile(log, 'utf8');
  return [...new Set([...text.matchAll(/"(?:url|host)":"(?:[a-z]+:\/\/)?([^/":]+)/g)].map(([, name]) => name))];
}

describe('a session', () => {
  it('asks nobody but the host of the page for anything, and leaves no cookie', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pellucid-session-'));
    const log = join(folder, 'net.json');
    const site = await host();
    const browser = await launch({ webgpu: false, args: [`--log-net-log=${log}`] });
    try {
      const { page, context } = await open(browser, `${site.url}?backend=cpu&workers=2`);
      const picture = await coffee();
      await explained(page, () => drop(page, picture));
      await page.waitForSelector('#offline-name:text-is("Works offline")');
      for (const [method, id, settings] of [['Expected gradients (SHAP)', 'expected-gradients', { Samples: 2 }], ['SmoothGrad', 'smooth-grad', { Samples: 4 }]]) {
        await explained(page, async () => {
          await choose(page, '#method-field', method);
          await set(page, settings);
        }, { method: id });
      }
      await page.click('#offline-chip');
      await Promise.all([page.waitForEvent('download', { timeout: 60_000 }), page.click('#save-single')]);
      await page.reload();
      await explained(page, () => page.click('#welcome .sample:nth-child(1)'));
      assert.deepEqual(await context.cookies(), []);
      assert.ok(site.headers.length > 10 && site.headers.every(({ cookie }) => !cookie));
      await context.close();
    } finally {
      await browser.close();
      await site.close();
    }
    const hosts = await hostsIn(log);
    assert.ok(hosts.includes('127.0.0.1'), 'the record has what was asked');
    assert.deepEqual(hosts.filter((name) => name !== '127.0.0.1' && !CHROMIUM_S_OWN.test(name)), []);
    await rm(folder, { recursive: true, force: true });
  });
});
