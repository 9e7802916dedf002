// onnxruntime-web: forward passes.

import { tensor } from '../picture.js';

export async function open({ backend, model, side, size }) {
  const ort = await import(`/peers/onnxruntime-web/dist/ort.${backend === 'gpu' ? 'webgpu' : 'wasm'}.min.mjs`);
  ort.env.wasm.wasmPaths = new URL('/peers/onnxruntime-web/dist/', location.href).href;
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(model, { executionProviders: [backend === 'gpu' ? 'webgpu' : 'wasm'] });
  const input = new ort.Tensor('float32', tensor(side, size), [1, 3, size, size]);
  return {
    async run() {
      const outputs = await session.run({ [session.inputNames[0]]: input });
      return Array.from(await outputs[session.outputNames[0]].getData());
    },
  };
}
