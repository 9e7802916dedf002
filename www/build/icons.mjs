// Makes the icons of the manifest from ../icon.svg, and its screenshots from a page that is served:
//   PELLUCID_URL=http://127.0.0.1:8080/ node www/build/icons.mjs

import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { launch, open } from '../../tests/browser/chromium.mjs';
import { explained } from '../../tests/browser/support.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Systems cut the icon to their own shape: its background reaches the edges, the rest stays in the middle 80 %. */
const maskable = (svg) =>
  svg.replace(/rx="\d+" /, '').replace(/(<circle.*)<\/svg>/, '<g transform="translate(16 16) scale(0.8) translate(-16 -16)">$1</g></svg>');

async function icon(browser, svg, size, file) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.goto(`data:image/svg+xml,${encodeURIComponent(svg.replace('<svg ', `<svg width="${size}" height="${size}" `))}`);
  await page.screenshot({ path: at(`../icons/${file}`), omitBackground: true });
  await page.close();
}

async function screenshot(browser, file, options) {
  const { page, context } = await open(browser, '?backend=cpu', options);
  await explained(page, () => page.click('#welcome .sample:nth-child(1)'));
  await page.waitForTimeout(1000);
  await page.screenshot({ path: at(`../icons/${file}`), type: 'jpeg', quality: 80 });
  await context.close();
}

await mkdir(at('../icons'), { recursive: true });
const svg = await readFile(at('../icon.svg'), 'utf8');
const browser = await launch({ webgpu: false });
try {
  await icon(browser, svg, 192, '192.png');
  await icon(browser, svg, 512, '512.png');
  await icon(browser, maskable(svg), 512, 'maskable.png');
  await screenshot(browser, 'wide.jpg', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  await screenshot(browser, 'narrow.jpg', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, colorScheme: 'light' });
} finally {
  await browser.close();
}
