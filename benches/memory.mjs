// The memory that the page holds while model files of the reader's own are opened in it one after another, beside
// what it holds with the largest alone: the memory of a model that was there before is given back. Known on Linux
// only.

import { readFileSync } from 'node:fs';
import { open } from '../tests/browser/chromium.mjs';
import { coffee, drop, explained } from '../tests/browser/support.mjs';
import { descendants } from './meter.mjs';
import { openModel, ownModels } from './own-models.mjs';

/// How many models are opened in one page.
const MODELS = 5;

/// How often what the largest takes alone the page may hold.
export const GROWTH = 1.2;

/// The memory of all processes of the browser, in MiB; what several share is counted once. NaN where it is not known.
function memory() {
  try {
    const pss = (pid) => Number(/^Pss: *(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))[1]) / 1024;
    return descendants().reduce((sum, pid) => sum + pss(pid), 0);
  } catch {
    return NaN;
  }
}

/// How long memory must not have fallen to be what is held, and how long it is waited for, in milliseconds.
const [STEADY, PATIENCE] = [4000, 30_000];

/// The memory that is held after work has ended: the least until nothing more is given back.
async function held(page) {
  let [least, since] = [memory(), performance.now()];
  const end = since + PATIENCE;
  while (performance.now() < end && performance.now() - since < STEADY) {
    await page.waitForTimeout(250);
    const now = memory();
    if (now < 0.99 * least) since = performance.now();
    least = Math.min(least, now);
  }
  return least;
}

/// Opens files one after another in a fresh page; what each leaves held beyond an empty browser, in MiB.
async function openInTurn(browser, paths) {
  const blank = await browser.newPage();
  const before = await held(blank);
  const { page, context } = await open(browser, '?backend=cpu&workers=1');
  try {
    await explained(page, async () => drop(page, await coffee()));
    const all = [];
    for (const path of paths) {
      await explained(page, () => openModel(page, path), {}, 300_000);
      all.push((await held(page)) - before);
    }
    return all;
  } finally {
    await context.close();
    await blank.close();
  }
}

/// `{ names, each, alone }`: what the page holds after each of five models, and with the largest alone, in MiB. The models
/// are the largest of a folder, the smallest of them first; fewer are opened more than once.
export async function modelsInTurn(browser, folder) {
  const largest = (await ownModels(folder)).sort((a, b) => a.size - b.size).slice(-MODELS);
  const order = Array.from({ length: MODELS }, (_, i) => largest[i % largest.length]);
  const [alone] = await openInTurn(browser, [largest.at(-1).path]);
  return { names: order.map(({ name }) => name), each: await openInTurn(browser, order.map(({ path }) => path)), alone };
}
