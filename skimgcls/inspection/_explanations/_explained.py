"""Helpers of the explanation functions: pixels, prediction function and target classes."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._image_files import find_items
from skimgcls._images._validation import check_images
from skimgcls.inspection._plots._pixels import find_image_shape, read_images
from skimgcls.utils._unwrap import find_pipeline


class Explained(NamedTuple):
    """Saliency maps, with the images and classes that they explain.

    Attributes
    ----------
    images : ndarray of shape (n, height, width, channels)
        Preprocessed images, as passed to the network or to `predict_proba`.
    codes : ndarray of shape (n,)
        Index of the class explained, by image.
    maps : ndarray of shape (n, height, width)
    """

    images: np.ndarray
    codes: np.ndarray
    maps: np.ndarray


def import_captum(name: str) -> Any:
    """Return captum.attr, or raise an ImportError that names the extra."""
    try:
        import captum.attr
    except ImportError as error:
        raise ImportError(
            f'{name} requires captum, which is not installed: pip install "skimgcls[explain]".'
        ) from error
    return captum.attr


def part_reader(estimator, X):
    """Return pixels (n, height, width, channels), and a function that predicts such pixels.

    The function restores the input format of X. Files are decoded by the first step of a Pipeline,
    or by the classifier.
    """
    check_is_fitted(estimator)
    estimator = find_pipeline(estimator)
    if find_items(X) is not None and isinstance(estimator, Pipeline):
        X, estimator = estimator[0].transform(X), estimator[1:]
    shape = find_image_shape(estimator, X)
    checked = check_images(X, image_shape=shape, estimator_name="the explanation")
    images = read_images(checked.images)
    spelling = np.shape(X)[1:] if find_items(X) is None else images.shape[1:]

    def predict_proba(pixels):
        return estimator.predict_proba(pixels.reshape(len(pixels), *spelling))

    return images, predict_proba


def check_target(target, predicted, classes):
    """Return the indices of the classes to explain: `target`, or the predicted classes."""
    if target is None:
        return np.asarray(predicted)
    classes = np.asarray(classes)
    wanted = np.broadcast_to(np.asarray(target), len(predicted))
    unknown = np.setdiff1d(wanted, classes)
    if len(unknown):
        raise ValueError(
            f"target={unknown.tolist()[0]!r} is not a class. Expected one of {classes.tolist()}, "
            "one per image, or None for the predicted class."
        )
    return np.array([np.flatnonzero(classes == one)[0] for one in wanted])
