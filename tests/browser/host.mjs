// A page of somebody else's that uses Pellucid: plain HTML on the site's own origin, or on another one, with whatever
// headers its host sends.

import { createServer } from 'node:http';

import { pageUrl } from './chromium.mjs';

/** A server that answers as it is told: `(request, response) => void`. Returns its address and how to end it. */
export async function serve(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, end };
}

/**
 * A server of the built site with pages of its own: `pages` has the HTML by path, `headers` go with them, `shared` go with
 * the files of the site, and `rewrite(path, text)` may change a script.
 */
export const serveSite = (pages, { headers = {}, shared = {}, rewrite } = {}) =>
  serve(async (request, response) => {
    const path = new URL(request.url, 'http://host').pathname.slice(1);
    if (path in pages) return response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...headers }).end(pages[path]);
    const file = await fetch(pageUrl(path));
    const type = file.headers.get('Content-Type') ?? 'application/octet-stream';
    const bytes = Buffer.from(await file.arrayBuffer());
    response.writeHead(file.status, { 'Content-Type': type, ...shared }).end(rewrite?.(path, bytes) || bytes);
  });

/**
 * Opens a page with this HTML at the root of a server that has the built site too; see `serveSite`. Returns it with what
 * went wrong and what was asked for.
 */
export async function openHost(browser, html, { context: options = {}, ...site } = {}) {
  const server = await serveSite({ '': html }, site);
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
