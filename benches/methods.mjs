// How long every method takes in the page, for each model file of a folder, and a table of that beside the native times:
// `cargo xtask bench --methods FOLDER` runs this behind the native bench, whose lines are in the file NATIVE.
// `node benches/methods.mjs FOLDER NATIVE LIMIT`

import { readFile, readdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { launch, open } from '../tests/browser/chromium.mjs';
import { coffee } from '../tests/browser/support.mjs';

const [folder, native, limit] = process.argv.slice(2);

/// A first run that takes less, in milliseconds, is done again: what prepares its programs is not counted.
const SHORT = 5000;

/// The times of every method for a model file: `[{ method, seconds, about }]`; or a sentence where the page cannot open it.
async function inPage(browser, path) {
  const { page, context } = await open(browser, '/bench/blank.html');
  try {
    const picture = (await coffee()).bytes.toString('base64');
    await page.evaluate(prepare, picture);
    const input = await page.waitForSelector('#model');
    await input.setInputFiles([path]);
    const trouble = await page.evaluate(openModel);
    if (trouble) return trouble;
    const times = [];
    for (const method of await page.evaluate(() => window.explainer.methods().map(({ id }) => id))) {
      times.push({ method, ...(await page.evaluate(time, [method, Number(limit) * 1000, SHORT])) });
    }
    return times;
  } finally {
    await context.close();
  }
}

async function prepare(picture) {
  window.picture = await (await fetch(`data:image/jpeg;base64,${picture}`)).blob();
  document.body.innerHTML = '<input type="file" id="model">';
}

/// Opens the file that was chosen, as the page does; what is wrong with it otherwise.
async function openModel() {
  const { Explainer } = await import('/www/api/pellucid.js');
  try {
    window.explainer = await Explainer.load({ model: document.querySelector('#model').files[0], backend: 'cpu', retries: 0 });
    await window.explainer.classify(window.picture);
  } catch (error) {
    return error.message;
  }
}

/// The seconds of a method with its defaults. A run that lasts longer than the limit is stopped, and its time follows from
/// how far it was.
async function time([method, limit, short]) {
  const run = async () => {
    const controller = new AbortController();
    const start = performance.now();
    let about;
    const onProgress = ({ done, total }) => {
      const spent = performance.now() - start;
      if (spent < limit || !done || done === total) return;
      about ??= (spent * total) / done;
      controller.abort();
    };
    await window.explainer.explain(window.picture, { method, onProgress, signal: controller.signal }).catch((error) => {
      if (error.code !== 'cancelled') throw error;
    });
    return about ? { seconds: about / 1000, about: true } : { seconds: (performance.now() - start) / 1000, about: false };
  };
  const first = await run();
  return first.seconds * 1000 < short ? run() : first;
}

const shown = ({ seconds, about } = {}) => (seconds === undefined ? '' : `${about ? 'about ' : ''}${words(seconds)}`);
const words = (seconds) =>
  seconds < 10 ? `${seconds.toPrecision(2)} s` : seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;

const natively = (await readFile(native, 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line));
const files = (await readdir(folder)).filter((name) => name.endsWith('.onnx')).sort();
const networks = files.map((file) => file.replace(/\.onnx$/, ''));
const browser = await launch({ webgpu: false });
const pages = {};
try {
  for (const [i, file] of files.entries()) pages[networks[i]] = await inPage(browser, join(folder, file));
  console.log(`${cpus().length} × ${cpus()[0].model}, no GPU, Chromium ${browser.version()}\n`);
} finally {
  await browser.close();
}
console.log(`| method | ${networks.map((name) => `${name}, native | ${name}, page`).join(' | ')} |`);
console.log(`|---|${networks.map(() => '---:|---:|').join('')}`);
const refused = (network) => !Array.isArray(pages[network]);
for (const method of new Set(natively.map(({ method }) => method))) {
  const cell = (times, network) => shown(times.find((time) => time.method === method && (time.network ?? network) === network));
  const cells = networks.map((network) => `${cell(natively, network)} | ${refused(network) ? '–' : cell(pages[network], network)}`);
  console.log(`| \`${method}\` | ${cells.join(' | ')} |`);
}
for (const network of networks.filter(refused)) console.log(`\nThe page does not open ${network}: ${pages[network]}`);
