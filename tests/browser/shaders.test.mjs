// Every kernel variant that the shipped model needs, as the last run of the native test
// `every_variant_of_the_shipped_model_is_valid` wrote them: the browser's own compiler takes them. It is stricter than
// naga about barriers.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';

const FOLDER = process.env.PELLUCID_SHADERS;

/** What the browser's compiler says of each text. */
const refusals = (page, texts) =>
  page.evaluate(async (texts) => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter.requestDevice();
    const refused = [];
    for (const [name, code] of texts) {
      device.pushErrorScope('validation');
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      await device.popErrorScope();
      const errors = messages.filter(({ type }) => type === 'error');
      if (errors.length) refused.push(`${name}: ${errors[0].message} (line ${errors[0].lineNum})`);
    }
    return refused;
  }, texts);

describe('shaders', () => {
  let browser, page, texts;

  before(async () => {
    browser = await launch({ webgpu: true });
    ({ page } = await open(browser));
    const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.wgsl'));
    texts = await Promise.all(names.map(async (name) => [name, await readFile(`${FOLDER}/${name}`, 'utf8')]));
  });
  after(() => browser?.close());

  it('are valid for the browser', async () => {
    assert.ok(texts.length > 20, `${texts.length} variants`);
    assert.ok(texts.some(([, text]) => text.includes('workgroupBarrier')));
    assert.deepEqual(await refusals(page, texts), []);
  });

  it('would be refused with a barrier that not every thread reaches', async () => {
    const [name, text] = texts.find(([, text]) => text.includes('workgroupBarrier();'));
    const broken = text.replace('workgroupBarrier();', 'if (lane > 3u) { workgroupBarrier(); }');
    assert.match((await refusals(page, [[name, broken]])).join(), /uniform/);
  });
});
