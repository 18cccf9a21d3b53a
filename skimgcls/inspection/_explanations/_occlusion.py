"""Occlusion saliency maps."""

from numbers import Integral

import numpy as np
import torch

from skimgcls._images._containers import unpack_container
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._statistics import channel_statistics
from skimgcls.inspection._explanations._explained import (
    Explained,
    check_target,
    import_captum,
    part_reader,
)

# Maximum number of pixels per call of predict_proba, over all covered copies.
_N_VALUES = 2**24


def occlusion(estimator, X, target=None, *, window=None, stride=None):
    """Compute occlusion saliency maps of any classifier.

    A sliding window covers a part of the image with the mean color of the images. The value of the
    map is the decrease of the class probability (Zeiler and Fergus, "Visualizing and Understanding
    Convolutional Networks", 2014). Only `predict_proba` is used, so any scikit-learn classifier can
    be explained. The maps are computed by captum.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, Pipeline that ends in one, or search over it
        Fitted classifier.

    X : array-like of images, or of paths
        Images in any format that the estimator accepts. Files require an image classifier, or a
        Pipeline that begins with an ImageLoader.

    target : label, or array-like of shape (n_samples,), default=None
        Class to explain, one for all images or one per image. None is the predicted class.

    window : int or None, default=None
        Side of the square window in pixels. None is a quarter of the shorter image side.

    stride : int or None, default=None
        Distance between windows in pixels. None is half the window.

    Returns
    -------
    maps : ndarray of shape (n_samples, height, width)
        Decrease of the class probability, averaged over the windows that cover each pixel. It is
        negative where covering the pixel makes the class more probable.

    Raises
    ------
    ImportError
        If captum is not installed.
    ValueError
        If `window` or `stride` is not an int from 1 to the shorter image side.

    See Also
    --------
    grad_cam : Faster saliency maps of convolutional networks.
    """
    return explain_by_occlusion(estimator, X, target, window=window, stride=stride).maps


def explain_by_occlusion(estimator, X, target=None, *, window=None, stride=None):
    """Return the maps with the images and classes that they explain."""
    X = unpack_container(X)
    attr = import_captum("occlusion")
    images, predict_proba = part_reader(estimator, X)
    window, stride = _check_window(images.shape, window, stride)
    codes = check_target(target, predict_proba(images).argmax(axis=1), estimator.classes_)
    cover = _mean_color(images)

    def ask(batch):
        pixels = batch.permute(0, 2, 3, 1).numpy().astype(images.dtype)
        return torch.from_numpy(np.ascontiguousarray(predict_proba(pixels)))

    explainer = attr.Occlusion(ask)
    n_windows = np.prod([-(-(side - window) // stride) + 1 for side in images.shape[1:3]])
    channels = images.shape[3]
    maps = []
    for image, code in zip(images, codes, strict=True):
        batch = torch.from_numpy(image[np.newaxis].astype(np.float64)).permute(0, 3, 1, 2)
        lost = explainer.attribute(
            batch,
            sliding_window_shapes=(channels, window, window),
            strides=(channels, stride, stride),
            baselines=cover.expand_as(batch),
            target=int(code),
            perturbations_per_eval=int(max(1, min(n_windows, _N_VALUES // image.size))),
        )
        maps.append(lost[0].mean(dim=0).numpy())
    return Explained(images, codes, np.stack(maps))


def _mean_color(images):
    """Return the channel means (1, channels, 1, 1), rounded if the pixels are integers."""
    color = channel_statistics(LazyImages(images), None, np.arange(len(images)))[0]
    color = np.rint(color) if images.dtype.kind in "bui" else color
    return torch.from_numpy(color)[None, :, None, None]


def _check_window(shape, window, stride):
    shorter = min(shape[1:3])
    window = max(1, shorter // 4) if window is None else window
    stride = max(1, window // 2) if stride is None else stride
    for name, value in {"window": window, "stride": stride}.items():
        if not isinstance(value, Integral) or not 1 <= value <= shorter:
            raise ValueError(
                f"{name} must be a number of pixels from 1 to {shorter}, the shorter side of the "
                f"images; got {value!r}."
            )
    return int(window), int(stride)
