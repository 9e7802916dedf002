// What the browser tests share: giving files to the page, and waiting for what it makes of them.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

const ROOT = new URL('../../', import.meta.url);

/** A file of the repository as `{ name, type, bytes }`. */
export async function fileOf(path, type = 'image/jpeg') {
  return { name: path.split('/').pop(), type, bytes: await readFile(new URL(path, ROOT)) };
}

export const coffee = () => fileOf('www/samples/coffee.jpg');
export const model = () => fileOf('models/efficientnet-lite0-int8.onnx', 'application/octet-stream');

/** Drops files on the page, together. */
export async function drop(page, ...files) {
  const encoded = files.map(({ name, type, bytes }) => ({ name, type, base64: Buffer.from(bytes).toString('base64') }));
  await page.evaluate(async (files) => {
    const dataTransfer = new DataTransfer();
    for (const { name, type, base64 } of files) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      dataTransfer.items.add(new File([bytes], name, { type }));
    }
    for (const kind of ['dragenter', 'dragover', 'drop']) {
      document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
    }
  }, encoded);
}

/**
 * Does `act` and returns the next finished explanation: the report, the map's shape, values and their hash.
 * `wanted`: what the report has to say, such as `{ method: 'lime' }`, where an earlier run may still end.
 */
export async function explained(page, act, wanted = {}, timeout = 90_000) {
  const pending = page.evaluate(
    ({ wanted, timeout }) =>
      new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error('no explanation in time')), timeout);
        const hear = async ({ detail: { result, values } }) => {
          if (Object.entries(wanted).some(([key, value]) => result[key] !== value)) return;
          document.removeEventListener('pellucid-result', hear);
          const digest = await crypto.subtle.digest('SHA-256', values.data);
          const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
          resolve({ result, shape: [...values.shape], values: [...values.data.slice(0, 10_000)], hash });
        };
        document.addEventListener('pellucid-result', hear);
      }),
    { wanted, timeout },
  );
  const [outcome] = await Promise.all([pending, act()]);
  return outcome;
}

/** The answers as shown: `[{ label, share }]`. */
export const answers = (page) =>
  page.$$eval('#answers .answer', (rows) =>
    rows.map((row) => ({
      label: row.querySelector('.answer-label').textContent,
      share: row.querySelector('.answer-share').textContent,
    })),
  );

/** Chooses an option of the picker in `field` by its visible label. */
export async function choose(page, field, label) {
  await page.click(`${field} .picker-button`);
  await page.locator(`${field} [role="option"]`, { has: page.getByText(label, { exact: true }) }).first().click();
}

/** Sets parameters of the method by their labels. */
export const set = (page, settings) =>
  page.evaluate((settings) => {
    for (const [label, value] of Object.entries(settings)) {
      const labels = [...document.querySelectorAll('#parameters label')];
      const { htmlFor } = labels.find((each) => each.firstChild.textContent === label);
      const input = document.getElementById(htmlFor);
      input.value = value;
      input.dispatchEvent(new Event(input instanceof HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
    }
  }, settings);

export const dismissAll = (page) => page.$$eval('.notice', (all) => all.forEach((one) => one.remove()));

/** Waits for a message with this code and returns its text. */
export async function noticeOf(page, code, timeout = 20_000) {
  const notice = page.locator(`.notice[data-code="${code}"] p`).first();
  await notice.waitFor({ timeout });
  return notice.textContent();
}

/** The drawn picture, averaged to `size` x `size` colours in 0..255. */
export const thumbnail = (page, size = 12) =>
  page.$eval(
    '#canvas',
    (canvas, size) => {
      const small = new OffscreenCanvas(size, size).getContext('2d');
      small.imageSmoothingQuality = 'high';
      small.drawImage(canvas, 0, 0, size, size);
      const { data } = small.getImageData(0, 0, size, size);
      return Array.from({ length: size * size }, (_, i) => [data[4 * i], data[4 * i + 1], data[4 * i + 2]]);
    },
    size,
  );

/** Mean difference of two thumbnails, 0..255. */
export function difference(a, b) {
  const all = a.flatMap((pixel, i) => pixel.map((value, c) => Math.abs(value - b[i][c])));
  return all.reduce((sum, value) => sum + value, 0) / all.length;
}

/** Waits until `holds` is true: drawing is quick, but not at once. */
export async function eventually(holds, what, timeout = 15_000) {
  const end = Date.now() + timeout;
  while (!(await holds())) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Nothing was asked of another origin, nothing was refused by the content security policy, nothing was thrown. */
export function assertQuiet(trouble) {
  assert.deepEqual(trouble, { requests: [], violations: [], errors: [] });
}
