"""What Captum costs: `captum_cost.py MODEL` prints, as JSON, the CPU seconds of a forward pass of an ONNX model in torch on
one thread, and of Captum's saliency, Grad-CAM before pooling and integrated gradients with 50 steps of it.
`cargo bench --bench cost -- PYTHON` runs it beside Pellucid.
"""
import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import onnx
import torch
from captum.attr import IntegratedGradients, LayerGradCam, Saliency

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "reference"))
import onnx_torch


class Model(torch.nn.Module):
    """The graph, with a module that Captum can hook behind the node before pooling."""

    def __init__(self, path):
        super().__init__()
        model = onnx.load(path)
        self.network, self.tap = onnx_torch.Network(model), torch.nn.Identity()
        self.input, self.output = model.graph.input[0].name, model.graph.output[0].name
        pools = [n for n in model.graph.node if n.op_type in ("GlobalAveragePool", "ReduceMean")]
        self.tapped = pools[-1].input[0]

    def forward(self, x):
        values = dict(self.network.constants, **{self.input: x})
        for node in self.network.nodes:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            made = getattr(self.network, node.op_type)(node, attributes, *(values[name] for name in node.input))
            values[node.output[0]] = self.tap(made) if node.output[0] == self.tapped else made
        return values[self.output]


def median(times, work):
    work()
    seconds = []
    for _ in range(times):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return sorted(seconds)[times // 2]


def main(path):
    torch.set_num_threads(1)
    model = Model(path).eval()
    x = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def forward():
        with torch.no_grad():
            model(x)

    paths = IntegratedGradients(model)
    print(json.dumps({
        "forward": median(15, forward),
        "saliency": median(9, lambda: Saliency(model).attribute(x, target=0)),
        "grad-cam": median(9, lambda: LayerGradCam(model, model.tap).attribute(x, target=0)),
        # One image at a time: the graph's own reshapes are made for that, and a larger batch is no faster on one thread.
        "integrated-gradients": median(1, lambda: paths.attribute(x, target=0, n_steps=50, internal_batch_size=1)),
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
