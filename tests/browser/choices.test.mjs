// What files are taken for, and what is kept of a model's files and choices when more of them come; without a browser.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { sorted } from '../../www/page/files.js';
import { createModelFlow } from '../../www/page/flow/model.js';
import { initialState } from '../../www/page/state/state.js';
import { createStore } from '../../www/page/state/store.js';

const file = (name, text = '', type = '') => new File([text], name, { type });
const json = (name, value) => file(name, JSON.stringify(value));
const names = ({ model, data, config, labels, images, idle }) => ({
  model: model?.name,
  data: data.map(({ name }) => name),
  config: config?.name,
  labels: labels?.name,
  images: images.map(({ name }) => name),
  idle: idle.map(({ name }) => name),
});

describe('what files are for', () => {
  const vit = json('preprocessor_config.json', { size: 224, do_normalize: true });
  const hugging = json('config.json', { architectures: ['X'], id2label: { 0: 'a' } });
  const timm = json('config.json', { pretrained_cfg: { input_size: [3, 224, 224] }, label_names: ['a'] });

  it('tells a folder of Hugging Face apart, in any order', async () => {
    const wanted = { model: 'model.onnx', data: ['model.onnx.data'], config: 'preprocessor_config.json', labels: 'config.json', images: [], idle: [] };
    const all = [file('model.onnx'), file('model.onnx.data'), vit, hugging];
    for (const order of [all, all.toReversed()]) assert.deepEqual(names(await sorted(order)), wanted);
  });

  it("takes both from timm's, but for what has a file of its own", async () => {
    const { config, labels } = names(await sorted([timm]));
    assert.deepEqual([config, labels], ['config.json', 'config.json']);
    assert.equal(names(await sorted([timm, file('labels.txt', 'a')])).labels, 'labels.txt');
    assert.equal(names(await sorted([timm, vit])).config, 'preprocessor_config.json');
  });

  it('leaves out a description that says neither, and keeps what is damaged for the engine to name', async () => {
    assert.deepEqual(names(await sorted([json('config.json', { hidden_size: 9 })])).idle, ['config.json']);
    assert.equal(names(await sorted([file('preprocessor_config.json', '{"size": ')])).config, 'preprocessor_config.json');
    assert.equal(names(await sorted([file('classes.json', '[')])).labels, 'classes.json');
    assert.equal(names(await sorted([json('classes.json', ['a', 'b'])])).labels, 'classes.json');
  });

  it('takes what is a model in another form for one, so that the engine names it', async () => {
    assert.equal(names(await sorted([json('model.json', { modelTopology: {} })])).model, 'model.json');
    assert.equal(names(await sorted([file('pytorch_model.bin', 'PK\x03\x04')])).model, 'pytorch_model.bin');
    const weights = file('weights.bin', 'weights');
    assert.deepEqual(names(await sorted([weights])).data, ['weights.bin']);
    assert.deepEqual(names(await sorted([file('net.xml', '<net '), weights])).model, 'net.xml');
  });

  it('knows an ONNX model by its bytes, whatever it is called', async () => {
    const onnx = '\x08\x08\x12\x07pytorch';
    for (const [name, type] of [['net.bin', ''], ['net.jpg', 'image/jpeg'], ['net', '']]) assert.equal(names(await sorted([file('labels.txt'), file(name, onnx, type)])).model, name);
    const found = names(await sorted([file('a.png', '\x89PNG', 'image/png'), file('b.txt'), file('c'), file('w.data', '\x08\x08\x08')]));
    assert.deepEqual([found.model, found.images, found.data], [undefined, ['a.png', 'c'], ['w.data']]);
  });
});

/** A flow on an engine that notes what it is asked to open, and fails where the test wants it to. */
function flow() {
  const store = createStore(initialState());
  const opened = [];
  const told = [];
  const engine = { failure: null, async open(options) {
    if (engine.failure) throw engine.failure;
    opened.push(options);
    return { model: { name: 'net', missing: [], remarks: [] }, backend: { kind: 'cpu', adapter: '', events: [] } };
  }, loaded: Promise.resolve({ readLabels: async (file) => (await file.text()).split('\n') }) };
  const notices = { notify: (notice) => (told.push(notice), { remove() {} }), notifyError: (error) => told.push(error), clearErrors() {}, clearNotices() {} };
  const model = createModelFlow(store, engine, { open: async () => {}, again: async () => {} }, notices);
  return { store, engine, model, told, last: () => opened.at(-1), count: () => opened.length };
}

