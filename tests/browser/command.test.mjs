// What "Copy command" puts on the clipboard is run by a shell and the built command line, and gives the map that is shown.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { launch, open } from './chromium.mjs';
import { assertQuiet, choose, cosine, drop, explained, fileOf, set } from './support.mjs';

/** How far the page's WebAssembly and the native program may be apart, of the largest value. */
const TOLERANCE = 1e-4;

/** The same for an 8-bit network: a difference in the last bit of a sum can move a value by a whole quantization step. */
const QUANTIZED_TOLERANCE = 0.05;

describe('copy command', { skip: process.env.PELLUCID_CLI ? false : 'PELLUCID_CLI names no program: use cargo xtask test' }, () => {
  let browser, page, trouble, folder;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1', { permissions: ['clipboard-read', 'clipboard-write'] }));
    folder = await mkdtemp(join(tmpdir(), 'pellucid command '));
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Keeps a file where the command will look for it, by the name that the page is told. */
  async function kept(path, name, type) {
    const { bytes } = await fileOf(path);
    await writeFile(join(folder, name), bytes);
    return { name, type, bytes };
  }

  const copied = async () => {
    await page.getByRole('button', { name: 'Copy command' }).click();
    return page.evaluate(() => navigator.clipboard.readText());
  };

  /** Runs what is copied, and compares its values with those that are shown. */
  async function same(shown, wanted, tolerance = TOLERANCE) {
    const command = await copied();
    for (const part of wanted) assert.ok(command.includes(part), `${part} in ${command}`);
    const path = dirname(process.env.PELLUCID_CLI) + delimiter + process.env.PATH;
    const options = { cwd: folder, env: { ...process.env, PATH: path }, maxBuffer: 1 << 26 };
    await promisify(execFile)('sh', ['-c', `${command} --output map.npy`], options);
    const { shape, values } = npy(await readFile(join(folder, 'map.npy')));
    assert.deepEqual(shape, shown.shape);
    const own = values.slice(0, shown.values.length);
    const most = Math.max(...shown.values.map(Math.abs));
    const gap = Math.max(...own.map((value, i) => Math.abs(value - shown.values[i])));
    assert.ok(most > 0 && gap <= tolerance * most, `${gap} of ${most}: ${command}`);
    assert.ok((await readFile(join(folder, 'overlay.png'))).length > 1000);
    return { own, command };
  }

  it('gives the same map for the shipped model and a picture with a difficult name', async () => {
    const picture = await kept('www/samples/coffee.jpg', "-it's my $HOME cup.jpg", 'image/jpeg');
    const shown = await explained(page, () => drop(page, picture));
    const { command } = await same(shown, [`'./-it'\\''s my $HOME cup.jpg'`, '--method grad-cam', '--target index:967'], QUANTIZED_TOLERANCE);
    assert.ok(!command.includes('--model') && !command.includes('--mean'), command);
  });

  it('gives the same map for a model with labels, scaling, versus, layer, parameters and display of the reader’s', async () => {
    const model = await kept('tests/fixtures/networks/lite/model.onnx', '-net one.onnx', 'application/octet-stream');
    const labels = { name: 'class names.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(Object.fromEntries([...'abcdefghij'].map((name, i) => [name, i])))) };
    await writeFile(join(folder, labels.name), labels.buffer);
    await explained(page, () => drop(page, model));
    await page.click('#model-button');
    await page.getByLabel(/^How pictures are prepared/).selectOption({ label: 'My own numbers' });
    for (const [label, value] of [['Mean, R G B', '-10.5, 100, 90'], ['Deviation, R G B', '60, 55, 70']]) await page.getByLabel(label).fill(value);
    await page.getByLabel('Choose labels').setInputFiles(labels);
    await page.getByText('10 labels from class names.json').waitFor();
    const plain = await explained(page, () => page.getByRole('button', { name: 'Apply' }).click());
    const cam = await same(plain, ["--model './-net one.onnx'", '--mean=-10.5,100,90', '--std 60,55,70', "--labels 'class names.json'"]);
    await page.click('#class-field .picker-button');
    const other = await explained(page, async () => {
      await page.keyboard.type(plain.result.target.label === 'c' ? 'd' : 'c');
      await page.keyboard.press('Enter');
    });
    assert.notEqual(other.result.target.index, plain.result.target.index);
    const of = (await same(other, [`--target index:${other.result.target.index}`])).own;
    assert.ok(cosine(of, cam.own) < 0.999, 'another class has another map');
    await explained(page, () => choose(page, '#method-field', 'SmoothGrad'));
    const noisy = await explained(page, () => set(page, { Samples: 3 }));
    await choose(page, '#display', 'Inferno');
    await same(noisy, ['--method smooth-grad', '--set samples=3', '--display colours=inferno']);
  });

  it('names the pictures of a background and of a baseline', async () => {
    const files = await Promise.all([kept('www/samples/cat.jpg', 'a b.jpg', 'image/jpeg'), kept('www/samples/rocket.jpg', '-c.jpg', 'image/jpeg')]);
    const inputs = files.map(({ name, type, bytes }) => ({ name, mimeType: type, buffer: bytes }));
    await explained(page, () => choose(page, '#method-field', 'Expected gradients (SHAP)'));
    await explained(page, () => set(page, { Samples: 4 }));
    const own = await explained(page, () => page.locator('#parameters input[type=file]').setInputFiles(inputs));
    await same(own, ["--background 'a b.jpg' --background ./-c.jpg"]);
    await explained(page, () => choose(page, '#method-field', 'Integrated gradients'));
    await explained(page, () => set(page, { Steps: 3 }));
    await page.$$eval('details', (all) => all.forEach((one) => (one.open = true)));
    await page.locator('#parameters').getByLabel('Baseline').selectOption('image');
    const started = await explained(page, () => page.locator('#parameters input[type=file]').setInputFiles(inputs[0]));
    await same(started, ["--baseline 'a b.jpg'", '--set baseline=image']);
  });

  it('asked nobody else for anything, and broke no rule', () => assertQuiet(trouble));
});

/** A float32 array as numpy saves it. */
function npy(file) {
  const start = 10 + file.readUInt16LE(8);
  const header = file.subarray(10, start).toString('latin1');
  assert.match(header, /'<f4'/);
  const shape = header.match(/'shape': \(([\d, ]*)\)/)[1].split(',').filter((text) => text.trim()).map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, values: Array.from({ length: count }, (_, i) => file.readFloatLE(start + 4 * i)) };
}
