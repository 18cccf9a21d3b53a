"""Validation of images and labels for the audit, in any input format."""

from dataclasses import replace

import numpy as np
import pandas as pd
import scipy.sparse

from skimgcls._images._validation import check_images

_EXPECTED = (
    "Expected a list, Series, array or one-column DataFrame of paths, or uint8 images of shape "
    "(n_samples, height, width) or (n_samples, height, width, n_channels)."
)


def list_pictures(X, name):
    """Return a list of paths, or of arrays (height, width, channels) with 1 or 3 channels.

    Invalid paths are kept; the audit reports them.

    >>> list_pictures(np.array([["cat.png"], ["dog.png"]]), "X")
    ['cat.png', 'dog.png']
    """
    if not hasattr(X, "__len__") or isinstance(X, str | bytes | dict | set):
        raise ValueError(f"{name} must hold images; got {type(X).__name__}. {_EXPECTED}")
    if len(X) == 0:
        raise ValueError(f"{name} is empty. {_EXPECTED}")
    if _holds_arrays(X):
        return _list_arrays(X, name)
    if hasattr(X, "columns") or getattr(X, "ndim", 1) > 1:
        if np.shape(X)[1:] != (1,):
            raise ValueError(f"{name} has shape {np.shape(X)}. {_EXPECTED}")
        return np.asarray(X, dtype=object).ravel().tolist()
    return list(X)


def _holds_arrays(X):
    """Return whether X holds arrays and not paths, judged by the first item."""
    if hasattr(X, "columns"):
        return False
    first = X.iloc[0] if hasattr(X, "iloc") else X[0]
    try:
        return np.ndim(first) >= 2
    except ValueError:
        # Ragged lists, which are refused as such.
        return True


def _list_arrays(X, name):
    images = replace(check_images(X, estimator_name="audit_images").images, ndim=4).to_array()
    if images.dtype != np.uint8 or images.shape[3] not in (1, 3):
        raise ValueError(
            f"{name} holds {images.dtype} images of {images.shape[3]} channels. Expected uint8, "
            "from 0 to 255, and 1 or 3 channels: convert the images first."
        )
    return list(images)


def drop_unlabeled(y, labels):
    """Return the labels that are present, as input for `class_distribution`, or None."""
    kept = [label is not None for label in labels]
    if not any(kept):
        return None
    y = y.toarray() if scipy.sparse.issparse(y) else y
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        return pd.DataFrame(y)[kept]
    return [label for label in labels if label is not None]
