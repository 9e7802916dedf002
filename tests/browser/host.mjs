// A page of somebody else's that uses Pellucid: plain HTML on the site's own origin or another one, with whatever headers
// its host sends.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';

import { pageUrl } from './chromium.mjs';

/** The address of a script or picture of the site. */
export const siteUrl = (path) => pageUrl(path);

/**
 * Opens a page with this HTML on the site's origin; `headers` are its host's. Returns it with what went wrong.
 */
export async function openHost(browser, html, { headers = {}, path = 'host.html', context: options = {} } = {}) {
  const context = await browser.newContext(options);
  const trouble = { violations: [], errors: [] };
  context.on('console', (message) => {
    if (/Content Security Policy|Trusted ?Type/i.test(message.text())) trouble.violations.push(message.text());
  });
  await context.route(pageUrl(path), (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', headers, body: html }));
  const page = await context.newPage();
  page.on('pageerror', (error) => trouble.errors.push(String(error)));
  await page.goto(pageUrl(path));
  return { page, context, trouble };
}

/** A server that answers each path as `answers` says: `(request, response) => void`. Returns its address and how to end it. */
export async function serve(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, end };
}

/** A file of the repository as a data address. */
export async function dataUrl(path, type) {
  const bytes = await readFile(new URL(`../../${path}`, import.meta.url));
  return `data:${type};base64,${bytes.toString('base64')}`;
}
