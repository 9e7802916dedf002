"""What onnxruntime takes: `onnxruntime_cost.py MODEL` runs a forward pass on one thread for each line that it reads, and
answers with the seconds that it computed. `cargo bench --bench cpu -- --python PYTHON` asks it in turn with Pellucid.
"""
import sys
import time

import numpy
import onnxruntime


def main(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    [input] = session.get_inputs()
    shape = [1] + input.shape[1:]
    # The picture of `benches/cpu.rs`.
    values = (numpy.arange(numpy.prod(shape)) * 7919 % 255 / 128 - 1).astype(numpy.float32).reshape(shape)
    session.run(None, {input.name: values})
    print(onnxruntime.__version__, flush=True)
    for _ in sys.stdin:
        start = time.process_time()
        session.run(None, {input.name: values})
        print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