const parts = (given) => ({ data: [], ...given });

describe('what is kept of a model', () => {
  const onnx = file('net.onnx');
  const choices = { head: 'sigmoid', scores: 'second', size: [96, 160], preprocessing: { preset: 'keras-tf', channels: 'bgr' } };

  it('keeps every choice when labels come alone', async () => {
    const { model, last } = flow();
    await model.take(parts({ model: onnx }));
    assert.deepEqual(last(), { model: onnx });
    await model.choose(choices);
    const labels = file('labels.txt');
    await model.take(parts({ labels }));
    assert.deepEqual(last(), { model: onnx, labels, ...choices });
  });

  it('lets a configuration take the place of what was chosen of preprocessing, and of nothing else', async () => {
    const { model, last } = flow();
    const [config, labels] = [file('preprocessor_config.json'), file('labels.txt')];
    await model.take(parts({ model: onnx, labels }));
    await model.choose(choices);
    await model.take(parts({ config }));
    const { preprocessing, ...others } = choices;
    assert.deepEqual(last(), { model: onnx, labels, ...others, preprocessing: { config } });
    await model.choose({ preprocessing });
    assert.deepEqual(last().preprocessing, { ...preprocessing, config });
  });

  it('forgets all of it with another model, and keeps it where that does not open', async () => {
    const { model, engine, last } = flow();
    await model.take(parts({ model: onnx }));
    await model.choose(choices);
    const other = file('other.onnx');
    engine.failure = Object.assign(new Error('broken'), { code: 'model' });
    assert.equal(await model.take(parts({ model: other })), false);
    assert.deepEqual(model.choices, choices);
    engine.failure = null;
    await model.take(parts({ labels: file('labels.txt') }));
    assert.deepEqual([last().model, last().head], [onnx, 'sigmoid']);
    await model.take(parts({ model: other }));
    assert.deepEqual(last(), { model: other });
    assert.deepEqual(model.choices, {});
  });

  it("leaves the page's own model as it is, but for what is chosen", async () => {
    const { model, last } = flow();
    await model.choose({ head: 'softmax' });
    assert.deepEqual(last(), { head: 'softmax' });
    await model.reset();
    assert.deepEqual(last(), {});
  });

  it('waits with all that came where weights are missing', async () => {
    const { model, engine, last } = flow();
    engine.failure = Object.assign(new Error('missing'), { code: 'missing-data' });
    const [labels, data] = [file('labels.txt'), file('net.onnx.data')];
    await model.take(parts({ model: onnx, labels }));
    engine.failure = null;
    await model.take(parts({ data: [data] }));
    assert.deepEqual(last(), { model: onnx, labels, files: [data] });
  });

  it('keeps labels that do not fit for the model that comes after them', async () => {
    const { model, engine, told, last } = flow();
    await model.take(parts({ model: onnx }));
    engine.failure = Object.assign(new Error('the model has 3 classes'), { code: 'argument' });
    const [labels, other] = [file('labels.txt', 'a\nb'), file('other.onnx')];
    assert.equal(await model.take(parts({ labels })), false);
    await new Promise((resolve) => setTimeout(resolve));
    assert.match(told.at(-1).message, /labels\.txt are kept for the next model/);
    engine.failure = null;
    const data = file('other.onnx.data');
    await model.take(parts({ data: [data] }));
    await model.take(parts({ model: other }));
    assert.deepEqual(last(), { model: other, files: [data], labels });
    await model.take(parts({ labels: file('more.txt') }));
    assert.deepEqual([last().model, last().files], [other, [data]]);
  });

  it('goes back with the engine to the model that had worked', async () => {
    const { store, model, last } = flow();
    await model.take(parts({ model: onnx }));
    await model.choose(choices);
    store.set({ classes: {} });
    await model.take(parts({ model: file('crashes.onnx') }));
    model.fallBack(store.state.info);
    await model.take(parts({ labels: file('labels.txt') }));
    assert.deepEqual([last().model, last().size], [onnx, choices.size]);
  });
});
