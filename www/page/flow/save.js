// The page as one file: everything is at hand, on the host, in the browser's cache, or inside this document.

/** @import { Explainer } from '../../api/pellucid' */
/** @import { ModelFlow, PageEngine, SaveFlow } from '../types' */

import { PellucidError } from '../../api/pellucid.js';
import { BUILD } from '../../shared/build.js';
import { filled, insides, isSingle, partOf } from '../parts.js';
import { TEMPLATE } from '../urls.js';

/**
 * @param {PageEngine} engine
 * @param {ModelFlow} current
 * @returns {SaveFlow}
 */
export function createSaveFlow(engine, current) {
  return async (pictures) => {
    const explainer = await engine.loaded;
    const { assets, opened, model } = explainer;
    const [template] = isSingle ? await insides('template') : [await fileOf(TEMPLATE)];
    const whole = await fileOf(/** @type {string | Blob} */ (assets.engine), 'engine.wasm');
    const text = await template.text();
    const ending = await whole.slice(-BUILD.length).text();
    if (!text.includes(BUILD) || ending !== BUILD) throw new PellucidError('version', 'The host of the page has a new version. Reload the page, then save it.');
    const labels = opened.labels && new File([JSON.stringify(opened.labels)], 'labels.json', { type: 'application/json' });
    const around = await aroundModel(current);
    const background = await Promise.all(assets.background.map((photograph, i) => fileOf(photograph, `${i}.jpg`)));
    const own = await Promise.all(pictures.map(async ({ name, read }) => fileOf(await read(), name)));
    return filled(text, await Promise.all([
      partOf('template', template, true),
      partOf('engine', whole, true),
      partOf('model', await fileOf(await explainer.file(), opened.file ?? `${model.name}.onnx`), true),
      partOf('opening', json(openingOf(explainer)), false),
      ...around.map(({ part, file }) => partOf(part, file, true)),
      ...(labels ? [partOf('labels', labels, true)] : []),
      ...background.map((photograph) => partOf('background', photograph, false)),
      ...own.map((picture) => partOf('picture', picture, false)),
    ]));
  };
}

/**
 * The choices of the model, but for its files.
 * @param {Explainer} explainer
 */
function openingOf({ model, opened }) {
  // A page that was saved with a configuration has its text.
  const { config } = /** @type {{ config?: string }} */ (opened);
  const { preset, mean, std, channels, resize, interpolation, scores, size, head } = opened;
  return { name: model.name, preprocessing: { preset, config, mean, std, channels, resize, interpolation }, scores, size, head };
}

/**
 * The files around the model that is open: those that came with it, or those inside this document where it is its own.
 * @param {ModelFlow} current
 * @returns {Promise<{ part: string, file: File }[]>}
 */
async function aroundModel({ parts: { model, data, config } }) {
  const [weights, configs] = model || !isSingle ? [data, []] : [await insides('data'), await insides('config')];
  const last = config ?? configs[0];
  return [...weights.map((file) => ({ part: 'data', file })), ...(last ? [{ part: 'config', file: last }] : [])];
}

/** @param {object} value */
const json = (value) => new File([JSON.stringify(value)], 'opening.json', { type: 'application/json' });

/**
 * A part, or what lies at its address.
 * @param {string | Blob} source
 * @param {string} [name]
 */
async function fileOf(source, name = 'single.html') {
  if (source instanceof File) return source;
  if (source instanceof Blob) return new File([source], name, { type: source.type });
  const response = await fetch(source).catch(() => null);
  if (!response?.ok) throw new PellucidError('network', 'A part of the page could not be fetched. Check the connection, then save again.');
  const file = new URL(source).pathname.split('/').pop() ?? name;
  const blob = await response.blob();
  return new File([blob], file, { type: blob.type });
}
