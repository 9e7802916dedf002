// Model files of the reader's own, one after another in one page: how long each takes to open. `full.py --keep FOLDER` in
// tests/reference/architectures makes such a folder.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from '../tests/browser/chromium.mjs';
import { coffee, drop, explained } from '../tests/browser/support.mjs';

/// Larger files have no budget.
const LARGEST = 100 * 2 ** 20;

/// Seconds from choosing a file of at most 100 MiB to its first classes, on the CPU.
export const BUDGET = 4;

/// The `.onnx` files of a folder that are not too large, in the order of their names: `{ name, path, size }`.
export async function ownModels(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.onnx')).sort();
  const of = async (name) => ({ name, path: join(folder, name), size: (await stat(join(folder, name))).size });
  return (await Promise.all(names.map(of))).filter(({ size }) => size <= LARGEST);
}

/// Opens those files one after another: [name, seconds] of each.
export async function openOwnModels(browser, folder) {
  const { page, context } = await open(browser, '?backend=cpu');
  try {
    await explained(page, async () => drop(page, await coffee()));
    const times = [];
    for (const { name, path } of await ownModels(folder)) times.push([name, await openModel(page, path)]);
    return times;
  } finally {
    await context.close();
  }
}

/// Chooses a file; the seconds until the dialog shows the first classes of the picture that is open.
export async function openModel(page, path) {
  await page.click('#model-button');
  const [input, name] = [await page.$('#model-dialog input[type=file]'), path.split('/').at(-1).replace(/\.onnx$/, '')];
  const start = performance.now();
  await input.setInputFiles([path]);
  const isOpen = (name) =>
    document.querySelector('#model-name').innerText.includes(name) &&
    document.querySelector('#model-dialog').innerText.includes('The network sees');
  await page.waitForFunction(isOpen, name, { timeout: 120_000 });
  const seconds = (performance.now() - start) / 1000;
  await page.keyboard.press('Escape');
  return seconds;
}
