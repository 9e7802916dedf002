// A whole session, as the browser itself records it: page, workers, service worker and all, with the page or with the tag,
// on the CPU or on the GPU. Nothing is asked of anybody but the page's own host, and no cookie is set.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { open, launch } from './chromium.mjs';
import { openHost } from './host.mjs';
import { host } from './site.mjs';
import { choose, coffee, drop, explained, set } from './support.mjs';

/** Whom Chromium asks on its own account, whatever page is open: for updates of itself and the like. */
const CHROMIUM_S_OWN = /^(clients\d*|update|accounts|content-autofill|optimizationguide-pa|redirector)\.(google|googleapis|gvt1)\.com$/;

/** The hosts that a browser's own record says were asked, or looked up. */
async function hostsIn(log) {
  const text = await readFile(log, 'utf8');
  return [...new Set([...text.matchAll(/"(?:url|host)":"(?:[a-z]+:\/\/)?([^/":]+)/g)].map(([, name]) => name))];
}

/** What a browser did: `act` gets it, and a site of the built page. Nobody but the site is asked. */
async function recorded(options, act) {
  const folder = await mkdtemp(join(tmpdir(), 'pellucid-session-'));
  const log = join(folder, 'net.json');
  const site = await host();
  const browser = await launch({ ...options, args: [`--log-net-log=${log}`] });
  try {
    await act(browser, site);
  } finally {
    await browser.close();
    await site.close();
  }
  const hosts = await hostsIn(log);
  assert.ok(hosts.includes('127.0.0.1'), 'the record has what was asked');
  assert.deepEqual(hosts.filter((name) => name !== '127.0.0.1' && !CHROMIUM_S_OWN.test(name)), []);
  await rm(folder, { recursive: true, force: true });
}

/** A page of somebody else's with the tag: its map, and those after each change. */
async function withTag(browser, backend, changes) {
  const html = `<!doctype html><title>A host</title><pellucid-explainer src="www/samples/cat.jpg" backend="${backend}"></pellucid-explainer><script type="module" src="www/tag/pellucid-explainer.js"></script>`;
  const { page, context } = await openHost(browser, html);
  const next = (change) =>
    page.evaluate(
      (change) =>
        new Promise((resolve, reject) => {
          const tag = document.querySelector('pellucid-explainer');
          tag.addEventListener('pellucid-result', ({ detail }) => resolve(detail.explanation.backend), { once: true });
          tag.addEventListener('pellucid-error', ({ detail }) => reject(detail), { once: true });
          if (!change && tag.explanations.length > 0) resolve(tag.explanations[0].backend);
          Object.assign(tag, change);
        }),
      change,
    );
  assert.equal(await next(), backend);
  for (const change of changes) await next(change);
  assert.deepEqual(await context.cookies(), []);
  await context.close();
}

describe('a session', () => {
  it('asks nobody but the host of the page for anything, and leaves no cookie', () =>
    recorded({ webgpu: false }, async (browser, site) => {
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
      await withTag(browser, 'cpu', [{ method: 'saliency' }, { target: 'tiger cat' }]);
    }));

  it('asks nobody else on the GPU either', { skip: process.env.PELLUCID_FULL ? false : 'slow: a software GPU compiles everything anew' }, () => recorded({ webgpu: true }, (browser) => withTag(browser, 'gpu', [])));
});
