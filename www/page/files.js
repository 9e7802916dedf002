// The purposes of files: a model, and what lies around it; told by their names, and JSON by what it holds, since timm's
// configuration, a network's labels and transformers' own description are all called config.json.

/** @import { ModelFiles } from './types' */

/** Models, and what is taken for one: the engine says what it is, and the way to a model. */
const MODEL = /\.(onnx|ort|pth?|ckpt|safetensors|h5|hdf5|keras|tflite|pb|mlmodel|mlpackage|engine|gguf|zip|gz|tgz|xml)$/i;
/** Weights that a model keeps beside itself. */
const DATA = /[._](data|weights?|bin|ext(ernal)?)(_\d+)?$/i;
const CONFIG = /(^|[-_. ])config( ?\(\d+\))?\.json$/i;
const PREPROCESSOR = /preprocess/i;
const LABELS = /\.(txt|json|csv|tsv|names|labels)$/i;

/** The endings that the button for a model's files offers. */
export const MODEL_FILES = '.onnx,.data,.bin,.weights,.json,.txt,.csv,.tsv,.names,.labels';

/** Keys by which JSON says how pictures are prepared, and what classes are called. */
const PREPARES = ['pretrained_cfg', 'default_cfg', 'image_processor', 'do_resize', 'do_normalize', 'do_rescale', 'image_mean', 'crop_size', 'crop_pct', 'input_size'];
const NAMES = ['id2label', 'label2id', 'label_names', 'class_names', 'names', 'labels', 'classes', 'Label'];

/** Longest JSON that is looked into, in bytes. */
const MOST_JSON = 4 << 20;

/**
 * The files by what they are for. What is no model's is a picture, for the engine to say what it is; `idle` is for nothing.
 * @param {File[]} files
 * @returns {ModelFiles & { images: File[], idle: File[] } | Promise<ModelFiles & { images: File[], idle: File[] }>}
 */
export function sorted(files) {
  const model = files.find(({ name }) => MODEL.test(name));
  const rest = files.filter((file) => file !== model);
  /** @type {ModelFiles & { images: File[], idle: File[] }} */
  const found = { model, data: [], images: [], idle: [] };
  const json = [];
  for (const file of rest) {
    // The system says of pictures what they are.
    if (file.type.startsWith('image/')) found.images.push(file);
    else if (DATA.test(file.name)) found.data.push(file);
    else if (/\.json$/i.test(file.name)) json.push(file);
    else if (LABELS.test(file.name)) found.labels = file;
    else found.images.push(file);
  }
  // No file has to be read here, so nothing that follows has to wait.
  const may = model ? undefined : found.data.find(({ name }) => /\.bin$/i.test(name));
  return json.length || may ? withRead(found, json, may) : found;
}

/**
 * @param {ModelFiles & { images: File[], idle: File[] }} found
 * @param {File[]} json
 * @param {File} [may] weights, unless they are a checkpoint of PyTorch, for the engine to name
 */
async function withRead(found, json, may) {
  const [first, second] = new Uint8Array(may ? await may.slice(0, 2).arrayBuffer() : []);
  // A zip archive, or a pickle.
  if (may && ((first === 0x50 && second === 0x4b) || (first === 0x80 && second <= 5))) {
    found.model = may;
    found.data = found.data.filter((file) => file !== may);
  }
  return withJson(found, json);
}

/**
 * @param {ModelFiles & { images: File[], idle: File[] }} found
 * @param {File[]} files
 */
async function withJson(found, files) {
  const uses = await Promise.all(files.map(async (file) => ({ file, ...(await usesOf(file)) })));
  // The one that is called so goes before others that say the same.
  uses.sort((a, b) => Number(PREPROCESSOR.test(b.file.name)) - Number(PREPROCESSOR.test(a.file.name)));
  for (const { file, prepares, names, isModel } of uses) {
    if (prepares) found.config ??= file;
    if (names) found.labels ??= file;
    if (isModel) found.model ??= file;
    if (!prepares && !names && !isModel) found.idle.push(file);
  }
  return found;
}

/**
 * Whether JSON says how pictures are prepared, and what classes are called. What cannot be read is taken for what its
 * name says, so that the engine tells what is wrong with it.
 * @param {File} file
 */
async function usesOf(file) {
  const isConfig = CONFIG.test(file.name);
  const byName = { prepares: isConfig, names: !isConfig, isModel: false };
  if (file.size > MOST_JSON) return byName;
  try {
    const held = JSON.parse(await file.text());
    if (Array.isArray(held) || typeof held !== 'object' || held === null) return byName;
    // TensorFlow.js: the engine says what it is.
    if ('modelTopology' in held) return { prepares: false, names: false, isModel: true };
    const prepares = PREPARES.some((key) => key in held) || PREPROCESSOR.test(file.name);
    const names = NAMES.some((key) => key in held) || (!isConfig && !prepares);
    return { prepares, names, isModel: false };
  } catch {
    return byName;
  }
}
