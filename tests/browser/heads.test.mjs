// Networks whose outputs are no softmax: each probability is its own, or there is none.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, open } from './chromium.mjs';
import { answers, assertQuiet, choose, coffee, drop, explained, fileOf } from './support.mjs';

const network = (name) => fileOf(`tests/fixtures/heads/${name}.onnx`, 'application/octet-stream');
const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const shown = (share) => (/^[<>]/.test(share) ? share : Number.parseFloat(share));

describe('heads', () => {
  let browser, page, trouble;

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
  });
  after(() => browser?.close());

  /** The report of each class in turn, and its share as the list shows it. */
  async function all(name) {
    const file = await network(name);
    let { result } = await explained(page, () => drop(page, file));
    const list = await answers(page);
    const reports = [result];
    for (let i = 2; i <= list.length; i++) {
      ({ result } = await explained(page, () => page.click(`.answer:nth-child(${i})`)));
      reports.push(result);
    }
    return list.map((answer, i) => ({ ...answer, report: reports[i] }));
  }

  it('shows each sigmoid by itself', async () => {
    const list = await all('sigmoid');
    assert.equal(list.length, 5);
    for (const { label, share, report } of list) {
      assert.equal(report.target.label, label);
      assert.equal(report.head, 'sigmoid');
      const expected = 100 * sigmoid(report.logit);
      assert.ok(Math.abs(100 * report.probability - expected) < 1e-6);
      if (expected >= 0.1 && expected < 99.95) assert.ok(Math.abs(shown(share) - expected) <= 0.0501, `${share}, not ${expected}`);
    }
    const total = list.reduce((sum, { report }) => sum + report.probability, 0);
    assert.ok(Math.abs(total - 1) > 0.05, `they sum to ${total}`);
  });

  it('makes two answers of one sigmoid', async () => {
    const list = await all('sigmoid_binary');
    assert.deepEqual(list.map(({ label }) => label).sort(), ['class 0', 'class 1']);
    const [first, second] = list.map(({ report }) => report);
    assert.ok(Math.abs(first.probability + second.probability - 1) < 1e-9);
    assert.ok(Math.abs(first.logit + second.logit) < 1e-5);
  });

  it('shows a score where there is no probability', async () => {
    const [{ share, report }, ...more] = await all('raw_one');
    assert.equal(more.length, 0);
    assert.equal(report.probability, null);
    assert.match(share, /^−?\d+\.\d+$/);
    assert.equal(await page.locator('.answer-track').count(), 0);
    assert.ok(await page.locator('#score-field').isHidden());
    assert.match(await page.locator('#facts').textContent(), /^Score/);
    assert.doesNotMatch(await page.locator('body').innerText(), /NaN|Probability/);
    const rise = await explained(page, () => choose(page, '#method-field', 'RISE'), { method: 'rise', score: 'logit' });
    assert.match(rise.result.notes.join(' '), /explains probabilities by default/);
  });

  it('lets the reader choose', async () => {
    const file = await network('raw');
    await explained(page, () => drop(page, file));
    await page.click('#model-button');
    assert.match(await page.locator('#model-dialog').innerText(), /softmax over all classes is assumed/);
    await page.selectOption('#model-dialog select[id^="head"]', 'sigmoid');
    const { result } = await explained(page, () => page.click('#model-dialog button[type=submit]'));
    assert.equal(result.head, 'sigmoid');
    assert.ok(Math.abs(result.probability - sigmoid(result.logit)) < 1e-9);
    assert.doesNotMatch(result.notes.join(' '), /assumed/);
    assertQuiet(trouble);
  });
});
