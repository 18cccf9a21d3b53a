"""Turn any container of pixels into one array."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_array

EXPECTED = (
    "Expected (n, pixels), (n, height, width) or (n, height, width, channels), or a file for each "
    "image."
)

_LONGEST_MESSAGE = 400


def to_array(X: Any, estimator_name: str) -> np.ndarray:
    """Return X as a numeric array of 2 to 4 dimensions, never empty."""
    if is_plain(X):
        plain: np.ndarray = X
        return plain
    X = _unpack_tensor(X)
    if X is None or np.isscalar(X):
        raise ValueError(f"X must hold images; got {type(X).__name__} {X!r}. {EXPECTED}")
    if not hasattr(X, "shape") or getattr(getattr(X, "dtype", None), "kind", "") == "O":
        X = _stack(X)
    _refuse_text(X)
    _refuse_flat(X)
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        raise ValueError(
            f"Complex data not supported: X is {X.dtype}. Pass its magnitude, np.abs(X), or its "
            "real and imaginary parts as channels."
        )
    try:
        array: np.ndarray = check_array(
            X,
            dtype="numeric",
            allow_nd=True,
            ensure_all_finite=False,
            estimator=estimator_name,
            input_name="X",
        )
    except ValueError as error:
        if len(str(error)) <= _LONGEST_MESSAGE:
            raise
        # Some messages of scikit-learn end with the data.
        raise ValueError(f"X cannot be read as pixels: {str(error)[:200]}...") from error
    if array.ndim > 4:
        raise ValueError(f"X has {array.ndim} dimensions, shape {array.shape}. {EXPECTED}")
    if 0 in array.shape:
        raise ValueError(f"X contains images without a pixel: its shape is {array.shape}.")
    return array


def is_plain(X: Any) -> bool:
    """Return whether X is an array that needs no conversion."""
    return (
        type(X) is np.ndarray and X.dtype.kind in "buif" and 2 <= X.ndim <= 4 and 0 not in X.shape
    )


def _unpack_tensor(X: Any) -> Any:
    """Return the array of a torch tensor, which is detected by duck typing."""
    if not (hasattr(X, "detach") and hasattr(X, "device")):
        return X
    if X.device.type != "cpu":
        raise TypeError(
            f"X is a tensor on {X.device}. Pass X.cpu(): batches are moved to the device one by "
            "one."
        )
    X = X.detach()
    try:
        return X.numpy()
    except TypeError:
        # NumPy lacks some types, such as bfloat16.
        return X.float().numpy()


def _stack(X: Any) -> Any:
    """Stack a list, Series or object array of images of one shape; return other inputs as is."""
    is_listing = hasattr(X, "__len__") and not isinstance(X, str | bytes | dict)
    items = list(X) if is_listing and getattr(X, "ndim", 1) > 0 else []
    if not items or not (hasattr(items[0], "shape") or isinstance(items[0], list | tuple)):
        return X
    try:
        images = [np.asarray(_unpack_tensor(item)) for item in items]
    except ValueError as error:
        raise ValueError(f"X is ragged inside one of its images: {error}") from error
    for index, image in enumerate(images):
        if image.shape != images[0].shape:
            raise ValueError(
                f"X is ragged: image {index} has shape {image.shape}, image 0 has "
                f"{images[0].shape}. Resize all images to one shape first."
            )
    return np.stack(images)


def _refuse_text(X: Any) -> None:
    """Raise if X contains text, some of which check_array would convert to numbers."""
    dtypes = X.dtypes if hasattr(X, "columns") else [getattr(X, "dtype", None)]
    if isinstance(X, list | tuple):
        values = np.asarray(X[:1], dtype=object)
    elif any(getattr(dtype, "kind", "") in ("O", "S", "U", "T") for dtype in dtypes):
        values = np.asarray(X, dtype=object)
    else:
        return
    for value in values.ravel():
        if isinstance(value, str | bytes):
            raise ValueError(
                f"X holds text, such as {value[:50]!r}, in more than one column. Expected pixels, "
                "or one path for each image: pass the column of paths alone, as in "
                "frame[['path']]."
            )


def _refuse_flat(X: Any) -> None:
    """Raise if X has less than two dimensions. check_array would print it in its message."""
    if not isinstance(X, np.ndarray | list | tuple | pd.Series) or np.ndim(X) > 1:
        return
    n_dimensions = np.ndim(X)
    # scikit-learn's checks match this message.
    raise ValueError(
        f"Expected 2D array, got {n_dimensions}D array instead: X has {np.size(X)} values. Reshape "
        "your data: X.reshape(1, -1) makes one image of them, X.reshape(-1, 1) an image of each."
    )
