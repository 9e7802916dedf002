// Every model file that the last run of the native test `no_integer_crashes_hangs_or_eats_memory` left: opened by the
// page's own worker and, where it opens, run. Each ends in an answer or in an error with a code, never in a trap.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { coffee, model } from './support.mjs';

const FOLDER = process.env.PELLUCID_HOSTILE;

/** `length, bytes, length, bytes, …` taken apart. */
function unpacked(packed) {
  const files = [];
  for (let at = 0; at < packed.length; ) {
    const length = packed.readUInt32LE(at);
    files.push(packed.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return files;
}

/** Which part of the files is opened: all with `--full`, else one in twenty-four. */
const EACH = process.env.PELLUCID_FULL ? 1 : 24;

/** Makes `openAll(files)` in the page, which has the engine compiled by a worker that opens the shipped model. */
const start = (page, shipped, picture) =>
  page.evaluate(
    async ({ shipped, picture }) => {
      const blob = (base64) => new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]);
      const hire = () => {
        const worker = new Worker(new URL('www/worker/worker.js', location.href), { type: 'module' });
        let last = 0;
        window.ask = (op, args) =>
          new Promise((resolve) => {
            const id = ++last;
            worker.onmessage = ({ data }) => {
              if (data.fatal !== undefined || (data.id === id && !('progress' in data))) resolve(data);
            };
            worker.onerror = (event) => resolve({ fatal: event.message });
            worker.postMessage({ id, op, args });
          });
        return worker;
      };
      let engine = new URL('www/pkg/pellucid_bg.wasm', location.href).href;
      const open = (model) =>
        window.ask('start', { engine, model, name: 'a.onnx', options: { backend: 'cpu' }, background: [], patience: 30_000, helpers: 0 });
      window.picture = blob(picture);
      window.openAll = async (files) => {
        const outcomes = [];
        // What a worker's memory grew to goes with it.
        let worker = hire();
        for (const file of files) {
          const begin = performance.now();
          let answer = await open(blob(file));
          if (answer.value) {
            answer = await window.ask('image', { blob: window.picture });
            if (answer.value) answer = await window.ask('classify', {});
          }
          const { fatal, error } = answer;
          outcomes.push({ fatal, code: error?.code, ms: performance.now() - begin });
          if (fatal === undefined) continue;
          worker.terminate();
          worker = hire();
        }
        worker.terminate();
        return outcomes;
      };
      const first = hire();
      const { value, fatal, error } = await open(blob(shipped));
      engine = value?.module;
      first.terminate();
      return fatal ?? error?.message;
    },
    { shipped, picture },
  );

describe('hostile models', () => {
  let browser, page, files;

  before(async () => {
    browser = await launch({ webgpu: false });
    // The test's own worker is no part of what the page's policy allows.
    ({ page } = await open(browser, '', { bypassCSP: true }));
    files = unpacked(await readFile(`${FOLDER}/models.bin`)).filter((_, i) => i % EACH === 0);
    const base64 = ({ bytes }) => Buffer.from(bytes).toString('base64');
    assert.equal(await start(page, base64(await model()), base64(await coffee())), undefined);
  });
  after(() => browser?.close());

  it('end in an answer or in an error, never in a trap', { timeout: 3_600_000 }, async () => {
    assert.ok(files.length > 14_000 / EACH, `${files.length} files`);
    const faults = [];
    let refused = 0;
    for (let first = 0; first < files.length; first += 100) {
      const batch = files.slice(first, first + 100);
      const outcomes = await page.evaluate((batch) => window.openAll(batch), batch.map((file) => file.toString('base64')));
      outcomes.forEach(({ fatal, code, ms }, i) => {
        if (fatal !== undefined || code === 'internal') faults.push(`${first + i}: ${fatal ?? code}`);
        if (code && ms > 2000) faults.push(`${first + i}: ${code} after ${Math.round(ms)} ms`);
        if (code) refused++;
      });
    }
    assert.deepEqual(faults, []);
    assert.ok(refused > 7000 / EACH && refused < files.length, `${refused} of ${files.length} refused`);
  });
});
