// Pellucid beside its peers, in one Chromium on one machine: `cargo xtask bench`. Exits with 1 where a bound is not met,
// with 75 where none was missed and one could not be measured.

import { launch, pageUrl } from '../tests/browser/chromium.mjs';
import { KINDS, LIMIT_MIB, openLargest } from './limit.mjs';
import { watchOthers } from './load.mjs';
import { GROWTH, modelsInTurn } from './memory.mjs';
import { measure } from './meter.mjs';
import { OPENINGS, timeOpening } from './opening.mjs';
import { BUDGET, openOwnModels } from './own-models.mjs';
import { WORKS, withWorkers } from './workers.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const FILTER = (process.argv[2] ?? '').toLowerCase();

const ORT = 'onnxruntime-web';
const QDQ = '/models/efficientnet-lite0-int8.onnx';
const FLOAT = '/bench-models/lite0-float.onnx';
const MOBILENET = { model: '/bench-models/mobilenet-v1.onnx', weights: '/bench-models/mobilenet-v1.bin' };
// The picture's side makes each network's resizing do nothing, so that all see the same numbers.
const lite0 = (backend, model) => ({ backend, model, side: 256, size: 224 });
const mobilenet = { backend: 'gpu', ...MOBILENET, side: 224, size: 224, target: 7 };
const saliency = { ...mobilenet, request: { method: 'saliency', targets: [7] } };

/// Each compares the first subject with the second; `wanted` is by how many times it is to be cheaper, in CPU.
const COMPARISONS = [
  { what: 'Lite0 float, forward, WebGPU', subjects: pair(ORT, lite0('gpu', FLOAT)), wanted: 6, goal: 10 },
  { what: 'Lite0 int8 QDQ, forward, WebGPU', subjects: pair(ORT, lite0('gpu', QDQ)), wanted: 6, goal: 10 },
  { what: 'Lite0 float, forward, wasm, 1 thread', subjects: pair(ORT, lite0('cpu', FLOAT)), wanted: 1, quick: true },
  { what: 'Lite0 int8 QDQ, forward, wasm, 1 thread', subjects: pair(ORT, lite0('cpu', QDQ)), wanted: 1.5, quick: true },
  {
    what: 'MobileNet v1 float, input gradient, WebGPU',
    subjects: [['pellucid', 'Pellucid', saliency], ['tfjs', 'TensorFlow.js', mobilenet]],
    wanted: 3,
    goal: 5,
  },
];

function pair(peer, options) {
  return [['pellucid', 'Pellucid', options], ['onnxruntime', peer, options]];
}

/// Opens a subject in a page of its own, warms it up and measures it.
async function take(browser, [module, name, options], { quick }) {
  const page = await browser.newPage();
  try {
    await page.goto(pageUrl('/bench/blank.html'));
    const open = async ([module, options]) => {
      const { open } = await import(`/bench/subjects/${module}.js`);
      globalThis.subject = await open(options);
    };
    await page.evaluate(open, [module, options]);
    const repeat = (times) => page.evaluate(async (times) => {
      for (let i = 1; i < times; i++) await globalThis.subject.run();
      return globalThis.subject.run();
    }, times);
    // WebAssembly is compiled better while it runs, and short runs are measured many at a time.
    const result = await repeat(quick ? 10 : 1);
    const times = quick ? 10 : 1;
    const { wall, cpu } = await measure(() => repeat(times), RUNS);
    return { name, result, wall: wall / times, cpu: cpu / times };
  } catch (error) {
    return { name, error: String(error.message ?? error).split('\n')[0] };
  } finally {
    await page.close();
  }
}

