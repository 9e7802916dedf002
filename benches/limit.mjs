// The largest model file that the page takes, in the memory that a page has: opened, run and differentiated.

import { open } from '../tests/browser/chromium.mjs';
import { choose, coffee, drop, explained } from '../tests/browser/support.mjs';

/// The page's own limit, as README tells it.
export const LIMIT_MIB = 384;

/// The kinds of model: many weights, or one.
export const KINDS = ['convolutions', 'dense'];

/// Opens a model file of the limit's size; the seconds to the first map, and those of a gradient.
export async function openLargest(browser, kind, query) {
  const { page, context } = await open(browser, query);
  try {
    await explained(page, async () => drop(page, await coffee()));
    const start = performance.now();
    const wait = 300_000;
    const first = await explained(page, () => page.evaluate(dropLarge, [kind, LIMIT_MIB * 2 ** 20]), {}, wait);
    const opened = performance.now();
    await explained(page, () => choose(page, '#method-field', 'Saliency'), { method: 'saliency' }, wait);
    const model = await page.locator('#model-button').innerText();
    if (!model.includes(kind)) throw new Error(`the page shows ${model}`);
    return { opening: (opened - start) / 1000, gradient: (performance.now() - opened) / 1000, first };
  } finally {
    await context.close();
  }
}

async function dropLarge([kind, bytes]) {
  const { largeModel } = await import('/bench/large-model.js');
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(largeModel(kind, bytes));
  for (const type of ['dragenter', 'dragover', 'drop']) {
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }
}
