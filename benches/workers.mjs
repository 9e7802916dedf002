// Perturbation methods in the page without a GPU, over several workers.

import { pageUrl } from '../tests/browser/chromium.mjs';
import { choose, coffee, drop, explained, set } from '../tests/browser/support.mjs';
import { median } from './meter.mjs';

/// The runs that are timed: a method as the page calls it, its settings, and how many images that gives the network.
export const WORKS = [
  { id: 'rise', label: 'RISE', settings: { Samples: 240 }, evaluations: 240 },
  { id: 'lime', label: 'LIME', settings: { Segments: 'grid', 'Number of segments': 30, Samples: 240 }, evaluations: 240 },
  { id: 'shap-partition', label: 'SHAP (Partition)', settings: { Masker: 'inpaint-telea', Evaluations: 120 }, evaluations: 120 },
];

/// The median seconds of a method with one worker, with two, and in two pages at once with one worker each: as fast as two
/// workers could be on this machine, whose processors slow each other down. They take turns, as a machine's pace changes.
/// And the maps' hashes.
export async function withWorkers(browser, work, runs) {
  const context = await browser.newContext();
  try {
    const pages = [];
    for (const workers of [1, 2, 1]) pages.push(await prepare(await context.newPage(), work, workers));
    const [one, two, other] = pages;
    const walls = { one: [], two: [], apart: [] };
    for (let i = 0; i < runs; i++) {
      walls.one.push(await explain(one, 0));
      walls.two.push(await explain(two, i));
      const [a, b] = await Promise.all([explain(one, 1), explain(other, i)]);
      walls.apart.push((a + b) / 4);
    }
    const medians = Object.entries(walls).map(([name, wall]) => [name, median(wall)]);
    return { ...Object.fromEntries(medians), hashes: pages.map(({ hash }) => hash) };
  } finally {
    await context.close();
  }
}

/// Seconds of one explanation: another class than in the page's turn before asks the same of the network.
async function explain({ page }, turn) {
  const { result } = await explained(page, () => page.click(`.answer:nth-child(${2 + (turn % 2)})`));
  return result.elapsed_ms / 1000;
}

/// A page that has explained once, so that its workers are there.
async function prepare(page, { id, label, settings, evaluations }, workers) {
  await page.goto(pageUrl(`?backend=cpu&workers=${workers}`));
  await explained(page, async () => drop(page, await coffee()));
  await choose(page, '#method-field', label);
  const { hash } = await explained(page, () => set(page, settings), { method: id, evaluations });
  return { page, hash };
}
