// Files as torch's exporters and Keras's write them, opened in the page: its classes and its map are the command line's,
// and what its dialog says of them and lets choose is true. `tests/architectures.rs` holds the command line against the
// frameworks.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, coffee, drop, explained, fileOf } from './support.mjs';

/** How far the page's WebAssembly and the native program may be apart, of the largest value. */
const TOLERANCE = 1e-4;

const FILES = ['torchvision/convnext_tiny.dynamo', 'keras/ResNet50.nhwc', 'torchvision/efficientnet_b0.legacy', 'timm/swin_tiny_patch4_window7_224.legacy'];

const run = promisify(execFile);

describe('files of other tools in the page', { skip: process.env.PELLUCID_CLI ? false : 'PELLUCID_CLI names no program: use cargo xtask test' }, () => {
  let browser, page, trouble, folder, picture;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
    folder = await mkdtemp(join(tmpdir(), 'pellucid architectures '));
    picture = await coffee();
    await writeFile(join(folder, 'coffee.jpg'), picture.bytes);
    await explained(page, () => drop(page, picture));
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A file of the fixtures, unpacked, in the folder of the command line too. */
  async function kept(path) {
    const { name, bytes } = await fileOf(`tests/fixtures/${path}`);
    const file = { name: name.replace(/\.gz$/, ''), type: '', bytes: name.endsWith('.gz') ? gunzipSync(bytes) : bytes };
    await writeFile(join(folder, file.name), file.bytes);
    return file;
  }

  /** What the command line says of a model file: its classes, and the values of the map that is shown. */
  async function native({ name }, { method, target }, more = []) {
    const common = ['coffee.jpg', '--model', name, '--backend', 'cpu', ...more];
    const { stdout } = await run(process.env.PELLUCID_CLI, ['classify', ...common, '--json'], { cwd: folder });
    await run(process.env.PELLUCID_CLI, ['explain', ...common, '--method', method, '--target', `index:${target.index}`, '--output', 'map.npy'], { cwd: folder });
    const map = await readFile(join(folder, 'map.npy'));
    const floats = map.subarray(10 + map.readUInt16LE(8));
    const values = Array.from({ length: floats.length / 4 }, (_, i) => floats.readFloatLE(4 * i));
    return { classes: JSON.parse(stdout).classes, values };
  }

  /** Holds the page's answers and map against those of the command line. */
  async function same(file, { result, values }, more) {
    const told = await native(file, result, more);
    const shown = await answers(page);
    assert.ok(shown.length > 1, file.name);
    for (const [i, { label, share }] of shown.entries()) {
      const { label: wanted, probability } = told.classes[i];
      assert.equal(label, wanted, file.name);
      const percent = Number.parseFloat(share.replace(/[<>] /, ''));
      assert.ok(Math.abs(percent - 100 * probability) <= 0.11, `${file.name}: ${share} for ${probability}`);
    }
    const most = Math.max(...told.values.map(Math.abs));
    const gap = Math.max(...values.map((value, i) => Math.abs(value - told.values[i])));
    assert.ok(most > 0 && told.values.length >= values.length && gap <= TOLERANCE * most, `${file.name}: ${gap} of ${most}`);
  }

  /** The facts of the model's dialog, by their names. The dialog is left open. */
  async function facts() {
    await page.click('#model-button');
    const pairs = await page.$$eval('#model-dialog .facts dt', (all) => all.map((each) => [each.textContent, each.nextElementSibling.textContent]));
    return Object.fromEntries(pairs);
  }

  it('says what a file consists of', async () => {
    const said = await facts();
    await page.keyboard.press('Escape');
    // The onnx package counts these in the shipped model.
    assert.equal(said.Parameters, '4,719,220 (int8, float, int32, uint8)');
    assert.equal(said.Operators.replaceAll('\u00a0', ' '), '194 DequantizeLinear, 94 QuantizeLinear, 49 Conv, 33 Clip, 9 Add, 1 Flatten, 1 Gemm, 1 GlobalAveragePool');
    // Its shape inference makes it 156 MB: every weight as it is stored, every value of one image in 32 bits.
    const memory = Number(said['Memory, about'].match(/^(\d+) MB$/)[1]);
    assert.ok(Math.abs(memory - 156) <= 8, `${memory} MB`);
  });

  for (const path of FILES) {
    it(`explains ${path} as the command line does`, async () => {
      const file = await kept(`architectures/${path}.onnx.gz`);
      await same(file, await explained(page, () => drop(page, file)));
      assertQuiet(trouble);
    });
  }

  it('explains the output that is chosen', async () => {
    const file = await kept('files/two_outputs.onnx');
    const first = await explained(page, () => drop(page, file));
    await page.click('#model-button');
    const outputs = page.getByLabel('The output that is explained');
    const [now, names] = [await outputs.inputValue(), await outputs.locator('option').evaluateAll((all) => all.map(({ value }) => value))];
    assert.equal(names.length, 2);
    const other = names.find((name) => name !== now);
    await outputs.selectOption(other);
    const chosen = await explained(page, () => page.click('#model-dialog button[type=submit]'));
    assert.notEqual(chosen.hash, first.hash);
    await same(file, chosen, ['--scores', other]);
    assertQuiet(trouble);
  });

  it('takes pictures in the size that is chosen, where the file leaves it open', async () => {
    const file = await kept('architectures/transformers/resnet.optimum.onnx.gz');
    await explained(page, () => drop(page, file));
    assert.equal((await facts()).Input, '3 × 224 × 224');
    await page.locator('#model-dialog').getByLabel('Input, height x width').fill('96x64');
    const chosen = await explained(page, () => page.click('#model-dialog button[type=submit]'));
    assert.equal((await facts()).Input, '3 × 96 × 64');
    await page.keyboard.press('Escape');
    await same(file, chosen, ['--size', '96x64']);
    assertQuiet(trouble);
  });
});
