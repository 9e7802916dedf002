// The API as others import it from the built site: the command line's answers, whatever form an image comes in, however
// calls overlap, are aborted or end with the engine.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { launch } from './chromium.mjs';
import { openHost, serve } from './host.mjs';
import { eventually, fileOf } from './support.mjs';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The command line's report. */
async function command(...args) {
  const { stdout } = await run(process.env.PELLUCID_CLI, [...args, '--backend', 'cpu', '--json'], { cwd: ROOT, maxBuffer: 64 << 20 });
  return JSON.parse(stdout);
}

/** What every page of these tests has: the API, an explainer, and how to tell maps apart. */
const SETUP = `
  import { Explainer, PellucidError } from './www/api/pellucid.js';
  window.Explainer = Explainer;
  window.PellucidError = PellucidError;
  window.load = (options) => Explainer.load({ backend: 'cpu', workers: 1, ...options });
  window.sample = (name) => new URL('www/samples/' + name + '.jpg', location.href).href;
  window.hashOf = async (values) => {
    const digest = await crypto.subtle.digest('SHA-256', values);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  window.codeOf = (promise) => promise.then(() => 'no error', (error) => (error instanceof PellucidError ? error.code : 'another error: ' + error));
  window.messageOf = (promise) => promise.then(() => 'no error', (error) => error.message);
`;
const HTML = `<!doctype html><meta charset="utf-8"><title>A host</title><img id="img" src="www/samples/coffee.jpg"><script type="module">${SETUP}</script>`;

