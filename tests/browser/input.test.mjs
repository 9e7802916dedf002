// What is dropped on the page may be anything: each is refused in words, with its code, and the page goes on.

import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, coffee, choose, dismissAll, drop, explained, model, noticeOf } from './support.mjs';

describe('bad input', () => {
  let browser, page, trouble;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu'));
  });
  after(() => browser?.close());

  async function refused(file, code, words) {
    await dismissAll(page);
    await drop(page, file);
    const text = await noticeOf(page, code);
    assert.match(text, words);
    assert.ok(text.length < 400, 'a sentence or two');
  }

  it('refuses pictures that are none, and keeps the welcome page', async () => {
    const { bytes } = await coffee();
    const picture = (name, content) => ({ name, type: 'image/jpeg', bytes: Buffer.from(content) });
    await refused(picture('notes.txt', 'just some words'), 'image', /./);
    await refused(picture('empty.jpg', ''), 'image', /./);
    await refused(picture('cut.jpg', bytes.subarray(0, bytes.length / 3)), 'image', /./);
    await refused({ name: 'huge.png', type: 'image/png', bytes: lyingPng(100_000) }, 'limit', /100,?000/);
    assert.ok(await page.locator('#welcome').isVisible());
  });

  it('still explains a good one after that', async () => {
    const picture = await coffee();
    const { result } = await explained(page, () => drop(page, picture));
    assert.equal(result.target.label, 'espresso');
    assert.equal(await page.locator('.notice.error').count(), 0);
  });

  it('refuses models that are none, and keeps the one in use', async () => {
    const { bytes } = await model();
    const broken = (name, content) => ({ name, type: '', bytes: content });
    await refused(broken('words.onnx', Buffer.from('not a model')), 'model', /./);
    await refused(broken('cut.onnx', bytes.subarray(0, bytes.length / 2)), 'model', /./);
    await refused(broken('odd.onnx', renamed(bytes, 'GlobalAveragePool', 'GlobalAveragePoll')), 'unsupported', /GlobalAveragePoll/);
    await dismissAll(page);
    const { result } = await explained(page, () => page.click('.answer:nth-child(2)'));
    assert.equal(result.target.label, (await answers(page))[1].label);
  });

  it('names what is no model, with the way to one', async () => {
    const file = (name, text) => ({ name, type: '', bytes: Buffer.from(text, 'latin1') });
    await refused(file('weights.pt', 'PK\x03\x04' + '\0'.repeat(22) + 'archive/data.pkl'), 'model', /PyTorch checkpoint.*torch\.onnx\.export/);
    await refused(file('net.h5', '\x89HDF\r\n\x1a\n'), 'model', /Keras model.*tf2onnx/);
    await refused(file('net.tflite', '\x1c\0\0\0TFL3'), 'model', /TensorFlow Lite/);
    await refused(file('net.onnx', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d'), 'model', /Git LFS pointer.*git lfs pull/);
    await refused(file('page.onnx', '<!DOCTYPE html><title>404</title>'), 'model', /web page/);
    await refused(file('empty.onnx', ''), 'model', /empty file/);
  });

  it('refuses labels that cannot be read, and says why', async () => {
    await dismissAll(page);
    await page.click('#model-button');
    const choose = (name, text) => page.getByLabel('Choose labels').setInputFiles({ name, mimeType: '', buffer: Buffer.from(text) });
    await choose('gap.json', '{"0": "cat", "2": "dog"}');
    assert.match(await noticeOf(page, 'argument'), /index 1 is missing/);
    await dismissAll(page);
    await choose('two.txt', "{0: 'cat', 1: 'dog'}");
    await page.getByText('2 labels from two.txt').waitFor();
    await page.getByRole('button', { name: 'Apply' }).click();
    assert.match(await noticeOf(page, 'argument'), /2 labels for 1000 classes/);
    await page.getByRole('button', { name: 'Close' }).click();
    await dismissAll(page);
  });

  it('shows labels with HTML in them as text', async () => {
    const { bytes } = await model();
    const file = { name: 'evil.onnx', type: '', bytes: renamed(bytes, 'espresso', '<b>x</b>') };
    await explained(page, () => drop(page, file));
    assert.equal((await answers(page))[0].label, '<b>x</b>');
    assert.equal(await page.locator('.answers b, h2 b, canvas b').count(), 0);
    assert.match(await page.locator('#why-heading').textContent(), /<b>x<\/b>/);
  });

  it('says when a setting does not fit, and goes on', async () => {
    await dismissAll(page);
    await choose(page, '#method-field', 'Occlusion');
    await page.click('#settings summary');
    await page.locator('#parameters').getByLabel('Window').fill('4000');
    assert.match(await noticeOf(page, 'argument'), /window is 4000/i);
  });

  it('replaces an engine that traps, and goes on', async () => {
    await dismissAll(page);
    await page.workers()[0].evaluate(() => {
      setTimeout(() => {
        throw new WebAssembly.RuntimeError('unreachable');
      });
    });
    assert.match(await noticeOf(page, 'crashed'), /started again/);
    const { result } = await explained(page, () => choose(page, '#method-field', 'Grad-CAM'));
    assert.equal(result.target.label, '<b>x</b>');
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});

/** A PNG of a few dozen bytes whose header claims `side` x `side` pixels. */
function lyingPng(side) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc(body));
    return Buffer.concat([head, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.alloc(1)))]);
}

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}

/** The same file with a text replaced by one of equal length. */
function renamed(bytes, from, to) {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf(from);
  assert.ok(at >= 0 && from.length === to.length);
  for (let next = at; next >= 0; next = copy.indexOf(from, next + 1)) copy.write(to, next);
  return copy;
}
