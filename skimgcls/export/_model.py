"""An ONNX model: its labels, metadata and file."""

import json
from importlib.metadata import version

import numpy as np

from skimgcls.utils._atomic_write import atomic_write

_PACKAGES = ("numpy", "onnx", "onnxscript", "pillow", "scikit-learn", "torch", "torchvision")
_MODES = {1: "L", 3: "RGB"}


def add_labels(onnx, model, parts):
    """Replace the output "codes" of the graph by the output "labels"."""
    codes = next(output for output in model.graph.output if output.name == "codes")
    if parts.classifier.out_activation_ == "logistic":
        model.graph.node.append(onnx.helper.make_node("Identity", ["codes"], ["labels"]))
        kind, shape = onnx.TensorProto.INT64, ["n", len(parts.classifier.classes_)]
    else:
        kind, values = _list_labels(onnx, parts)
        shape = ["n"]
        table = onnx.helper.make_tensor("classes", kind, [len(values)], values)
        model.graph.initializer.append(table)
        gather = onnx.helper.make_node("Gather", ["classes", "codes"], ["labels"], axis=0)
        model.graph.node.append(gather)
    model.graph.output.remove(codes)
    model.graph.output.append(onnx.helper.make_tensor_value_info("labels", kind, shape))


def _list_labels(onnx, parts):
    """Return the type and the values of the labels. The label of rejection is the last."""
    labels = np.asarray(parts.classifier.classes_).tolist()
    if _rejects(parts):
        labels.append(np.asarray(parts.rejecting.rejected_label_).tolist())
    kinds = {type(label) for label in labels}
    if kinds == {bool}:
        return onnx.TensorProto.BOOL, labels
    if kinds <= {bool, int}:
        return onnx.TensorProto.INT64, [int(label) for label in labels]
    if kinds <= {bool, int, float}:
        return onnx.TensorProto.DOUBLE, [float(label) for label in labels]
    # A tensor cannot hold both numbers and text, so mixed labels are all text.
    texts = (label.decode() if isinstance(label, bytes) else str(label) for label in labels)
    return onnx.TensorProto.STRING, [text.encode() for text in texts]


def _rejects(parts):
    return parts.rejecting is not None and parts.rejecting.threshold_ > 0


def describe(model, parts, graph, dtype, weights):
    """Write the metadata of the model."""
    classes = np.asarray(parts.classifier.classes_).tolist()
    is_multilabel = parts.classifier.out_activation_ == "logistic"
    facts = {
        "skimgcls": version("skimgcls"),
        "task": "multilabel" if is_multilabel else "multiclass",
        "classes": classes,
        "image_shape": graph.image_shape,
        "dtype": dtype,
        "mode": _MODES.get(graph.image_shape[2]),
        "range": [0, 255] if dtype == "uint8" else None,
        "weights": weights,
        "outputs": {
            "probabilities": "of each class, in the order of classes",
            "labels": "1 where a class is more probable than not, else 0, in the order of classes"
            if is_multilabel
            else "the most probable class",
        },
        "versions": {name: version(name) for name in _PACKAGES},
    }
    if _rejects(parts):
        facts["threshold"] = parts.rejecting.threshold_
        facts["rejected_label"] = parts.rejecting.rejected_label_
        facts["outputs"]["labels"] += ", or rejected_label where it is less probable than threshold"
    model.producer_name, model.producer_version = "skimgcls", version("skimgcls")
    del model.metadata_props[:]
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value, default=_as_plain)


def _as_plain(value):
    """Return a NumPy scalar as a Python scalar, any other value as text."""
    return value.item() if hasattr(value, "item") else str(value)


def write_model(model, path):
    """Write a complete file, or leave the existing one unchanged."""
    with atomic_write(path) as file:
        file.write(model.SerializeToString())
