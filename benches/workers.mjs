// A perturbation method in the page without a GPU, over several workers.

import { pageUrl } from '../tests/browser/chromium.mjs';
import { choose, coffee, drop, explained, set } from '../tests/browser/support.mjs';
import { median } from './meter.mjs';

const SETTINGS = { Segments: 'grid', 'Number of segments': 30, Samples: 240 };

/// The median seconds of LIME with so many workers that are all there, and its map's hash.
export async function limeWith(browser, workers, runs) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(pageUrl(`?backend=cpu&workers=${workers}`));
    await explained(page, async () => drop(page, await coffee()));
    let map = await explained(page, async () => {
      await choose(page, '#method-field', 'LIME');
      await set(page, SETTINGS);
    });
    const { hash } = map;
    const wall = [];
    for (let i = 0; i < runs; i++) {
      // Another class asks the same of the network.
      map = await explained(page, () => page.click(`.answer:nth-child(${2 + (i % 2)})`));
      wall.push(map.result.elapsed_ms / 1000);
    }
    return { wall: median(wall), hash };
  } finally {
    await context.close();
  }
}
