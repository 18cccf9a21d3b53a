"""Containers of images other than arrays, lists and tables of pandas."""

import os
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import pandas as pd
from PIL.Image import Image
from torch.utils.data import DataLoader, Dataset

_ATTRIBUTES = (
    "to_pylist",
    "to_pydict",
    "to_dicts",
    "to_arrow",
    "to_list",
    "shape",
    "__array__",
    "__getitem__",
    "__len__",
)


def unpack_container(X: Any) -> Any:
    """Return X as an array, a list or a table of pandas, or raise if it is something else.

    Iterators are read to their end, so that a function that needs X more than once calls this
    first. Tables and columns of pyarrow and polars become those of pandas.

    Raises
    ------
    TypeError
        If X is a dataset or loader of torch.
    ValueError
        If X is a single image, or has no order.

    Examples
    --------
    >>> unpack_container(path for path in ["a.png", "b.png"])
    ['a.png', 'b.png']
    >>> unpack_container("a.png")
    Traceback (most recent call last):
    ...
    ValueError: X is the path of one image. Expected several images: pass a list, ['a.png'].
    """
    if isinstance(X, np.ndarray | list | tuple | pd.DataFrame | pd.Series) or X is None:
        return X
    # Attributes of the type: the shape of lazy images is found by reading files.
    has = {name for name in _ATTRIBUTES if hasattr(type(X), name)}
    if "to_pylist" in has:
        # pyarrow
        return pd.DataFrame(X.to_pydict()) if "to_pydict" in has else X.to_pylist()
    if "to_dicts" in has:
        # polars
        return pd.DataFrame(X.to_dict(as_series=False))
    if {"to_arrow", "to_list"} <= has:
        return X.to_list()
    if "__array__" in has or "shape" in has:
        return X
    _refuse_single(X)
    _refuse_other_containers(X)
    if isinstance(X, Iterable):
        return list(X)
    if {"__getitem__", "__len__"} <= has and not hasattr(X, "__array_interface__"):
        return [X[index] for index in range(len(X))]
    return X


def _refuse_single(X: Any) -> None:
    """Raise if X is one file or picture."""
    if isinstance(X, str | os.PathLike):
        path = os.fspath(X)
        shown = repr(path) if len(path) < 100 else "path"
        what, instead = "the path of one image", f"[{shown}]"
    elif isinstance(X, bytes | bytearray) or (isinstance(X, memoryview) and X.ndim == 1):
        what, instead = f"the content of one file, {len(X)} bytes", "[content]"
    elif isinstance(X, Image):
        what, instead = "one PIL image", "[image]"
    elif hasattr(X, "read") and not hasattr(X, "shape"):
        what, instead = "one open file", "[file]"
    else:
        return
    raise ValueError(f"X is {what}. Expected several images: pass a list, {instead}.")


def _refuse_other_containers(X: Any) -> None:
    kind = type(X).__name__
    if isinstance(X, Dataset | DataLoader):
        raise TypeError(
            f"X is a torch {kind}, which mixes images and labels. Pass an array of images, or a "
            "list of paths, and the labels as y; for an ImageFolder of torchvision, use "
            "load_image_folder(folder)."
        )
    if isinstance(X, Mapping) and not hasattr(X, "shape"):
        raise ValueError(
            f"X is a {kind}, in which images have keys. Expected an array or a list: pass "
            "list(X.values())."
        )
    if isinstance(X, Set):
        raise ValueError(f"X is a {kind}, which has no order. Pass a list, such as sorted(X).")
