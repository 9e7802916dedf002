// The purposes of files: a model, and what lies around it; told by their names, models of other names by their first bytes,
// and JSON by what it holds, since timm's configuration, a network's labels and transformers' own description are all called config.json.

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
 * @returns {Promise<ModelFiles & { images: File[], idle: File[] }>}
 */
export async function sorted(files) {
  const model = files.find(({ name }) => MODEL.test(name)) ?? (await modelAmong(files));
  /** @type {ModelFiles & { images: File[], idle: File[] }} */
  const found = { model, data: [], images: [], idle: [] };
  const json = [];
  for (const file of files) {
    if (file === model) continue;
    // The system says of pictures what they are.
    if (file.type.startsWith('image/')) found.images.push(file);
    else if (DATA.test(file.name)) found.data.push(file);
    else if (/\.json$/i.test(file.name)) json.push(file);
    else if (LABELS.test(file.name)) found.labels = file;
    else found.images.push(file);
  }
  return withJson(found, json);
}

/**
 * A model that is not called so: by its first bytes.
 * @param {File[]} files
 */
async function modelAmong(files) {
  const starts = await Promise.all(files.map(async (file) => new Uint8Array(await file.slice(0, 3).arrayBuffer())));
  return files.find(({ name }, i) => {
    const [first, second, third] = starts[i];
    // ONNX, which begins with the number of its version and one of the fields from the producer to the graph; or a
    // checkpoint of PyTorch, for the engine to name: a zip archive, or a pickle.
    const isOnnx = first === 8 && second < 32 && third >= 0x12 && third < 0x43 && (third & 5) === 0;
    return isOnnx || (/\.bin$/i.test(name) && ((first === 0x50 && second === 0x4b) || (first === 0x80 && second <= 5)));
  });
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
