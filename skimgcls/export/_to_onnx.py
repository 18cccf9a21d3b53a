"""Export a Pipeline to ONNX."""

from importlib import import_module

import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skimgcls.export._calibration import CalibrationImages, quantize
from skimgcls.export._graph import Graph
from skimgcls.export._model import add_labels, describe, write_model
from skimgcls.export._parts import Parts
from skimgcls.export._torch_export import export_graph
from skimgcls.utils._paths import expand
from skimgcls.utils._random import seeded

_DTYPES = {"uint8": torch.uint8, "float32": torch.float32}


def to_onnx(estimator, path=None, *, dtype="auto", calibration=None):
    """Export a fitted Pipeline to ONNX, from pixels to probabilities and labels.

    The graph contains the resizing, normalization, network, softmax and labels. The batch size is
    dynamic. Running the model, for example with onnxruntime, needs neither this package nor torch.

    Parameters
    ----------
    estimator : estimator
        Fitted estimator: an image classifier of this package, alone or as the last step of a
        Pipeline of ImageLoader, ImageResizer, ImageNormalizer, ImageAugmenter and ImageFlattener;
        or a search, a FrozenEstimator or a RejectOptionClassifier around one.

    path : str, path-like or None, default=None
        File to write, usually ``*.onnx``. An existing file is replaced once the new file is
        complete. If None, no file is written.

    dtype : {"auto", "uint8", "float32"}, default="auto"
        Data type of the input pixels. "auto" selects "uint8", values from 0 to 255, if `fit` was
        called with uint8 images or files. Otherwise it selects "float32", on the scale of the
        images passed to `fit`.

    calibration : array-like of images, or of files, default=None
        A few hundred images like those to predict, of type `dtype` or as files. If given,
        convolutions and dense layers are quantized to int8, with value ranges measured on these
        images. If None, they compute in float32.

    Returns
    -------
    model : onnx.ModelProto
        The exported model. Its inputs and outputs are described in the Notes.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator or one of its steps is not fitted.
    TypeError
        If the estimator, or one of its steps, is not one of those listed above.
    ValueError
        If `calibration` is empty, has images of another shape, or has values that do not fit uint8
        and the graph takes uint8.
    RuntimeError
        If torch cannot export a custom module, for example one whose control flow depends on the
        pixels.
    ImportError
        If onnx, onnxscript or, for calibration, onnxruntime is not installed. Install them with
        ``pip install "skimgcls[onnx]"``.

    See Also
    --------
    save : Save a fitted estimator to a file for :func:`load`.

    Notes
    -----
    The input is "pixels" of shape (n_samples, height, width, n_channels): upright images in the
    mode of the ImageLoader, RGB or grayscale. If uint8 images are resized first, any height and
    width are accepted; otherwise they must be those of the images passed to `fit`. An estimator
    fitted on rows takes images of its `image_shape_`.

    The outputs are "probabilities" of shape (n_samples, n_classes), float32 in the order of
    `classes_`, and "labels" of shape (n_samples,), the result of `predict`: text, int64, bool or
    float64. For multilabel targets, "labels" are zeros and ones of shape (n_samples, n_classes),
    int64. With a RejectOptionClassifier, "labels" contain its `rejected_label_`; if this is text
    and the classes are not, all labels are text.

    The graph computes in float32. Its probabilities differ from those of `predict_proba` in float32
    by a few millionths. A classifier that computes in bfloat16 (see `precision_`) rounds more, and
    differs by a few hundredths.

    uint8 images are resized exactly as by Pillow (``libImaging/Resample.c``). int8 layers follow
    Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference" (2018), with one scale per channel of the weights.

    The metadata of the file holds, as JSON: "classes", "image_shape" (null for a side of any
    length), "dtype", "mode", "range", "task", "outputs", "weights" and "versions".

    Examples
    --------
    >>> import onnxruntime
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import MLPImageClassifier, to_onnx
    >>> digits = load_digits()
    >>> images = digits.images.astype("uint8")
    >>> clf = MLPImageClassifier(max_iter=5, random_state=0).fit(images, digits.target)
    >>> model = to_onnx(clf)
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> pixels = images[:3].reshape(3, 8, 8, 1)
    >>> probabilities, labels = session.run(["probabilities", "labels"], {"pixels": pixels})
    >>> bool(abs(probabilities - clf.predict_proba(images[:3])).max() < 1e-4)
    True
    >>> labels.tolist()
    [0, 1, 2]
    """
    if not isinstance(estimator, BaseEstimator):
        raise TypeError(f"to_onnx expects a fitted estimator; got {estimator!r}.")
    check_is_fitted(estimator)
    path = _check_path(path)
    parts = Parts.of(estimator)
    dtype = _choose_dtype(dtype, parts)
    onnx = _import_extra("onnx", "onnxscript")
    # `seeded` sets torch's default settings inside the block.
    with seeded(0), torch.no_grad():
        graph = Graph(parts, takes_bytes=dtype == "uint8")
        images = None
        if calibration is not None:
            _import_extra("onnxruntime")
            images = CalibrationImages(calibration, graph, dtype, parts.loader)
        model = export_graph(graph, _DTYPES[dtype])
    if images is not None:
        model = quantize(onnx, model, images)
    add_labels(onnx, model, parts)
    describe(model, parts, graph, dtype, "float32" if images is None else "int8")
    onnx.checker.check_model(model)
    if path is not None:
        write_model(model, path)
    return model


def _check_path(path):
    if path is None:
        return None
    path = expand(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(path.parent)!r} to write {path.name!r}.")
    if path.is_dir():
        raise IsADirectoryError(f"path={str(path)!r} is a folder. Expected a file to write.")
    return path


def _choose_dtype(dtype, parts):
    if dtype == "auto":
        return "uint8" if parts.saw_bytes else "float32"
    if dtype not in _DTYPES:
        raise ValueError(f"dtype must be 'auto', 'uint8' or 'float32'; got {dtype!r}.")
    return dtype


def _import_extra(*names):
    """Return the first of these packages; raise if one is not installed."""
    try:
        modules = [import_module(name) for name in names]
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs {' and '.join(names)}, but {error.name} is not installed: "
            'pip install "skimgcls[onnx]".'
        ) from error
    return modules[0]
