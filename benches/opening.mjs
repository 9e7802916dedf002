// From opening the page to the first classes, as the page itself times it.

import { pageUrl } from '../tests/browser/chromium.mjs';
import { coffee, drop } from '../tests/browser/support.mjs';
import { median } from './meter.mjs';

/// Opens the page `runs` times with an empty cache and gives it a picture at once; the medians of the page's own
/// timings, in seconds, by name.
export async function openPage(browser, query, runs) {
  const all = [];
  for (let i = 0; i < runs; i++) {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(pageUrl(query));
      await drop(page, await coffee());
      await page.waitForFunction(() => performance.getEntriesByName('pellucid:first-classes').length, null, { timeout: 120_000 });
      const spans = await page.evaluate(() =>
        performance
          .getEntriesByType('measure')
          .filter(({ name }) => name.startsWith('pellucid:'))
          .map(({ name, duration }) => [name.slice('pellucid:'.length), duration / 1000]),
      );
      all.push(Object.fromEntries(spans));
    } finally {
      await context.close();
    }
  }
  return Object.keys(all[0]).map((name) => [name, median(all.map((spans) => spans[name]))]);
}
