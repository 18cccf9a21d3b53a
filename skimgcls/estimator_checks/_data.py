"""Data and assertions for the estimator checks."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, clone


def make_stripes(
    n_images: int = 36, shape: tuple[int, ...] = (8, 8), n_classes: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 images whose class is the row of a bright stripe, and their codes."""
    rng = np.random.RandomState(0)
    codes = np.arange(n_images) % n_classes
    images = rng.randint(0, 60, size=(n_images, *shape)).astype(np.uint8)
    for image, code in zip(images, codes, strict=True):
        image[code % shape[0]] += 180
    return images, codes


def gray_image_formats(images: np.ndarray) -> dict[str, Any]:
    """Return grayscale images (n, h, w) in every supported input format."""
    rows = images.reshape(len(images), -1)
    return {
        "(n, h, w)": images,
        "(n, h, w, 1)": images[..., np.newaxis],
        "rows": rows,
        "a frame": pd.DataFrame(rows, columns=[f"pixel{i}" for i in range(rows.shape[1])]),
        "a list of rows": rows.tolist(),
        "a list of images": list(images),
        "a series of images": pd.Series(list(images)),
        "nested lists": images.tolist(),
        "a tensor": torch.from_numpy(images.copy()),
    }


def prepared(estimator: Any, n_epochs: int = 3, random_state: int | None = 0) -> Any:
    clf = clone(estimator)
    settings = {"random_state": random_state, "max_iter": n_epochs}
    return clf.set_params(**{k: v for k, v in settings.items() if k in clf.get_params()})


def fitted(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    n_epochs: int = 3,
    random_state: int | None = 0,
    **fit_params: Any,
) -> Any:
    return prepared(estimator, n_epochs, random_state).fit(X, y, **fit_params)


def callers_settings() -> dict[str, Any]:
    """Return the global random state and torch settings, in a comparable form."""
    numpy_state: Any = np.random.get_state(legacy=False)  # noqa: NPY002 - the global state is meant
    return {
        "numpy": (numpy_state["state"]["key"].tobytes(), numpy_state["state"]["pos"]),
        "torch": torch.get_rng_state().numpy().tobytes(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "gradients": torch.is_grad_enabled(),
        "dtype": torch.get_default_dtype(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def assert_equal(found: Any, expected: Any, message: str) -> None:
    np.testing.assert_array_equal(found, expected, err_msg=message)


def assert_refused(call: Callable[[], Any], words: str, message: str) -> None:

    said = None
    try:
        call()
    except (ValueError, TypeError, OSError) as error:
        said = str(error)
    assert said is not None, f"{message}: nothing was raised"
    assert re.search(words, said), f"{message}: the error says {said!r}"


def assert_plain(value: Any, path: str) -> None:
    if isinstance(value, BaseEstimator):
        # An estimator is saved as its state, in which parameters may be anything.
        params = value.get_params(deep=False)
        state = {key: item for key, item in value.__getstate__().items() if key not in params}
        assert_plain(state, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            assert isinstance(key, str | int), f"{path} has a key {key!r}"
            assert_plain(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            assert_plain(item, f"{path}[{index}]")
    else:
        plain = (np.ndarray, np.generic, str, int, float, bool, type(None))
        assert isinstance(value, plain), f"{path} is a {type(value).__name__}, not plain data"
