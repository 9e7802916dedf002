// A real Chromium for the browser tests and benches, with or without WebGPU, and a page that is watched.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

// Nothing but the page itself may speak: these quiet the browser's own requests.
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
];

// Software WebGPU; without these flags a headless browser on a machine without a GPU has no adapter at all.
const SOFTWARE_WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/// Starts Chromium. `webgpu: false` gives the page no adapter, as an old browser would.
export const launch = (options) => chromium.launch(settings(options));

/// Starts Chromium with a reader's own profile in `folder`: other contexts are private windows, which install nothing.
export const persistent = (folder, options) => chromium.launchPersistentContext(folder, settings(options));

function settings({ webgpu = true, args = [] } = {}) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}: set CHROMIUM`);
  // Chromium's sandbox refuses to run as root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const gpu = webgpu ? SOFTWARE_WEBGPU : ['--disable-features=WebGPU', '--disable-webgpu'];
  return { executablePath, args: [...QUIET, ...sandbox, ...gpu, ...args] };
}

/// The address of the served page: `cargo xtask test` sets it; `cargo xtask serve` prints it.
export const pageUrl = (path = '') => new URL(path, process.env.PELLUCID_URL ?? 'http://127.0.0.1:8080/').href;

/// Opens a page of the site and returns it with lists of what went wrong, which tests expect to be empty:
/// requests to another origin, violations of the content security policy, uncaught errors.
/// `before` is script that the engine's worker runs before its own.
export async function open(browser, path = '', { before, ...contextOptions } = {}) {
  const url = pageUrl(path);
  const { origin } = new URL(url);
  const context = await browser.newContext(contextOptions);
  const trouble = { requests: [], violations: [], errors: [] };
  context.on('request', (request) => {
    const { protocol, origin: to } = new URL(request.url());
    if (protocol.startsWith('http') && to !== origin) trouble.requests.push(request.url());
  });
  context.on('console', (message) => {
    if (/Content Security Policy|Trusted ?Type/i.test(message.text())) trouble.violations.push(message.text());
  });
  await context.exposeBinding('reportViolation', (_, what) => void trouble.violations.push(what));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      window.reportViolation(`${event.effectiveDirective}: ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`),
    );
  });
  if (before) {
    await context.route('**/www/worker/worker.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: before + (await response.text()) });
    });
  }
  const page = await context.newPage();
  page.on('pageerror', (error) => trouble.errors.push(String(error)));
  await page.goto(url);
  return { page, context, trouble };
}
