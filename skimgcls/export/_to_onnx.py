"""A Pipeline as a model of ONNX."""

from importlib import import_module
from pathlib import Path

import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skimgcls.export._calibration import CalibrationImages, quantize
from skimgcls.export._graph import Graph
from skimgcls.export._model import add_labels, describe, write_model
from skimgcls.export._parts import Parts
from skimgcls.export._torch_export import export_graph
from skimgcls.utils._random import seeded

_DTYPES = {"uint8": torch.uint8, "float32": torch.float32}


def to_onnx(estimator, path=None, *, dtype="auto", calibration=None):
    """Write a fitted Pipeline as one model of ONNX: pixels in, probabilities and labels out.

    Resizing, normalisation, the net, its softmax and the labels are one graph, for as many images
    at a time as one likes. What runs it, onnxruntime for instance, needs neither this package nor
    torch.

    Parameters
    ----------
    estimator : estimator
        Fitted: an image classifier of this package, alone or at the end of a Pipeline of
        ImageLoader, ImageResizer, ImageNormalizer, ImageAugmenter and ImageFlattener; or a search,
        a FrozenEstimator or a RejectOptionClassifier around one.

    path : str, path or None, default=None
        File to write, by custom ``*.onnx``. What was there is replaced when the new file is
        complete. None writes none.

    dtype : {"auto", "uint8", "float32"}, default="auto"
        Type of the pixels that the graph takes. "auto" is uint8, numbers from 0 to 255, if `fit`
        was given bytes or files, and else float32, on the scale that `fit` was given.

    calibration : array-like of images, or of files, default=None
        Some hundred images as those to come: in the type of `dtype`, or files. With them
        convolutions and dense layers compute in int8, in the ranges that values have for these
        images; without, in float32.

    Returns
    -------
    model : onnx.ModelProto
        What is in the file. See the notes for what it takes and gives.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator, or a step of it, is not fitted.
    TypeError
        If it is something else than the above.
    ValueError
        If `calibration` holds no image, images of another shape, or numbers that are no bytes where
        the graph takes these.
    RuntimeError
        If torch cannot write down a module of your own, as one that decides by pixels what to
        compute.
    ImportError
        If onnx, onnxscript or, for calibration, onnxruntime is missing: they come with
        ``pip install "skimgcls[onnx]"``.

    See Also
    --------
    save : A file that :func:`load` makes an estimator of again.

    Notes
    -----
    The graph takes "pixels" (n, height, width, channels): turned upright, and in the mode of the
    ImageLoader, RGB or grey. Of bytes that are resized first any height and width will do; else it
    takes those that `fit` saw. Images given as rows go in as images, of the estimator's
    `image_shape_`.

    It gives "probabilities" (n, n_classes), float32 in the order of `classes_`, and "labels" (n,),
    what `predict` gives: text, int64, bool or float64. Where an image can have several labels these
    are zeros and ones (n, n_classes), int64. A RejectOptionClassifier's label of rejection is among
    the labels, as text where it is text and the others are not.

    All of it is computed in float32. From `predict_proba` in float32 probabilities differ by some
    millionths; a classifier that computes in bfloat16, as `precision_` tells, rounds more itself
    and differs by some hundredths.

    Bytes are resized to the last bit as Pillow does (Pillow's ``libImaging/Resample.c``). Layers in
    int8 are those of Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference" (2018), with a scale for each channel of the weights.

    The file tells of itself, as JSON in its metadata: "classes", "image_shape" (null where any
    length will do), "dtype", "mode", "range", "task", "outputs", "weights" and "versions".

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
    # Inside, torch is as in a fresh process.
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
    path = Path(path)
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
    """Return the first of these packages once all are there."""
    try:
        modules = [import_module(name) for name in names]
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs {' and '.join(names)}, of which {error.name} is not installed: "
            'pip install "skimgcls[onnx]".'
        ) from error
    return modules[0]
