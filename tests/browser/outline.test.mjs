// The outline of the network: what is grouped, by which keys it is used, and that the list of layers stays in step.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { groupsOf, outlineOf, rowsOf } from '../../www/page/state/outline.js';
import { launch, open } from './chromium.mjs';
import { assertQuiet, choose, coffee, drop, explained } from './support.mjs';

const layer = (name, shape = [8, 7, 7]) => ({ name, operator: 'Conv', shape });
/** The tree as nested arrays of labels. */
const plain = (tree) => tree.map((node) => ('layer' in node ? node.label : [node.label, ...plain(node.children)]));
const of = (...names) => plain(outlineOf(names.map((name) => layer(name))));

describe('what the outline groups', () => {
  it("knows PyTorch's names, and puts a group of one under one name", () => {
    const names = ['/conv1/Conv', '/layer1/layer1.0/conv1/Conv', '/layer1/layer1.0/relu/Relu', '/layer1/layer1.1/conv1/Conv', '/layer2/Add'];
    assert.deepEqual(of(...names), ['conv1/Conv', ['layer1', ['layer1.0', 'conv1/Conv', 'relu/Relu'], 'layer1.1/conv1/Conv'], 'layer2/Add']);
  });

  it('knows names with dots, and a layer that is called as a group is', () => {
    assert.deepEqual(of('features.0', 'features.0.conv', 'features.1.conv', 'head'), [['features', '0', '0/conv', '1/conv'], 'head']);
  });

  it('groups by size where names say nothing, unless there are few', () => {
    assert.deepEqual(of('Conv_0', 'Relu_1'), ['Conv_0', 'Relu_1']);
    const many = Array.from({ length: 20 }, (_, i) => layer(`Conv_${i}`, i < 8 ? [8, 14, 14] : [16, 7, 7]));
    const tree = outlineOf(many);
    assert.deepEqual(tree.map(({ label, note }) => [label, note]), [['14 × 14', '8 layers'], ['7 × 7', '12 layers']]);
  });

  it('has each layer once, in its order, and finds its groups', () => {
    const layers = Array.from({ length: 300 }, (_, i) => layer(`/stage${Math.floor(i / 60)}/block${Math.floor(i / 10)}/conv${i}/Conv`));
    const tree = outlineOf(layers);
    assert.equal(tree.length, 5);
    assert.equal(rowsOf(tree, new Set()).length, 5);
    const all = new Set(tree.flatMap(({ id, children }) => [id, ...children.map((child) => child.id)]));
    const rows = rowsOf(tree, all);
    assert.deepEqual(rows.filter(({ node }) => 'layer' in node).map(({ node }) => node.layer), layers);
    const groups = groupsOf(tree, layers[75].name);
    assert.equal(groups.length, 2);
    assert.ok(rowsOf(tree, new Set(groups)).some(({ node }) => 'layer' in node && node.layer === layers[75]));
    assert.equal(groupsOf(tree, 'nowhere'), null);
    assert.deepEqual(outlineOf([]), []);
  });
});

describe('the outline', () => {
  let browser, page, trouble;
  const selected = () => page.$eval('.tree-row.selected', (row) => row.title);
  const active = () => page.$eval('.tree-row.active .tree-name', (name) => name.textContent);
  const count = () => page.locator('.tree-row').count();

  before(async () => {
    browser = await launch({ webgpu: false });
    ({ page, trouble } = await open(browser, '?backend=cpu&workers=1'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
    await page.click('#outline summary');
    await page.locator('.tree-row').first().waitFor();
  });
  after(() => browser?.close());

  it('shows the layer that is explained, in its open group, and the others closed', async () => {
    assert.equal(await selected(), 'head/conv/relu6');
    const state = await page.$$eval('.tree-row.group', (rows) => rows.map((row) => row.getAttribute('aria-expanded')));
    assert.ok(state.includes('false'));
    assert.match(await page.locator('.tree-row.selected').innerText(), /Clip · 1280 × 7 × 7/);
  });

  it('is used by keys alone, and the list and the slider stay in step', async () => {
    await page.focus('.tree');
    await page.keyboard.press('Home');
    const closed = await count();
    // The first group, or the first layer where that is none.
    await page.keyboard.press('b');
    assert.match(await active(), /^b/);
    await page.keyboard.press('ArrowRight');
    assert.ok((await count()) > closed, 'the group is open');
    await page.keyboard.press('ArrowRight');
    while (await page.$('.tree-row.active.group')) await page.keyboard.press('ArrowDown');
    const name = await page.$eval('.tree-row.active', (row) => row.title);
    const { result } = await explained(page, () => page.keyboard.press('Enter'));
    assert.equal(result.layer, name);
    assert.equal(await selected(), name);
    assert.match(await page.textContent('#layer-field .picker-button'), new RegExp(name.replaceAll('.', '\\.')));
    assert.equal(await page.$eval('.tree', (tree) => document.activeElement === tree), true, 'the focus stays');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    assert.ok((await count()) <= closed + 1, 'the group is closed again');
    await page.keyboard.press('End');
    assert.equal(await page.locator('.tree-row').last().getAttribute('class').then((names) => names.includes('active')), true);
  });

  it('follows the list, and opens the group of what is chosen there', async () => {
    await explained(page, () => choose(page, '#layer-field', 'stem/conv'), { layer: 'stem/conv' });
    assert.equal(await selected(), 'stem/conv');
  });

  it('is not there for a method that looks at no layer', async () => {
    await explained(page, () => choose(page, '#method-field', 'Occlusion'), { method: 'occlusion' });
    assert.equal(await page.isVisible('#outline'), false);
    assertQuiet(trouble);
  });
});
