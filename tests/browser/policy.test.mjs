// The content security policy holds where hostile files are read: in the engine's worker and in its helpers, on a host
// that sends no headers. Each way out is tried.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';

import { launch, open, pageUrl } from './chromium.mjs';
import { choose, coffee, drop, eventually, explained, set } from './support.mjs';

describe('the policy in the workers', () => {
  let browser, page, server, elsewhere;
  let hits = 0;

  before(async () => {
    server = createServer((_, response) => {
      hits += 1;
      response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/javascript' }).end('export default 1;');
    });
    server.unref();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    elsewhere = `http://127.0.0.1:${server.address().port}/`;
    browser = await launch({ webgpu: false });
    ({ page } = await open(browser, '?backend=cpu&workers=2'));
    const picture = await coffee();
    await explained(page, () => drop(page, picture));
    await explained(page, async () => {
      await choose(page, '#method-field', 'SmoothGrad');
      await set(page, { Samples: 4 });
    }, { method: 'smooth-grad', evaluations: 4 });
    await eventually(() => page.workers().length === 2, 'a helper is started');
  });
  after(async () => {
    await browser?.close();
    server.close();
  });

  /** What becomes of each way out; in a task of its own, since what a debugger evaluates may do more. */
  const attempts = (worker) =>
    worker.evaluate(
      ([elsewhere, own]) =>
        new Promise((resolve) => {
          const outcome = (work) => Promise.resolve().then(work).then(() => 'through', () => 'refused');
          const socket = () =>
            new Promise((opened, failed) => {
              const socket = new WebSocket(elsewhere.replace('http', 'ws'));
              Object.assign(socket, { onopen: opened, onerror: failed });
            });
          const nested = () =>
            new Promise((started, failed) => {
              const worker = new Worker(elsewhere, { type: 'module' });
              Object.assign(worker, { onmessage: started, onerror: failed });
              setTimeout(failed, 1000);
            });
          setTimeout(async () => {
            resolve({
              own: await outcome(() => fetch(own)),
              fetch: await outcome(() => fetch(elsewhere)),
              blind: await outcome(() => fetch(elsewhere, { mode: 'no-cors' })),
              import: await outcome(() => import(elsewhere)),
              socket: await outcome(socket),
              nested: await outcome(nested),
              eval: await outcome(() => (0, eval)('1 + 1')),
              function: await outcome(() => new Function('return 1')()),
            });
          });
        }),
      [elsewhere, pageUrl('www/icon.svg')],
    );

  const wanted = { own: 'through', fetch: 'refused', blind: 'refused', import: 'refused', socket: 'refused', nested: 'refused', eval: 'refused', function: 'refused' };

  it('lets nothing out of the worker that reads files', async () => {
    assert.deepEqual(await attempts(page.workers()[0]), wanted);
  });

  it('lets nothing out of a helper', async () => {
    assert.deepEqual(await attempts(page.workers()[1]), wanted);
  });

  it('was tried: the other host answers, and was not reached', async () => {
    assert.equal(hits, 0);
    await fetch(elsewhere);
    assert.equal(hits, 1);
  });
});
