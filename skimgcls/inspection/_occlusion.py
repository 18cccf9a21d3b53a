"""What a classifier misses where it cannot see."""

from numbers import Integral

import numpy as np
import torch

from skimgcls._images._statistics import channel_statistics
from skimgcls.inspection._explained import Explained, check_target, import_captum, part_reader

# Pixels, covered images counted, that are predicted at once.
_N_VALUES = 2**24


def occlusion(estimator, X, target=None, *, window=None, stride=None):
    """Return how much of a class's probability is lost where a part of an image is covered.

    A window goes over the image, and what is under it takes the mean colour of the images; the
    probability that is lost is the map's value there (Zeiler and Fergus, "Visualizing and
    Understanding Convolutional Networks", 2014), by captum. It asks `predict_proba` and nothing
    else, so that any classifier of scikit-learn can be explained.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, Pipeline that ends in one, or search over it
        Fitted.

    X : array-like of images, or of paths
        What the estimator predicts. Files need a Pipeline that begins with an ImageLoader, or an
        image classifier.

    target : label, or array-like of shape (n,), default=None
        Class to explain, one for all or one for each image. None is the one predicted.

    window : int or None, default=None
        Side of the window in pixels. None is a quarter of the shorter side.

    stride : int or None, default=None
        Pixels from one window to the next. None is half a window.

    Returns
    -------
    maps : ndarray of shape (n, height, width)
        Lost probability; negative where the class is more probable without what is there. Each
        pixel has the mean over the windows that cover it.

    Raises
    ------
    ImportError
        If captum is not installed.
    ValueError
        If window or stride are no sizes, or the window is larger than an image.

    See Also
    --------
    grad_cam : A quicker answer, for nets with convolutions.
    """
    return explain_by_occlusion(estimator, X, target, window=window, stride=stride).maps


def explain_by_occlusion(estimator, X, target=None, *, window=None, stride=None):
    """Return the maps with what they are maps of."""
    attr = import_captum("occlusion")
    images, predict_proba = part_reader(estimator, X)
    window, stride = _check_window(images.shape, window, stride)
    codes = check_target(target, predict_proba(images).argmax(axis=1), estimator.classes_)
    cover = _mean_colour(images)

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


def _mean_colour(images):
    """Return the mean of each channel (1, channels, 1, 1), a number that a pixel can be."""
    colour = channel_statistics(images, None, np.arange(len(images)))[0]
    colour = np.rint(colour) if images.dtype.kind in "bui" else colour
    return torch.from_numpy(colour)[None, :, None, None]


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
