// What the API refuses: every value of a wrong kind, by its name, with what was given and what is allowed.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch } from './chromium.mjs';
import { openHost } from './host.mjs';

const HTML = `<!doctype html><meta charset="utf-8"><title>A host</title><script type="module">
  import { Explainer, PellucidError } from './www/api/pellucid.js';
  window.load = (options) => Explainer.load({ backend: 'cpu', workers: 1, ...options });
  window.sample = new URL('www/samples/cat.jpg', location.href).href;
  window.said = async (work) => {
    try {
      await work();
      return 'nothing was refused';
    } catch (error) {
      return error instanceof PellucidError ? error.code + ': ' + error.message : 'another error: ' + error;
    }
  };
</script>`;

describe('the API refuses', () => {
  let browser, page;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page } = await openHost(browser, HTML));
    await page.waitForFunction(() => window.load);
    await page.evaluate(async () => (window.explainer = await window.load()));
  });
  after(() => browser?.close());

  /** What is said of each, which is a function's text that gets `explainer` and `sample`. */
  const check = async (cases) => {
    const found = await page.evaluate(async (sources) => {
      const all = [];
      for (const source of sources) all.push(await window.said(() => new Function('explainer', 'sample', 'load', `return ${source}`)(window.explainer, window.sample, window.load)));
      return all;
    }, cases.map(([source]) => source));
    cases.forEach(([source, said], i) => {
      assert.ok(found[i].startsWith(`argument: ${said}`), `${source}: ${found[i]}`);
      assert.match(found[i], /[.?!]$/, source);
    });
  };

  it('values of the wrong kind in a question', () =>
    check([
      ["explainer.explain(sample, { seed: 'abc' })", 'Seed is "abc", and should be a whole number from 0.'],
      ['explainer.explain(sample, { seed: 5n })', 'Seed is "5n", and should be a whole number from 0.'],
      ['explainer.explain(sample, { seed: 1.5 })', 'Seed is 1.5, and should be a whole number from 0.'],
      ["explainer.explain(sample, { score: 'much' })", 'Score is "much", and should be logit or probability.'],
      ['explainer.explain(sample, { method: 5 })', 'Method is 5, and should be a text.'],
      ['explainer.explain(sample, { parameters: 5 })', 'Parameters is 5, and should be an object.'],
      ['explainer.explain(sample, { parameters: { relu: () => {} } })', 'An option cannot be sent to the worker'],
      ["explainer.explain(sample, { method: 'saliency', background: sample })", 'Saliency compares with no background; leave it out.'],
      ["explainer.explain(sample, { method: 'expected-gradients', background: [] })", 'Background is [], and should be an image or a list of some.'],
      ['explainer.explain(sample, { signal: {} })', 'Signal is [object Object], and should be the signal of an AbortController.'],
      ['explainer.explain(sample, { onProgress: 5 })', 'onProgress is 5, and should be a function.'],
      ["explainer.classify(sample, { top: 'x' })", 'Top is "x", and should be a whole number from 0.'],
      ["explainer.classify(sample, { head: 'x' })", 'Head is "x", and should be one of softmax, sigmoid, none.'],
      ["explainer.classify(sample, { preprocessing: { preset: 'x' } })", 'Preset is "x", and should be one of torchvision, '],
      ["explainer.classify(sample, { preprocessing: { mean: [1] } })", 'Mean is [1], and should be a list of numbers, of length 3.'],
    ]));

  it('values of the wrong kind when a model is opened', () =>
    check([
      ["load({ size: '64x64' })", 'Size is "64x64", and should be '],
      ['load({ size: [0, 0] })', 'Size is [0,0], and should be height and width in pixels, each from 1.'],
      ["load({ preprocessing: 'clip' })", 'Preprocessing is "clip", and should be an object.'],
      ["load({ preprocessing: { std: '1,2,3' } })", 'Std is "1,2,3", and should be a list of numbers, of length 3.'],
      ['load({ labels: [1] })', 'Labels is [1], and each entry should be a text.'],
      ["load({ head: 'x' })", 'Head is "x", and should be one of softmax, sigmoid, none.'],
      ["load({ backend: 'tpu' })", 'Backend is "tpu", and should be one of auto, gpu, cpu.'],
      ['load({ workers: 0 })', 'Workers is 0, and should be a whole number from 1 to 8.'],
      ['load({ workers: 9 })', 'Workers is 9, and should be a whole number from 1 to 8.'],
      ["load({ workers: 'x' })", 'Workers is "x", and should be a whole number from 1 to 8.'],
      ['load({ retries: -1 })', 'Retries is -1, and should be a whole number from 0.'],
      ["load({ files: ['model.onnx.data'] })", 'Files is [model.onnx.data], and should be a list of Files'],
      ['load({ model: 5 })', 'Model is 5, and should be an address, a File or Blob, or its bytes.'],
    ]));

  it('what is no map, no display, no labels and no segments', () =>
    check([
      ['explainer.draw(null)', 'This is no map of this explainer. Give what explain() resolved to, or one of its targets.'],
      ['(async () => explainer.displayOf(null))()', 'This is no map of this explainer. Give what explain() resolved to, or one of its targets.'],
      ["explainer.explain(sample, { method: 'saliency' }).then((map) => explainer.draw(map, { opacity: 'much' }))", 'Opacity is "much", and should be a number.'],
      ["explainer.explain(sample, { method: 'saliency' }).then((map) => explainer.draw(map, { colours: 'x' }))", 'Colours is "x", and should be one of blue-red, '],
      ['explainer.readLabels(5)', 'Labels is 5, and should be an address, a File or Blob, or its bytes.'],
      ["explainer.segments(sample).then((parts) => explainer.hide(parts, 'x'))", 'Hidden is "x", and should be a list of segments, from 0 to '],
      ['explainer.segments(sample).then((parts) => explainer.hide(parts, [parts.count]))', 'Hidden is ['],
      ['explainer.hide(5, [0])', 'Segments is 5, and should be what segments() of the same explainer gave.'],
    ]));
});