function cosine(a, b) {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

const seconds = (value) => (Number.isFinite(value) ? value.toFixed(3) : '?').padStart(10);

const NOT_MEASURED = 75;

/// How many bounds were missed, and how many could not be measured.
const count = { missed: 0, unmeasured: 0 };

/// Whether a bound is met, in words, and counted; `doubt` says why it could not be measured.
function verdict(isMet, doubt) {
  if (doubt) {
    count.unmeasured++;
    return `NOT MEASURED (${doubt})`;
  }
  if (!isMet) count.missed++;
  return isMet ? 'met' : 'NOT MET';
}

function report({ what, wanted, goal }, [ours, theirs], doubt) {
  console.log(`\n${what}`);
  for (const { name, error, wall, cpu } of [ours, theirs]) {
    console.log(error ? `  ${name.padEnd(20)} ${error}` : `  ${name.padEnd(20)}${seconds(wall)} s${seconds(cpu)} s CPU`);
  }
  if (ours.error || theirs.error) {
    console.log(`  ${verdict(false, ours.error ? undefined : `${theirs.name} fails here`)}`);
    return;
  }
  const hasCpu = Number.isFinite(ours.cpu) && ours.cpu > 0;
  const ratio = hasCpu ? theirs.cpu / ours.cpu : theirs.wall / ours.wall;
  const target = goal ? `at least ${wanted}, goal ${goal}` : `at least ${wanted}`;
  console.log(`  ${ratio.toFixed(2)} times less ${hasCpu ? 'CPU' : 'time'} (${target}): ${verdict(ratio >= wanted, doubt)}`);
  console.log(`  answers: cosine ${cosine(ours.result, theirs.result).toFixed(6)}`);
}

const isWanted = ({ what }) => what.toLowerCase().includes(FILTER);

const LIMITS = KINDS.flatMap((kind) => ['cpu', 'gpu'].map((backend) => ({ what: `A model of ${LIMIT_MIB} MiB, ${kind}, ${backend}`, kind, backend })));

/// A folder of model files, where `--models` names one.
const OWN = process.env.BENCH_MODELS ? [{ what: `Opening the models of ${process.env.BENCH_MODELS}`, folder: process.env.BENCH_MODELS }] : [];

/// Their memory, likewise.
const TURNS = OWN.map(({ folder }) => ({ what: `Memory of five models of ${folder}, one after another`, folder }));

const workers = ({ label }) => ({ what: `${label} without a GPU, two workers against one` });

if (![...COMPARISONS, ...OPENINGS, ...LIMITS, ...OWN, ...TURNS, ...WORKS.map(workers)].some(isWanted)) {
  console.error(`Nothing that is measured has "${FILTER}" in its name.`);
  process.exit(2);
}

const browser = await launch();
try {
  console.log(`Chromium ${browser.version()}, software WebGPU; medians of ${RUNS} runs after a warm-up`);
  for (const comparison of COMPARISONS.filter(isWanted)) {
    const taken = [];
    const others = watchOthers();
    for (const subject of comparison.subjects) taken.push(await take(browser, subject, comparison));
    report(comparison, taken, others());
  }
  for (const opening of OPENINGS.filter(isWanted)) {
    console.log(`\n${opening.what}`);
    const others = watchOthers();
    const spans = await timeOpening(browser, opening, RUNS);
    for (const [name, duration] of Object.entries(spans)) console.log(`  ${name.padEnd(20)}${seconds(duration)} s`);
    if (!opening.budget) continue;
    const ratio = spans.total / opening.budget;
    console.log(`  ${ratio.toFixed(2)} of the budget of ${opening.budget} s: ${verdict(ratio <= 1, others())}`);
  }
  for (const { what, kind, backend } of LIMITS.filter(isWanted)) {
    console.log(`\n${what}`);
    try {
      const { opening, gradient } = await openLargest(browser, kind, `?backend=${backend}`);
      console.log(`  opens in ${seconds(opening)} s, a gradient takes ${seconds(gradient)} s: ${verdict(true)}`);
    } catch (error) {
      console.log(`  ${String(error.message ?? error).split('\n')[0]}: ${verdict(false)}`);
    }
  }
  for (const { what, folder } of OWN.filter(isWanted)) {
    console.log(`\n${what}`);
    const others = watchOthers();
    for (const [name, took] of await openOwnModels(browser, folder)) {
      console.log(`  ${name.padEnd(40)}${seconds(took)} s of ${BUDGET}: ${verdict(took <= BUDGET, others())}`);
    }
  }
  for (const { what, folder } of TURNS.filter(isWanted)) {
    console.log(`\n${what}`);
    const { names, each, alone } = await modelsInTurn(browser, folder);
    names.forEach((name, i) => console.log(`  ${name.padEnd(40)}${each[i].toFixed(0).padStart(6)} MiB`));
    const ratio = Math.max(...each) / alone;
    const doubt = Number.isNaN(ratio) ? 'this system does not tell what processes hold' : undefined;
    console.log(`  ${ratio.toFixed(2)} times the ${alone.toFixed(0)} MiB of the largest alone (at most ${GROWTH}): ${verdict(ratio <= GROWTH, doubt)}`);
  }
  for (const work of WORKS.filter((work) => isWanted(workers(work)))) {
    console.log(`\n${workers(work).what}`);
    const others = watchOthers();
    const { one, two, apart, hashes } = await withWorkers(browser, work, RUNS);
    console.log(`  one                 ${seconds(one)} s\n  two                 ${seconds(two)} s`);
    const ratio = one / two;
    console.log(`  ${ratio.toFixed(2)} times faster (at least 1.7): ${verdict(ratio >= 1.7, others())}`);
    console.log(`  two pages at once, with one worker each, are ${(one / apart).toFixed(2)} times as fast as one`);
    console.log(`  maps are the same to the bit: ${verdict(new Set(hashes).size === 1)}`);
  }
} finally {
  await browser.close();
}
if (count.missed) {
  console.log(`\n${count.missed} bounds were not met`);
  process.exitCode = 1;
} else if (count.unmeasured) {
  console.log(`\n${count.unmeasured} bounds were not measured; run this again on an idle machine`);
  process.exitCode = NOT_MEASURED;
}
