// A perturbation method in the page without a GPU, over several workers.

import { pageUrl } from '../tests/browser/chromium.mjs';
import { choose, coffee, drop, explained, set } from '../tests/browser/support.mjs';
import { median } from './meter.mjs';

const SETTINGS = { Segments: 'grid', 'Number of segments': 30, Samples: 240 };

/// For each count of workers the median seconds of LIME with all of them there, and its map's hash. They take turns, as a
/// machine's pace changes.
export async function limeWith(browser, counts, runs) {
  const context = await browser.newContext();
  try {
    const all = [];
    for (const workers of counts) all.push(await prepare(await context.newPage(), workers));
    for (let i = 0; i < runs; i++) {
      for (const { page, wall } of all) {
        // Another class asks the same of the network.
        const { result } = await explained(page, () => page.click(`.answer:nth-child(${2 + (i % 2)})`));
        wall.push(result.elapsed_ms / 1000);
      }
    }
    return all.map(({ wall, hash }) => ({ wall: median(wall), hash }));
  } finally {
    await context.close();
  }
}

/// A page that has explained once, so that its workers are there.
async function prepare(page, workers) {
  await page.goto(pageUrl(`?backend=cpu&workers=${workers}`));
  await explained(page, async () => drop(page, await coffee()));
  const { hash } = await explained(page, async () => {
    await choose(page, '#method-field', 'LIME');
    await set(page, SETTINGS);
  });
  return { page, hash, wall: [] };
}
