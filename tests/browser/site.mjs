// The built page on a host of the test's own: it counts what is asked for, goes away, and gets a new version.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const DIST = new URL('../../dist/', import.meta.url);

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.webmanifest': 'application/manifest+json',
};

/// A file of the built page; `path` is '' for the page itself.
export const built = (path) => readFile(new URL(path || 'index.html', DIST));

/// Serves the built page under `folder`, with `files` (path to bytes) in the place of its own.
export async function host({ folder = '/', headers = {} } = {}) {
  const site = { files: new Map(), asked: [], headers: [], down: false };
  const server = createServer(async (request, response) => {
    if (site.down) return request.socket.destroy();
    const { pathname } = new URL(request.url, 'http://host');
    const path = pathname.slice(folder.length);
    site.asked.push(path);
    site.headers.push(request.headers);
    try {
      const file = path || 'index.html';
      const own = site.files.get(file);
      // As a good host does: what does not fit into the browser's cache is fetched again.
      const compressed = own ? null : await built(`${file}.br`).catch(() => null);
      const bytes = own ?? compressed ?? (await built(file));
      const type = TYPES[extname(file)] ?? 'application/octet-stream';
      const encoding = compressed ? { 'Content-Encoding': 'br' } : {};
      const about = { 'Content-Type': type, 'Content-Length': bytes.length, 'Cache-Control': 'max-age=600', ...encoding };
      response.writeHead(200, { ...about, ...headers }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  // A test that fails before it closes its host must not keep the process.
  server.unref();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve)));
  const times = (path) => site.asked.filter((asked) => asked === path).length;
  return Object.assign(site, { url: `http://127.0.0.1:${server.address().port}${folder}`, close, times });
}

const LIST = /(?:[^\s='"`]+=[0-9a-f]{10} ?)+/;
/// The digits that a service worker knows a file by.
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 10);

/// What a service worker keeps: the paths and hashes.
export async function listed() {
  const text = String(await built('sw.js'));
  return LIST.exec(text)[0].split(' ').map((entry) => entry.split('='));
}

/// The name of the build.
export const buildName = async () => /["'`]([0-9a-f]{16})["'`]/.exec(String(await built('sw.js')))[1];

/// The files of another version, as a build of changed sources would make them: another name in every part, another
/// hash in the list, and `data-version` in the page so that a test can tell them apart.
export async function version(name) {
  const old = await buildName();
  const files = new Map();
  const entries = [];
  for (const [path, hash] of await listed()) {
    const file = path === './' ? 'index.html' : path;
    const bytes = await built(file);
    let changed = Buffer.from(bytes.toString('latin1').replaceAll(old, name), 'latin1');
    if (file === 'index.html') changed = Buffer.from(String(changed).replace('<html ', `<html data-version="${name}" `));
    if (!changed.equals(bytes)) files.set(file, changed);
    entries.push(`${path}=${changed.equals(bytes) ? hash : sha256(changed)}`);
  }
  const worker = String(await built('sw.js')).replaceAll(old, name).replace(LIST, entries.join(' '));
  return files.set('sw.js', Buffer.from(worker));
}
