"""Quantize the weights and activations of a network to 8-bit integers."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from skimgcls._images._decode import CHANNELS
from skimgcls._images._image_files import Decoding, ImageFiles, find_items
from skimgcls._images._validation import check_images
from skimgcls.export._torch_export import quiet

# Layers that take nearly all of the computation.
_LAYERS = ("Conv", "Gemm", "MatMul")
# The logging level of onnxruntime for errors only.
_ERRORS_ALONE = 3
# Batch size.
_AT_ONCE = 32


class CalibrationImages:
    """Calibration data reader of onnxruntime: returns one batch of pixels per call.

    Parameters
    ----------
    X : array-like of images, or of files
    graph : Graph
    dtype : {"uint8", "float32"}
    loader : ImageLoader or None
        Determines how files are decoded.
    """

    def __init__(self, X, graph, dtype, loader):
        self.dtype = dtype
        self.image_shape = graph.image_shape
        items = find_items(X)
        if items is None:
            self.images = self._check_pixels(X)
        else:
            self.images = self._check_files(items, loader)
        self._next = 0

    def get_next(self):
        """Return the next input of the graph, or None at the end."""
        start = self._next
        if start >= len(self.images):
            return None
        # Files may differ in size.
        stop = start + (1 if isinstance(self.images, ImageFiles) else _AT_ONCE)
        self._next = stop
        if isinstance(self.images, ImageFiles):
            pixels = self.images.take(slice(start, stop)).read(slice(None))
        else:
            pixels = self.images[start:stop]
        return {"pixels": np.ascontiguousarray(pixels, self.dtype)}

    def _check_pixels(self, X):
        height, _, channels = self.image_shape
        shape = self.image_shape if height is not None else None
        checked = check_images(X, fitted_shape=shape, any_spelling=True, estimator_name="to_onnx")
        images = replace(checked.images, ndim=4).to_array()
        if images.shape[3] != channels:
            raise ValueError(
                f"calibration holds images of {images.shape[3]} channel(s), but the graph takes "
                f"{channels}."
            )
        if self.dtype == "uint8" and not np.array_equal(images.astype(np.uint8), images):
            raise ValueError(
                "calibration holds values that do not fit uint8, but the graph takes uint8. Pass "
                "pixels as they go into the graph, before any scaling."
            )
        return images

    def _check_files(self, items, loader):
        height, _, channels = self.image_shape
        mode = next((mode for mode, n in CHANNELS.items() if n == channels), None)
        if mode is None:
            raise ValueError(
                f"calibration holds files, which have 1 or 3 channels; the graph takes {channels}."
            )
        decoding = Decoding(mode)
        if loader is not None:
            decoding = Decoding(mode, background=loader._make_decoding().background)
        files = ImageFiles.from_items(items, decoding)
        files.check_headers()
        if height is not None and files.image_shape != tuple(self.image_shape):
            raise ValueError(
                f"calibration holds images of shape {files.image_shape}, but the graph takes "
                f"{tuple(self.image_shape)} (height, width, channels)."
            )
        return files


def quantize(onnx, model, images):
    """Return the model with int8 layers, with value ranges measured on calibration images."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder, quiet():
        source, target = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        model = _fuse_layers(onnx, model, source)
        layers = _find_layers(onnx, model)
        onnx.save(model, source)
        quantize_static(
            source,
            target,
            images,
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=layers,
            op_types_to_quantize=list(_LAYERS),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(target)


def _fuse_layers(onnx, model, path):
    """Return the model with products and sums after a layer fused into the layer."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = _ERRORS_ALONE
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    fused = onnx.load(path)
    try:
        onnx.checker.check_model(fused)
    except onnx.checker.ValidationError:
        # Versions of onnxruntime before about 1.21 lose the content of a loop.
        return model
    return fused


def _find_layers(onnx, model):
    """Return the names of the nodes that multiply float32 values by weights."""
    weights = {
        tensor.name
        for tensor in model.graph.initializer
        # Weights of a step resize images.
        if tensor.data_type == onnx.TensorProto.FLOAT and not tensor.name.startswith("steps.")
    }
    names = []
    for place, node in enumerate(model.graph.node):
        if node.op_type in _LAYERS and node.input[1] in weights:
            node.name = node.name or f"layer_{place}"
            names.append(node.name)
    return names
