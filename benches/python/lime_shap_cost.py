"""What lime and shap cost: `lime_shap_cost.py lime | shap-blur | shap-telea` prints, as JSON, the CPU seconds of 1000
evaluations of a trivial network at 224 x 224, twice; `lime_shap_cost.py whole [MODEL]` prints wall and CPU seconds of whole runs with
onnxruntime on two threads. `cargo bench --bench overhead -- PYTHON` runs it beside Pellucid.
"""
import contextlib
import io
import json
import os
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EVALUATIONS = 1000


def trivial(images):
    """As in benches/overhead.rs: sums of every eighth pixel in 4 x 4 cells, through a softmax of 1000 classes."""
    x = (np.asarray(images, np.float32)[:, ::8, ::8].sum(3) / 128 - 3) * 0.01
    n, height, width = x.shape
    logits = np.zeros((n, 1000), np.float32)
    logits[:, :16] = x.reshape(n, 4, height // 4, 4, width // 4).sum((2, 4)).reshape(n, 16)
    return softmax(logits)


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def onnx(path):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def classify(images):
        x = (np.asarray(images, np.float32).transpose(0, 3, 1, 2) - 127) / 128
        return softmax(np.concatenate([session.run(None, {name: part[None]})[0] for part in x]))
    return classify


def lime(image, f):
    from lime.lime_image import LimeImageExplainer
    LimeImageExplainer(random_state=0).explain_instance(
        image.astype(np.float64), f, top_labels=4, num_samples=EVALUATIONS, batch_size=10)


def shap_with(masker):
    def run(image, f):
        import shap
        explainer = shap.PartitionExplainer(f, shap.maskers.Image(masker, image.shape))
        explainer(image[None], max_evals=EVALUATIONS, batch_size=50, outputs=shap.Explanation.argsort.flip[:4],
                  silent=True)
    return run


RUNS = {"lime": lime, "shap-blur": shap_with("blur(64,64)"), "shap-telea": shap_with("inpaint_telea")}


def measured(run, image, f):
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(image, f)
    return {"wall": round(time.perf_counter() - wall, 3), "cpu": round(time.process_time() - cpu, 3)}


def main(what, model=os.path.join(ROOT, "models/efficientnet-lite0-int8.onnx")):
    warnings.simplefilter("ignore")
    image = np.load(os.path.join(ROOT, "tests/fixtures/quantized/cat_crop.npy"))
    out = sys.stdout
    import lime.lime_image, shap  # noqa: E401, F401: loading is not counted
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            import cv2
            cv2.setNumThreads(1)
        except ImportError:
            pass
        if what == "whole":
            f = onnx(model)
            result = {name: measured(RUNS[name], image, f) for name in ("lime", "shap-blur")}
        else:
            # As in a script that explains one picture, and once everything is compiled and cached.
            first = measured(RUNS[what], image, trivial)["cpu"]
            # What takes minutes is not compiling.
            second = first if first > 60 else measured(RUNS[what], image, trivial)["cpu"]
            result = {"first": first, "second": second}
    print(json.dumps(result), file=out)


if __name__ == "__main__":
    main(*sys.argv[1:])