describe('the API', () => {
  let browser, page, context, trouble;

  before(async () => {
    browser = await launch({ webgpu: false });
    const [model, data] = await Promise.all(['model.onnx', 'model.onnx.data'].map((name) => fileOf(`tests/fixtures/files/${name}`)));
    const files = { 'beside/model.onnx': model.bytes, 'beside/model.onnx.data': data.bytes, 'alone/model.onnx': model.bytes };
    ({ page, context, trouble } = await openHost(browser, HTML, { files }));
    await page.waitForFunction(() => window.load);
    await page.evaluate(async () => {
      window.stages = new Set();
      window.explainer = await window.load({ onProgress: ({ stage }) => window.stages.add(stage) });
    });
  });
  after(() => browser?.close());

  it('loads the shipped model, and says how far it is', async () => {
    const { name, input, stages, kind, methods, layers } = await page.evaluate(() => ({
      ...window.explainer.model,
      kind: window.explainer.backend.kind,
      stages: [...window.stages],
      methods: window.explainer.methods().map(({ id }) => id),
      layers: window.explainer.layers().length,
    }));
    assert.match(name, /EfficientNet/);
    assert.deepEqual([input, kind, stages], [[3, 224, 224], 'cpu', ['download', 'open']]);
    assert.ok(methods.includes('grad-cam') && methods.includes('lime') && layers > 20);
  });

  it('answers as the command line does', async () => {
    const [cli, saliency, classified] = await Promise.all([
      command('explain', 'www/samples/coffee.jpg', '--method', 'grad-cam', '--target', 'espresso,index:968'),
      command('explain', 'www/samples/coffee.jpg', '--method', 'saliency'),
      command('classify', 'www/samples/coffee.jpg', '--top', '3'),
    ]);
    const api = await page.evaluate(async () => {
      const image = window.sample('coffee');
      const { classes, head, notes } = await window.explainer.classify(image, { top: 3 });
      const both = await window.explainer.explain(image, { method: 'grad-cam', target: 'espresso,index:968' });
      const one = await window.explainer.explain(image, { method: 'saliency' });
      return { classes, head, notes, both, one, isTyped: one.values instanceof Float32Array, length: one.values.length };
    });
    // Of an 8-bit network another instruction set may round a step elsewhere.
    const near = (a, b) => assert.ok(Math.abs(a - b) <= 0.01 + 0.05 * Math.abs(b), `${a} is not ${b}`);
    assert.deepEqual(api.classes.map(({ label }) => label), classified.classes.map(({ label }) => label));
    api.classes.forEach((each, i) => near(each.probability, classified.classes[i].probability));
    assert.equal(api.head, classified.head);
    assert.equal(api.both.targets.length, 2);
    for (const [i, target] of cli.targets.entries()) {
      for (const key of ['logit', 'probability', 'sum', 'min', 'max']) near(api.both.targets[i][key], target[key]);
      assert.deepEqual([api.both.targets[i].target, api.both.targets[i].unit, api.both.targets[i].shape], [target.target, target.unit, target.shape]);
    }
    // The gradient of one moves at every pixel, and its sum is what is left of large numbers.
    for (const key of ['logit', 'probability']) near(api.one[key], saliency[key]);
    for (const key of ['target', 'unit', 'shape', 'method', 'layer', 'score', 'parameters', 'seed', 'evaluations']) {
      assert.deepEqual(api.one[key], saliency[key], key);
    }
    const words = ({ notes }) => notes.map((note) => note.replaceAll(/\d+/g, 'N'));
    assert.deepEqual(words(api.one), words(saliency));
    assert.ok(api.isTyped);
    assert.equal(api.length, 3 * 224 * 224);
  });

  it('takes an image in every form', async () => {
    const hashes = await page.evaluate(async () => {
      const blob = await (await fetch(window.sample('coffee'))).blob();
      const bitmap = await createImageBitmap(blob);
      const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
      canvas.getContext('2d').drawImage(bitmap, 0, 0);
      const offscreen = new OffscreenCanvas(bitmap.width, bitmap.height);
      offscreen.getContext('2d').drawImage(bitmap, 0, 0);
      const pixels = canvas.getContext('2d').getImageData(0, 0, bitmap.width, bitmap.height);
      const forms = {
        blob, bitmap, canvas, offscreen, pixels,
        file: new File([blob], 'coffee.jpg'),
        address: window.sample('coffee'),
        relative: 'www/samples/coffee.jpg',
        url: new URL(window.sample('coffee')),
        element: document.querySelector('#img'),
        other: window.sample('cat'),
      };
      const found = {};
      for (const [name, image] of Object.entries(forms)) {
        const { values, target } = await window.explainer.explain(image, { method: 'grad-cam' });
        found[name] = [target.label, await window.hashOf(values)];
      }
      return found;
    });
    const of = (...names) => new Set(names.map((name) => hashes[name].join()));
    assert.equal(hashes.blob[0], 'espresso');
    assert.equal(of('blob', 'file', 'address', 'relative', 'url', 'element').size, 1, 'a file is read as it is');
    // The browser's decoder may round a JPEG otherwise than the engine's.
    assert.equal(of('bitmap', 'canvas', 'offscreen', 'pixels').size, 1, 'pixels are taken as they are');
    assert.equal(hashes.pixels[0], 'espresso');
    assert.notEqual(hashes.other[0], 'espresso');
  });

  it('says what is wrong with an image, by code', async () => {
    const found = await page.evaluate(async () => {
      const { explainer, codeOf, messageOf, sample } = window;
      return {
        text: await codeOf(explainer.classify(new Blob(['no image']))),
        none: await codeOf(explainer.classify(null)),
        nothing: await codeOf(explainer.classify(document.createElement('canvas'))),
        missing: await codeOf(explainer.classify('nowhere.jpg')),
        message: await messageOf(explainer.classify('nowhere.jpg')),
        zero: await codeOf(explainer.classify(Object.assign(document.createElement('canvas'), { width: 0 }))),
        well: await codeOf(explainer.classify(sample('cat'))),
      };
    });
    assert.match(found.message, /nowhere\.jpg.*404/);
    assert.deepEqual({ ...found, message: '' }, { text: 'image', none: 'argument', nothing: 'no error', missing: 'network', message: '', zero: 'image', well: 'no error' });
  });

  it('finds classes by index and by label, and refuses what is none with the command line’s words', async () => {
    const found = await page.evaluate(async () => {
      const { explainer, sample, messageOf } = window;
      const image = sample('cat');
      const of = async (target, versus) => {
        const { targets, versus: other } = await explainer.explain(image, { method: 'saliency', target, versus });
        return [...targets.map((each) => each.target.index), other?.index ?? null];
      };
      return {
        index: await of(281), label: await of('tabby'), list: await of([282, 'tabby']), text: await of('index:281, 282'), versus: await of('tabby', 'index:282'),
        bad: await messageOf(of('tabbby')), range: await messageOf(of(1000)), kind: await messageOf(of(true)), itself: await messageOf(of(281, 281)),
      };
    });
    const { bad, range, kind, itself, ...classes } = found;
    assert.deepEqual(classes, { index: [281, null], label: [281, null], list: [282, 281, null], text: [281, 282, null], versus: [281, 282] });
    await assert.rejects(command('explain', 'www/samples/cat.jpg', '--method', 'saliency', '--target', 'tabbby'), ({ stderr }) => stderr.includes(bad.slice(1, -1)));
    assert.match(range, /Class 1000 is out of range/);
    assert.match(kind, /True names no class/);
    assert.match(itself, /cannot be held against itself/);
  });

  it('refuses options, methods and parameters that there are not', async () => {
    const found = await page.evaluate(async () => {
      const { explainer, sample, messageOf } = window;
      const ask = (options) => messageOf(explainer.explain(sample('cat'), options));
      return [await ask({ methd: 'saliency' }), await ask({ method: 'salience' }), await ask({ parameters: { steps: 3 } }), await ask({ layer: 'nowhere' }), await messageOf(window.load({ modle: 1 }))];
    });
    [/no option "methd"; it has method/, /salience/, /no parameter "steps"/, /nowhere/, /no option "modle"/].forEach((pattern, i) => assert.match(found[i], pattern));
  });

  it('tells of progress, with maps that can be drawn meanwhile', async () => {
    const { told, drawn } = await page.evaluate(async () => {
      const { explainer, sample } = window;
      const told = [];
      let drawing;
      await explainer.explain(sample('cat'), {
        method: 'occlusion',
        onProgress(progress) {
          told.push([progress.done, progress.total]);
          if (progress.maps && !drawing) drawing = explainer.draw(progress.maps[0], {}, { values: true });
        },
      });
      const { width, height, rgba, values } = await drawing;
      return { told, drawn: [rgba.length === width * height * 4, values.data.length === 224 * 224, values.unit] };
    });
    assert.ok(told.length > 1 && told.every(([done, total], i) => done <= total && (i === 0 || done >= told[i - 1][0])), JSON.stringify(told));
    assert.deepEqual(drawn, [true, true, 'logit']);
  });

  it('sweeps over the layers', async () => {
    const { layers, counted, first } = await page.evaluate(async () => {
      let counted = 0;
      const all = await window.explainer.sweep(window.sample('cat'), { method: 'grad-cam', onProgress: ({ explanations }) => (counted += explanations.length) });
      const alone = await window.explainer.explain(window.sample('cat'), { method: 'grad-cam', layer: all[5].layer });
      const drawn = await window.explainer.draw(all[5]);
      return { layers: new Set(all.map(({ layer }) => layer)).size, counted, first: [await window.hashOf(all[5].values) === await window.hashOf(alone.values), drawn.width] };
    });
    assert.ok(layers > 20);
    assert.equal(counted, layers);
    assert.equal(first[1] > 200, true);
  });

  it('draws a map as it did, when the engine has long seen other images', async () => {
    const found = await page.evaluate(async () => {
      const { explainer, sample, hashOf } = window;
      const canvas = document.createElement('canvas');
      const maps = {};
      const small = { algorithm: 'grid', segments: 16, samples: 40 };
      for (const [method, parameters] of [['grad-cam', {}], ['lime', small]]) {
        maps[method] = await explainer.explain(sample('cat'), { method, target: [281, 282], parameters });
      }
      const features = { count: 3, min_weight: 0, hide_rest: true, boundaries: true };
      const drawings = async () => [
        await hashOf((await explainer.draw(maps['grad-cam'])).rgba),
        await hashOf((await explainer.draw(maps['grad-cam'].targets[1], { colours: 'viridis', opacity: 0.3 }, { shared: true })).rgba),
        await hashOf((await explainer.draw(maps.lime, { features })).rgba),
        await hashOf(await (await explainer.png(maps['grad-cam'])).arrayBuffer()),
        await hashOf(await (await explainer.npy(maps.lime.targets[1])).arrayBuffer()),
      ];
      const before = await drawings();
      await explainer.classify(sample('coffee'));
      const after = await drawings();
      const { width, height } = await explainer.draw(maps['grad-cam'], {}, { canvas });
      return { before, after, same: canvas.width === width && canvas.height === height, stranger: await window.codeOf(explainer.draw({ shape: [1, 1] })), bad: await window.codeOf(explainer.draw(maps.lime, { colours: 'mauve' })) };
    });
    assert.deepEqual(found.after, found.before);
    assert.equal(new Set(found.before).size, 5);
    assert.deepEqual([found.same, found.stranger, found.bad], [true, 'argument', 'argument']);
  });

  it('never mixes images whose calls overlap', async () => {
    const { alone, together } = await page.evaluate(async () => {
      const { explainer, sample, hashOf } = window;
      const images = ['cat', 'coffee', 'rocket'].map(sample);
      const ask = async (image) => {
        const [{ classes }, { values, target }] = await Promise.all([explainer.classify(image, { top: 1 }), explainer.explain(image, { method: 'saliency' })]);
        return [classes[0].label, target.label, await hashOf(values)].join();
      };
      const alone = [];
      for (const image of images) alone.push(await ask(image));
      return { alone, together: await Promise.all([...images, ...images, ...images].map(ask)) };
    });
    assert.equal(new Set(alone).size, 3);
    assert.deepEqual(together, [...alone, ...alone, ...alone]);
  });

  it('hides segments, also of an image that is not the last', async () => {
    const { count, before, after, again, stranger } = await page.evaluate(async () => {
      const { explainer, sample } = window;
      const parts = await explainer.segments(sample('cat'), { parameters: { algorithm: 'grid' } });
      const hidden = Array.from({ length: parts.count }, (_, i) => i).filter((i) => i % 2);
      const scores = async () => (await explainer.hide(parts, hidden))[0].logit;
      const [{ logit: before }] = (await explainer.classify(sample('cat'))).classes;
      const after = await scores();
      await explainer.classify(sample('coffee'));
      return { count: parts.count, before, after, again: await scores(), stranger: await window.codeOf(explainer.hide({}, [1])) };
    });
    assert.ok(count > 4);
    assert.notEqual(before, after);
    assert.equal(after, again);
    assert.equal(stranger, 'argument');
  });

  it('explains with the segments that it gave, and with samples in arrays of any kind', async () => {
    const { own, same } = await page.evaluate(async () => {
      const image = window.sample('coffee');
      const parts = await window.explainer.segments(image, { parameters: { algorithm: 'grid' } });
      const rows = Array.from({ length: 40 }, (_, i) => Array.from({ length: parts.count }, (_, k) => (i * 7 + k * k) % 3 % 2));
      const ask = (labels, samples) => window.explainer.explain(image, { method: 'lime', target: 967, segments: { ...parts, labels }, samples });
      const typed = await ask(parts.labels, rows.map((row) => Uint8Array.from(row)));
      const plain = await ask([...parts.labels], rows);
      return { own: await window.hashOf(typed.values), same: await window.hashOf(plain.values) };
    });
    assert.equal(own, same);
  });

  it('fetches the weights that lie beside a model that has an address, and from nowhere else', async () => {
    const { label, again, missing } = await page.evaluate(async () => {
      const address = new URL('beside/model.onnx', location.href).href;
      const explainer = await window.load({ model: address });
      const { classes } = await explainer.classify(window.sample('coffee'));
      const file = await explainer.file();
      explainer.dispose();
      return { label: classes.length, again: file.size, missing: await window.messageOf(window.load({ model: new URL('alone/model.onnx', location.href) })) };
    });
    assert.equal(label, 5);
    assert.ok(again > 0);
    assert.match(missing, /^model\.onnx\.data is missing on its server \(status 404\)/);
  });

  it('rejects with its own error, whatever it is given', async () => {
    const codes = await page.evaluate(async () => {
      const { explainer, codeOf } = window;
      const lost = new ImageData(3, 3);
      structuredClone(lost.data.buffer, { transfer: [lost.data.buffer] });
      const huge = Object.assign(document.createElement('canvas'), { width: 30_000, height: 30_000 });
      const image = window.sample('coffee');
      return {
        detached: await codeOf(explainer.classify(lost)),
        huge: await codeOf(explainer.classify(huge)),
        hugeSays: await window.messageOf(explainer.classify(huge)),
        address: await codeOf(explainer.classify('http://')),
        target: await codeOf(explainer.explain(image, { target: NaN })),
        nothing: await codeOf(explainer.classify(image, null)),
        background: await codeOf(explainer.explain(image, { method: 'expected-gradients', background: image, parameters: { samples: 2 } })),
        name: await window.load({ name: 5 }).then((other) => (other.dispose(), other.model.name), String),
      };
    });
    assert.match(codes.hugeSays, /of 30000 by 30000 pixels cannot be read/);
    delete codes.hugeSays;
    const wanted = { detached: 'image', huge: 'image', address: 'argument', target: 'argument', nothing: 'no error', background: 'no error' };
    const { name, ...others } = codes;
    assert.deepEqual(others, wanted);
    assert.equal(typeof name, 'string');
  });

  it('hears an abort before, during and after', async () => {
    const found = await page.evaluate(async () => {
      const { explainer, sample, codeOf } = window;
      const image = sample('cat');
      const before = await codeOf(explainer.explain(image, { signal: AbortSignal.abort() }));
      const during = new AbortController();
      const start = performance.now();
      const running = codeOf(explainer.explain(image, { method: 'rise', signal: during.signal, onProgress: () => during.abort() }));
      const code = await running;
      const waiting = new AbortController();
      const first = explainer.explain(image, { method: 'saliency' });
      const queued = codeOf(explainer.classify(image, { signal: waiting.signal }));
      waiting.abort();
      const order = [await Promise.race([queued, first.then(() => 'late')]), (await first).method];
      const later = new AbortController();
      const { target } = await explainer.explain(image, { signal: later.signal });
      later.abort();
      const kept = new AbortController();
      const partial = await explainer.explain(image, { method: 'rise', partial: true, signal: kept.signal, onProgress: ({ maps }) => maps && kept.abort() });
      const load = new AbortController();
      const loading = codeOf(window.load({ signal: load.signal, onProgress: () => load.abort() }));
      return { before, code, took: performance.now() - start, order, after: target.label, partial: [partial.stopped, partial.values.length], loading: await loading };
    });
    const { took, after, ...codes } = found;
    assert.deepEqual(codes, { before: 'cancelled', code: 'cancelled', order: ['cancelled', 'saliency'], partial: [true, 224 * 224], loading: 'cancelled' });
    assert.match(after, /cat|tabby/);
    assert.ok(took < 30_000, `${took}`);
  });

  it('hears an abort in every other call, before it begins and while it waits', async () => {
    const { before, waiting, late, name } = await page.evaluate(async () => {
      const { explainer, sample, codeOf } = window;
      const image = sample('cat');
      const map = await explainer.explain(image);
      const parts = await explainer.segments(image, { parameters: { algorithm: 'grid', segments: 4 } });
      const calls = {
        sweep: (signal) => explainer.sweep(image, { signal }),
        draw: (signal) => explainer.draw(map, {}, { signal }),
        png: (signal) => explainer.png(map, {}, { signal }),
        npy: (signal) => explainer.npy(map, { signal }),
        see: (signal) => explainer.see(image, { signal }),
        segments: (signal) => explainer.segments(image, { signal }),
        hide: (signal) => explainer.hide(parts, [0], { signal }),
        open: (signal) => explainer.open({ signal }),
      };
      const each = async (of) => Object.fromEntries(await Promise.all(Object.entries(calls).map(async ([id, call]) => [id, await of(call)])));
      const before = await each((call) => codeOf(call(AbortSignal.abort())));
      const busy = new AbortController();
      let isBusy = true;
      const running = codeOf(explainer.explain(image, { method: 'rise', parameters: { samples: 2000 }, signal: busy.signal })).finally(() => (isBusy = false));
      const controller = new AbortController();
      const pending = each((call) => codeOf(call(controller.signal)));
      setTimeout(() => controller.abort());
      const waiting = await pending;
      const late = !isBusy;
      busy.abort();
      await running;
      await explainer.classify(image);
      return { before, waiting, late, name: explainer.model.name };
    });
    const all = Object.fromEntries(['sweep', 'draw', 'png', 'npy', 'see', 'segments', 'hide', 'open'].map((id) => [id, 'cancelled']));
    assert.deepEqual([before, waiting, late], [all, all, false]);
    assert.match(name, /EfficientNet/);
  });

  it('brings every map that a method shows, however short its steps are', async () => {
    const shown = await page.evaluate(async () => {
      const counts = [];
      const onProgress = ({ done, maps }) => maps && counts.push(done);
      await window.explainer.explain(window.sample('cat'), { method: 'rise', parameters: { samples: 96, batch: 1 }, onProgress });
      return counts;
    });
    // It shows maps at 32 and 64 samples, and ends with 96; the page hears of them some steps later.
    assert.equal(shown.filter((done) => done < 96).length, 2, shown.join());
  });

  it('works as before after twenty aborts in a row', async () => {
    const { codes, same } = await page.evaluate(async () => {
      const { explainer, sample, hashOf, codeOf } = window;
      const image = sample('rocket');
      const before = await hashOf((await explainer.explain(image)).values);
      const codes = [];
      for (let i = 0; i < 20; i++) {
        const controller = new AbortController();
        const work = i % 2 ? explainer.explain(image, { method: 'smooth-grad', signal: controller.signal }) : explainer.classify(sample('cat'), { signal: controller.signal });
        setTimeout(() => controller.abort(), i * 5);
        codes.push(await codeOf(work));
      }
      return { codes, same: before === (await hashOf((await explainer.explain(image)).values)) };
    });
    assert.ok(codes.every((code) => code === 'cancelled' || code === 'no error') && codes.filter((code) => code === 'cancelled').length > 10, codes.join());
    assert.ok(same);
  });

  it('answers though the engine trapped, and says so in time when it always does', async () => {
    const before = await page.evaluate(async () => (await window.hashOf((await window.explainer.explain(window.sample('cat'))).values)));
    const pending = page.evaluate(async () => {
      const { values } = await window.explainer.explain(window.sample('cat'), { method: 'occlusion', onProgress: () => (window.isRunning = true) });
      return values.length;
    });
    await page.waitForFunction(() => window.isRunning);
    await page.workers()[0].evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError('unreachable'); }));
    assert.equal(await pending, 224 * 224);
    assert.equal(await page.evaluate(async () => (await window.hashOf((await window.explainer.explain(window.sample('cat'))).values))), before);
    assert.equal(page.workers().length, 1);
  });

  it('opens another model, and keeps the one that is open where that fails', async () => {
    const found = await page.evaluate(async () => {
      const { explainer, sample, codeOf, messageOf } = window;
      const labels = explainer.model.labels.map((label) => label.toUpperCase());
      const file = await explainer.file();
      const broken = [await codeOf(explainer.open({ model: new Blob(['none']) })), await messageOf(explainer.open({ model: 'index.html' })), await messageOf(explainer.open({ model: 'nowhere.onnx' }))];
      const [still] = (await explainer.classify(sample('coffee'))).classes;
      await explainer.open({ model: await file.arrayBuffer(), labels: new Blob([labels.join('\n')]), preprocessing: { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] } });
      const [now] = (await explainer.classify(sample('coffee'))).classes;
      const few = await codeOf(explainer.open({ labels: ['one'] }));
      await explainer.open({});
      return { broken, still: still.label, now: now.label, few };
    });
    assert.equal(found.broken[0], 'model');
    assert.match(found.broken[1], /web page/);
    assert.match(found.broken[2], /nowhere\.onnx is missing.*404/);
    assert.deepEqual([found.still, found.now, found.few], ['espresso', 'ESPRESSO', 'argument']);
    await eventually(() => page.workers().length === 1, 'the other workers end');
  });

  it('gives up a server that never answers', async () => {
    const silent = await serve(() => {});
    const halting = await serve((_, response) => response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Length': '1000000' }).write('some'));
    try {
      const found = await page.evaluate(async (urls) => Promise.all(urls.map((model) => window.messageOf(window.load({ model, timeout: 500 })))), [`${silent.url}a.onnx`, `${halting.url}b.onnx`]);
      assert.match(found[0], /a\.onnx did not come: its server was silent/);
      assert.match(found[1], /b\.onnx did not come: its server was silent/);
      const engine = await page.evaluate((engine) => window.messageOf(window.load({ assets: { engine }, timeout: 500 })), `${halting.url}c.wasm`);
      assert.match(engine, /c\.wasm did not come: its server was silent/);
    } finally {
      silent.end();
      halting.end();
    }
  });

  it('stops a download that is larger than a model may be, and says how to make it smaller', async () => {
    let closed = false;
    const endless = await serve((_, response) => {
      response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Length': String(528 << 20) });
      const more = setInterval(() => response.write(Buffer.alloc(1 << 10)), 20);
      response.on('close', () => (clearInterval(more), (closed = true)));
    });
    try {
      const says = await page.evaluate((model) => window.messageOf(window.load({ model })), `${endless.url}vgg16.onnx`);
      assert.match(says, /size in MiB is 528, and at most 384 is allowed; store its weights in 8 bits/);
      await eventually(() => closed, 'the rest is not fetched');
    } finally {
      endless.end();
    }
  });

  it('ends with its workers when it is disposed of', async () => {
    const found = await page.evaluate(async () => {
      const other = await window.load();
      const image = await (await fetch(window.sample('cat'))).blob();
      const running = window.codeOf(other.explain(image, { method: 'rise', onProgress: () => other.dispose() }));
      const waiting = window.codeOf(other.classify(image));
      return [await running, await waiting, await window.codeOf(other.classify(window.sample('cat')))];
    });
    assert.deepEqual(found, ['disposed', 'disposed', 'disposed']);
    await eventually(() => page.workers().length === 1, 'its worker ends');
  });

  it('threw nothing and broke no rule', () => assert.deepEqual(trouble, { violations: [], errors: [] }));
});
