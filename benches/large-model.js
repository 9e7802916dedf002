// Model files of any size, made where they are opened: an ONNX file is a protobuf message, and a Blob of many parts takes
// the memory of one weight.

const ascii = (text) => Array.from(text, (letter) => letter.charCodeAt(0));

function varint(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

/// A field's parts: numbers are bytes, anything else goes into the Blob as it is.
const sized = (field, parts) => [...varint(field * 8 + 2), ...varint(length(parts)), ...parts];
const number = (field, value) => [...varint(field * 8), ...varint(value)];
const text = (field, value) => sized(field, ascii(value));
const length = (parts) => parts.reduce((sum, part) => sum + (part.byteLength ?? 1), 0);

const attribute = (name, values) => sized(5, [...text(1, name), ...values.flatMap((value) => number(8, value)), ...number(20, 7)]);
const flag = (name, value) => sized(5, [...text(1, name), ...number(3, value), ...number(20, 2)]);
const node = (operator, inputs, output, attributes = []) =>
  sized(1, [...inputs.flatMap((name) => text(1, name)), ...text(2, output), ...text(3, output), ...text(4, operator), ...attributes.flat()]);
const tensor = (name, shape, data) => sized(5, [...shape.flatMap((extent) => number(1, extent)), ...number(2, 1), ...text(8, name), ...sized(9, [data])]);
const value = (field, name, shape) =>
  sized(field, [...text(1, name), ...sized(2, sized(1, [...number(1, 1), ...sized(2, shape.flatMap((extent) => sized(1, number(1, extent))))]))]);

/// Seeded weights of a deviation that keeps activations as they are.
function weights(count, inputs) {
  const values = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = (state / 2 ** 31 - 1) * Math.sqrt(6 / inputs);
  }
  return values;
}

const CLASSES = 10;
const CHANNELS = 1024;

/// Convolutions of 36 MiB each at 7 by 7, to `bytes` in all.
function convolutions(bytes) {
  const each = weights(CHANNELS * CHANNELS * 9, CHANNELS * 9);
  const parts = stem();
  const count = Math.floor((bytes - CHANNELS * 400) / each.byteLength);
  let last = 'stem';
  for (let i = 0; i < count; i++) {
    const [weight, output] = [`weight${i}`, `conv${i}`];
    parts.push(...tensor(weight, [CHANNELS, CHANNELS, 3, 3], each));
    parts.push(...node('Conv', [last, weight], output, [attribute('pads', [1, 1, 1, 1])]), ...node('Relu', [output], `${output}.relu`));
    last = `${output}.relu`;
  }
  parts.push(...node('GlobalAveragePool', [last], 'pool'), ...node('Flatten', ['pool'], 'flat'));
  return model([...parts, ...head(CHANNELS)]);
}

/// One matrix of nearly all the bytes, as VGG's first dense layer.
function dense(bytes) {
  const inputs = CHANNELS * 49;
  const outputs = Math.floor((bytes - CHANNELS * 400) / (4 * (inputs + CLASSES)));
  const matrix = tensor('matrix', [outputs, inputs], weights(inputs * outputs, inputs));
  const parts = [...stem(), ...matrix, ...node('Flatten', ['stem'], 'row'), ...node('Gemm', ['row', 'matrix'], 'hidden', [flag('transB', 1)])];
  return model([...parts, ...node('Relu', ['hidden'], 'flat'), ...head(outputs)]);
}

/// From the image to 1024 channels of 7 by 7.
const stem = () => [
  ...tensor('stem.weight', [CHANNELS, 3, 4, 4], weights(CHANNELS * 48, 48)),
  ...node('Conv', ['image', 'stem.weight'], 'stem', [attribute('strides', [32, 32])]),
];

const head = (inputs) => [
  ...tensor('head', [CLASSES, inputs], weights(CLASSES * inputs, inputs)),
  ...node('Gemm', ['flat', 'head'], 'scores', [flag('transB', 1)]),
];

function model(nodes) {
  const graph = [...nodes, ...text(2, 'large'), ...value(11, 'image', [1, 3, 224, 224]), ...value(12, 'scores', [1, CLASSES])];
  const parts = [...number(1, 8), ...sized(7, graph), ...sized(8, number(2, 17))];
  return parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : part));
}

/// A file of at most `bytes` bytes, and less than one weight under it.
export function largeModel(kind, bytes) {
  const parts = { convolutions, dense }[kind](bytes);
  return new File(parts, `${kind}.onnx`);
}
