"""The first check of X in every estimator."""

from typing import Any

import numpy as np

from skimgcls._images._containers import unpack_container
from skimgcls._images._image_files import holds_files
from skimgcls._images._pixel_array import is_plain
from skimgcls._images._pixel_range import PixelRange, warn_of_other_range
from skimgcls._images._validation import CheckedImages, check_images
from skimgcls.utils._sklearn_compat import check_feature_names


def validate_images(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    any_size: bool = False,
    check_names: bool = True,
    name: str = "X",
) -> CheckedImages:
    """Return X as checked images; the counterpart of scikit-learn's ``validate_data``.

    Parameters
    ----------
    estimator : estimator
        It has `image_shape`, the parameter.
    X : array-like of images, or of files
    reset : bool
        Whether to store the shape of the images and the names of the columns in the estimator.
        Otherwise X is compared with what was stored.
    any_size : bool, default=False
        Whether images may have another size than in `fit`.
    check_names : bool, default=True
        Whether to check the names of the columns, and the range of the pixels.
    name : str, default="X"
        Used in a warning about the range.
    """
    X = unpack_container(X)
    if check_names:
        _check_names(estimator, X, reset=reset)
    estimator_name = type(estimator).__name__
    if not reset:
        checked = check_images(
            X,
            # A loader that was fitted on files accepts any images.
            fitted_shape=getattr(estimator, "image_shape_", None),
            any_spelling=getattr(estimator, "_shape_is_a_guess", False),
            any_size=any_size,
            estimator_name=estimator_name,
        )
        # Inverse transforms do not check names: their values are not pixels as in fit. Loaders of
        # files, and estimators that were saved by an earlier version, have no range.
        if check_names and getattr(estimator, "_pixel_range", None) is not None:
            warn_of_other_range(
                PixelRange(*estimator._pixel_range), checked.images, estimator_name, name
            )
        return checked
    checked = check_images(X, image_shape=estimator.image_shape, estimator_name=estimator_name)
    images = checked.images
    estimator.image_shape_ = images.image_shape
    estimator.n_features_in_ = int(np.prod(images.image_shape))
    estimator._shape_is_a_guess = estimator.image_shape is None and checked.is_rows
    estimator._saw_rows = checked.is_rows
    estimator._saw_bytes = images.source.dtype == np.uint8
    found = PixelRange.of(images)
    estimator._pixel_range = None if found is None else tuple(found)
    return checked


def _check_names(estimator: Any, X: Any, *, reset: bool) -> None:
    # An array of numbers has no column names: skip the check, to predict single images quickly.
    if is_plain(X) and not hasattr(estimator, "feature_names_in_"):
        return
    if not holds_files(X):
        check_feature_names(estimator, X, reset=reset)
    elif reset:
        # The name of a column of paths does not describe the pixels.
        vars(estimator).pop("feature_names_in_", None)
