// Choices are tried before they are accepted: the answers in the model's dialog change with them, and nothing else does.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, choose, coffee, drop, eventually, explained, fileOf, set } from './support.mjs';

/** The answers in the dialog: `[{ label, share }]`. */
const tried = (page) =>
  page.$$eval('.trial-list li', (rows) =>
    rows.map((row) => ({ label: row.querySelector('.answer-label').textContent, share: row.querySelector('.answer-share').textContent })),
  );

describe('choices that are tried', () => {
  let browser, page, trouble;
  const field = (label) => page.locator('#model-dialog').getByLabel(label);
  const settled = () => page.waitForFunction(() => !document.querySelector('.trial.stale'));
  const differs = (before) => eventually(async () => JSON.stringify(await tried(page)) !== JSON.stringify(before), 'the answers change');

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
    const own = await fileOf('tests/fixtures/heads/raw.onnx', 'application/octet-stream');
    await explained(page, () => drop(page, own));
  });
  after(() => browser?.close());

  it('show their answers, which are those that accepting brings', async () => {
    const before = await answers(page);
    await page.click('#model-button');
    assert.deepEqual(await tried(page), before);
    for (const act of [
      () => field('How pictures are prepared').selectOption('keras-caffe'),
      () => field('Order of the colours').selectOption('rgb'),
      () => field('What turns outputs').selectOption('sigmoid'),
      () => field('What turns outputs').selectOption('none'),
    ]) {
      const was = await tried(page);
      await act();
      await differs(was);
      await settled();
      assert.deepEqual(await answers(page), before, 'nothing is accepted yet');
    }
    await field('What turns outputs').selectOption('sigmoid');
    await eventually(async () => (await tried(page))[0]?.share.includes('%'), 'probabilities');
    await settled();
    const wanted = await tried(page);
    const { result } = await explained(page, () => page.click('#model-dialog button[type=submit]'));
    assert.equal(result.head, 'sigmoid');
    assert.deepEqual(await answers(page), wanted);
  });

  it('follow numbers as they are typed, and wait for such as can be read', async () => {
    await page.click('#model-button');
    const before = await tried(page);
    await field('How pictures are prepared').selectOption('own');
    await field('Mean, R G B').fill('10, 20');
    await page.getByText('This cannot be read. Give three numbers with commas between.').waitFor();
    assert.deepEqual(await tried(page), [], 'no answer to other numbers is left');
    await field('Mean, R G B').fill('10, 20, 30');
    await differs(before);
    await settled();
    assert.equal((await tried(page)).length > 0, true);
    await field('Mean, R G B').fill('0.4, 0.4, 0.4');
    await page.getByText('were taken times 255').waitFor();
  });

  it('are forgotten when they are given up', async () => {
    const now = await answers(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(await answers(page), now);
    await page.click('#model-button');
    assert.equal(await field('How pictures are prepared').inputValue(), 'keras-caffe');
    assert.equal(await field('What turns outputs').inputValue(), 'sigmoid');
    assert.deepEqual(await tried(page), now);
    await page.keyboard.press('Escape');
  });

  it('stop a run that is under way, which goes on when they are given up', async () => {
    await choose(page, '#method-field', 'RISE');
    // More samples than anybody waits for.
    await set(page, { Samples: 100_000 });
    await page.waitForFunction(() => !document.querySelector('#stop').hidden && /of \d{3},?\d{3} /.test(document.querySelector('#status-text').textContent));
    await page.click('#model-button');
    const before = await tried(page);
    await field('How pictures are prepared').selectOption('unit');
    await differs(before);
    assert.equal(await page.isVisible('#stop'), false, 'the network answers the trial');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('#stop').waitFor({ timeout: 10_000 });
    await explained(page, () => choose(page, '#method-field', 'Saliency'), { method: 'saliency' });
  });

  it('say why they cannot be', async () => {
    const own = await fileOf('tests/fixtures/heads/softmax.onnx', 'application/octet-stream');
    await explained(page, () => drop(page, own));
    await page.click('#model-button');
    await field('What turns outputs').selectOption('sigmoid');
    await page.getByText('the file ends in Softmax').waitFor();
    await field('What turns outputs').selectOption('');
    await page.locator('.trial-list li').first().waitFor();
    await page.keyboard.press('Escape');
    assertQuiet(trouble);
  });
});
