// From opening the page to the first classes, as the page itself times it, and from a tag that comes into view to its map.

import { pageUrl } from '../tests/browser/chromium.mjs';
import { coffee, drop } from '../tests/browser/support.mjs';
import { median } from './meter.mjs';

/// The openings that are timed, each with its budget in seconds; a software GPU has none.
export const OPENINGS = [
  { what: 'From opening the page to the first classes, empty cache', visit: visitPage, isWarm: false, budget: 2 },
  { what: 'From opening the page to the first classes, warm cache', visit: visitPage, isWarm: true, budget: 1 },
  { what: 'From opening the page to the first classes, empty cache, WebGPU', visit: (page) => visitPage(page, '?backend=gpu'), isWarm: false },
  { what: 'From scrolling a tag into view to its first map, warm cache', visit: visitTag, isWarm: true, budget: 1.5 },
];

/// How long the first visit lasts, in milliseconds: until the page has kept itself for the next.
const STAY = 8000;

/// How long the browser itself works on a new tab, in milliseconds: a reader's is open already.
const SETTLE = 1000;

/// Visits `runs` times, with an empty cache or after a first visit; the medians of the spans in seconds, by name, `total`
/// among them.
export async function timeOpening(browser, { visit, isWarm }, runs) {
  const all = [];
  let context = await browser.newContext();
  const once = async (stay = 0) => {
    const page = await context.newPage();
    await page.waitForTimeout(SETTLE);
    try {
      const spans = await visit(page);
      await page.waitForTimeout(stay);
      return spans;
    } finally {
      await page.close();
    }
  };
  try {
    if (isWarm) await once(STAY);
    for (let i = 0; i < runs; i++) {
      if (!isWarm) {
        await context.close();
        context = await browser.newContext();
      }
      all.push(await once());
    }
  } finally {
    await context.close();
  }
  return Object.fromEntries(Object.keys(all[0]).map((name) => [name, median(all.map((spans) => spans[name]))]));
}

/// Opens the page and gives it a picture at once. The page's own spans, and the total from the navigation on.
async function visitPage(page, query = '') {
  const picture = await coffee();
  await page.goto(pageUrl(query), { waitUntil: 'domcontentloaded' });
  await drop(page, picture);
  await page.waitForFunction(() => performance.getEntriesByName('pellucid:first-classes').length, null, { timeout: 120_000 });
  return page.evaluate(() => {
    const measures = performance.getEntriesByType('measure').filter(({ name }) => name.startsWith('pellucid:'));
    const spans = measures.map(({ name, duration }) => [name.slice('pellucid:'.length), duration / 1000]);
    const { startTime, duration } = performance.getEntriesByName('pellucid:first-classes')[0];
    return Object.fromEntries([...spans, ['total', (startTime + duration) / 1000]]);
  });
}

/// Opens a page with a tag far below, waits as a reader does, and scrolls to it.
async function visitTag(page) {
  await page.goto(pageUrl('/bench/tag.html'));
  await page.waitForTimeout(1000);
  const total = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const tag = document.querySelector('pellucid-explainer');
        const start = performance.now();
        tag.addEventListener('pellucid-result', () => resolve((performance.now() - start) / 1000));
        tag.addEventListener('pellucid-error', ({ detail }) => reject(new Error(detail.message)));
        tag.scrollIntoView();
      }),
  );
  return { total };
}
