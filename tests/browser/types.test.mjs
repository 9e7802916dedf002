// The types of the page: its state, the messages between it and its worker, and the engine as wasm-bindgen declares it.
// No browser is needed, but the built page, for those declarations.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const TSC = fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.url));
const WWW = fileURLToPath(new URL('../../www/', import.meta.url));

/** What the type checker says of a project: nothing where it finds nothing. */
const check = (project) =>
  new Promise((resolve) => {
    execFile(process.execPath, [TSC, '--project', project, '--pretty', 'false'], (error, stdout, stderr) => resolve(error ? stdout + stderr : ''));
  });

/** Each is one line that must be found out. */
const FAULTS = [
  ["bridge.call('explian', {});", /"explian"/],
  ["bridge.call('labels', { file: new Blob() });", /'file' does not exist/],
  ["bridge.call('labels', { blob: new Blob() }).then((labels) => labels.toFixed());", /'toFixed' does not exist/],
  ["bridge.call('explain', asked, { onProgress: ({ percent }) => percent });", /'percent' does not exist/],
  ["store.set({ targte: null });", /'targte' does not exist/],
  ["store.watch(({ target }) => [target], (target) => target.index);", /possibly 'null'/],
];

describe('the types of the page', () => {
  it('hold on both sides of the wire, and in the service worker', async () => {
    const sides = await Promise.all(['page', 'api', 'tag', 'worker', 'offline'].map((room) => check(join(WWW, room, 'tsconfig.json'))));
    assert.deepEqual(sides, ['', '', '', '', '']);
  });

  it('find out what is no message and no key of the state', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pellucid-types-'));
    const from = (path) => JSON.stringify(join(WWW, path));
    const head = [
      `import { Bridge } from ${from('api/bridge.js')};`,
      `import { initialState } from ${from('page/state/state.js')};`,
      `import { createStore } from ${from('page/state/store.js')};`,
      "const bridge = new Bridge('', () => {});",
      'const store = createStore(initialState());',
      `const asked = /** @type {import(${from('shared/wire')}).Question} */ (JSON.parse('{}'));`,
    ];
    const compilerOptions = { lib: ['ES2024', 'DOM', 'DOM.Iterable'] };
    try {
      await writeFile(join(folder, 'faults.js'), [...head, ...FAULTS.map(([line]) => line)].join('\n'));
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(WWW, 'shared/tsconfig.json'), compilerOptions, files: ['faults.js'] }));
      const found = (await check(join(folder, 'tsconfig.json'))).split('\n').filter((line) => line.includes('error TS'));
      FAULTS.forEach(([line, fault], i) => {
        const here = found.filter((each) => each.includes(`faults.js(${head.length + i + 1},`));
        assert.equal(here.length, 1, `${line}\n${found.join('\n')}`);
        assert.match(here[0], fault);
      });
      assert.equal(found.length, FAULTS.length, found.join('\n'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
