"""torch -> ONNX by torch's own exporters, with Pellucid's metadata, and where each torch layer went."""
import warnings

import numpy as np
import onnx
import onnxruntime
import torch

# Both exporters, because files of both are about: the newer folds pads and batch normalisation into convolutions and
# writes global pooling as ReduceMean and Reshape to a fixed batch; the older one keeps GlobalAveragePool and Flatten.
NEW = dict(dynamo=True, external_data=False, verbose=False)
OLD = dict(dynamo=False, opset_version=17, dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
UNFOLDED = dict(OLD, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
EXPORTERS = {"lite": NEW, "resnet": UNFOLDED, "vgg": NEW, "densenet": NEW, "mobilenet_v3": OLD}


def export(name, model, example, path, metadata):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (example,), path, input_names=["input"], output_names=["logits"], **EXPORTERS[name])
    exported = onnx.load(path)
    # Stack traces and module paths of the exporting machine are no part of a network.
    graph = exported.graph
    for item in [exported, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer]:
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    onnx.helper.set_model_props(exported, metadata)
    onnx.checker.check_model(exported, full_check=True)
    with open(path, "wb") as file:
        file.write(exported.SerializeToString(deterministic=True))
    return exported


def layer_values(exported, model, x, layers):
    """For each torch layer, the ONNX node and value that hold its output: found by its numbers."""
    outputs = {}
    handles = [model.get_submodule(path).register_forward_hook(
        lambda _, __, out, key=key: outputs.update({key: out.detach().numpy()})) for key, path in layers.items()]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    values = all_values(exported, x.numpy())
    producers = {name: node for node in exported.graph.node for name in node.output}
    found = {}
    for key, expected in outputs.items():
        matches = [name for name, value in values.items()
                   if value.shape == expected.shape and np.abs(value - expected).max() < 1e-4]
        if len(matches) != 1:
            raise ValueError(f"{layers[key]}: {len(matches)} ONNX values match")
        node = producers[matches[0]]
        found[key] = {"torch": layers[key], "node": node.name, "operator": node.op_type, "value": matches[0],
                      "shape": list(expected.shape[1:])}
    return found


def all_values(exported, x):
    """Every intermediate value by name, from onnxruntime without graph optimisations."""
    probe = onnx.ModelProto()
    probe.CopyFrom(exported)
    names = [name for node in probe.graph.node for name in node.output]
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return dict(zip(names, session(probe.SerializeToString()).run(names, {"input": x})))


def session(model):
    """onnxruntime on the CPU, one thread, the graph run literally."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
