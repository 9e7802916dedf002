// A page of somebody else's that uses Pellucid: plain HTML on the site's own origin, or on another one, with whatever
// headers its host sends.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

import { pageUrl } from './chromium.mjs';

/** A server that answers as it is told: `(request, response) => void`. Returns its address and how to end it. */
export async function serve(answer) {
  const server = createServer(answer);
  server.unref();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, end };
}

const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.wasm': 'application/wasm', '.jpg': 'image/jpeg' };

/** A server of a folder, as a static host is. */
export const serveFolder = (folder) =>
  serve(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://host').pathname);
    const file = join(folder, path === '/' ? 'index.html' : path);
    const bytes = await readFile(file).catch(() => null);
    response.writeHead(bytes ? 200 : 404, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(bytes ?? 'none');
  });

/**
 * A server of the built site with pages of its own: `pages` has the HTML, or a script, by path, `headers` go with them, `shared` go with
 * the files of the site, and `rewrite(path, text)` may change a script.
 */
export const serveSite = (pages, { headers = {}, shared = {}, rewrite } = {}) =>
  serve(async (request, response) => {
    const path = new URL(request.url, 'http://host').pathname.slice(1);
    if (path in pages) return response.writeHead(200, { 'Content-Type': `${TYPES[extname(path)] ?? 'text/html'}; charset=utf-8`, ...headers }).end(pages[path]);
    const file = await fetch(pageUrl(path));
    const type = file.headers.get('Content-Type') ?? 'application/octet-stream';
    const bytes = Buffer.from(await file.arrayBuffer());
    response.writeHead(file.status, { 'Content-Type': type, ...shared }).end(rewrite?.(path, bytes) || bytes);
  });

/**
 * Opens a page with this HTML at the root of a server that has the built site too; `files` are others of its own; see
 * `serveSite`. Returns it with what
 * went wrong and what was asked for.
 */
export async function openHost(browser, html, { context: options = {}, files = {}, ...site } = {}) {
  const server = await serveSite({ '': html, ...files }, site);
  const context = await browser.newContext(options);
  const trouble = { violations: [], errors: [] };
  const requests = [];
  context.on('request', (request) => requests.push(request.url()));
  context.on('close', server.end);
  context.on('console', (message) => {
    if (/Content Security Policy|Trusted ?Type/i.test(message.text())) trouble.violations.push(message.text());
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => trouble.errors.push(String(error)));
  await page.goto(server.url);
  return { page, context, trouble, requests, url: server.url };
}
