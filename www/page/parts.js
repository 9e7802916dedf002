// The parts of the page: on its host, or inside the document where the page is one file. Whoever needs a part asks here.

/** @import { LoadOptions } from '../api/pellucid' */
/** @import { Part } from './types' */

import { decoded, encoded } from './base85.js';
import { WORKER } from './urls.js';

/** The name of each part is what it is taken for; several may have the same one. */
const SELECTOR = 'script[data-part]';

/** Whether this document is the page as one file. */
export const isSingle = 'single' in document.documentElement.dataset;

/** The place of the parts in a template: the last of these, since this script, which it contains, has the word too. */
const PLACE = '<template id="parts"></template>';

/**
 * The parts inside the document, taken out of it: text of several megabytes is not kept as well.
 * @type {Part[]}
 */
const inside = [...document.querySelectorAll(SELECTOR)].map((element) => {
  const { part = '', file = '', type = '', size, packed } = /** @type {HTMLElement} */ (element).dataset;
  element.remove();
  return { name: part, file, type, packed: packed !== undefined, blob: new Blob([decoded(element.textContent ?? '', Number(size))], { type }) };
});

/**
 * The files inside the document that are taken for this.
 * @param {string} name
 */
export const insides = (name) => Promise.all(inside.filter((part) => part.name === name).map(unpacked));

/** @param {Part} part */
async function unpacked({ blob, file, type, packed }) {
  const whole = packed ? await new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))).blob() : blob;
  return new File([whole], file, { type });
}

/**
 * A part for a file that is made: as it is inside this document, or compressed where that is worth it.
 * @param {string} name
 * @param {File} file
 * @param {boolean} packed
 * @returns {Promise<Part>}
 */
export async function partOf(name, file, packed) {
  const blob = packed ? await new Response(file.stream().pipeThrough(new CompressionStream('gzip'))).blob() : file;
  return { name, file: file.name, type: file.type, packed, blob };
}

/**
 * The parts of the page that the explainer is to use: every part, with the model that was open, where they are inside; else only
 * the worker's script, which stays with the page, so that no worker is ever started from a script of another version.
 * @returns {Promise<LoadOptions>}
 */
export async function ownParts() {
  if (!isSingle) {
    const script = await fetch(WORKER).catch(() => null);
    return script?.ok ? { assets: { worker: await script.blob() } } : {};
  }
  const names = ['worker', 'engine', 'model', 'data', 'config', 'labels', 'opening', 'background'];
  const [[worker], [engine], [model], files, [config], [labels], [opening], background] = await Promise.all(names.map(insides));
  const { preprocessing, ...chosen } = JSON.parse(await opening.text());
  return { assets: { worker, engine, model, background }, model, files, labels, ...chosen, preprocessing: { ...preprocessing, ...(config && { config }) } };
}

/**
 * A page as one file: its template with these parts.
 * @param {string} template
 * @param {Part[]} parts
 */
export async function filled(template, parts) {
  const at = template.lastIndexOf(PLACE);
  if (at < 0) throw new Error('the template has no place for its parts');
  const elements = await Promise.all(parts.map(element));
  const between = elements.flatMap((each, i) => (i ? ['\n', ...each] : each));
  return new Blob([template.slice(0, at), ...between, template.slice(at + PLACE.length)], { type: 'text/html' });
}

/**
 * @param {Part} part
 * @returns {Promise<BlobPart[]>}
 */
async function element({ name, file, type, packed, blob }) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const about = `data-part="${name}" data-file="${escaped(file)}" data-type="${escaped(type)}" data-size="${bytes.length}"`;
  return [`<script type="text/plain" ${about}${packed ? ' data-packed' : ''}>`, encoded(bytes), '</script>'];
}

/** Text as the value of an attribute. @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
