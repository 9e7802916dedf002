// TensorFlow.js on WebGPU: the input's gradient of a MobileNet v1, built layer by layer.

import { tensor } from '../picture.js';

const script = (src) =>
  new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: () => reject(new Error(src)) }));
  });

/// Channels and stride of each depthwise-separable block.
const BLOCKS = [[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], ...Array(5).fill([512, 1]), [1024, 2], [1024, 1]];

export async function open({ weights, side, size, target }) {
  await script('/peers/@tensorflow/tfjs/dist/tf.min.js');
  await script('/peers/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js');
  const { tf } = globalThis;
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js has no WebGPU');
  await tf.ready();
  const logit = network(tf, new Float32Array(await (await fetch(weights)).arrayBuffer()), target);
  const gradient = tf.grad(logit);
  const input = tf.tensor4d(tensor(side, size, true), [1, size, size, 3]);
  return {
    async run() {
      const result = gradient(input);
      const channelsFirst = result.squeeze().transpose([2, 0, 1]);
      const data = await channelsFirst.data();
      tf.dispose([result, channelsFirst]);
      return Array.from(data);
    },
  };
}

function network(tf, weights, target) {
  let at = 0;
  const take = (shape) => {
    const count = shape.reduce((a, b) => a * b, 1);
    at += count;
    return tf.tensor(weights.subarray(at - count, at), shape);
  };
  // ONNX keeps kernels as [out, in, height, width].
  const kernel = (out, inputs, side, axes) => take([out, inputs, side, side]).transpose(axes);
  const stem = [kernel(32, 3, 3, [2, 3, 1, 0]), take([32])];
  let channels = 32;
  const blocks = BLOCKS.map(([out, stride]) => {
    const depthwise = [kernel(channels, 1, 3, [2, 3, 0, 1]), take([channels])];
    const pointwise = [kernel(out, channels, 1, [2, 3, 1, 0]), take([out])];
    channels = out;
    return { stride, depthwise, pointwise };
  });
  const classifier = [take([1000, 1024]).transpose(), take([1000])];
  const relu6 = (x, bias) => x.add(bias).clipByValue(0, 6);
  return (x) => {
    let y = relu6(tf.conv2d(x, stem[0], 2, 'same'), stem[1]);
    for (const { stride, depthwise, pointwise } of blocks) {
      y = relu6(tf.depthwiseConv2d(y, depthwise[0], stride, 'same'), depthwise[1]);
      y = relu6(tf.conv2d(y, pointwise[0], 1, 'same'), pointwise[1]);
    }
    const logits = y.mean([1, 2]).matMul(classifier[0]).add(classifier[1]);
    return logits.gather([target], 1).sum();
  };
}
