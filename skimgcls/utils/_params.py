"""Parameter checks that scikit-learn's constraints cannot express."""

from numbers import Integral
from typing import Any

import numpy as np


def is_size(value: Any) -> bool:
    """Return whether a value is a positive integer and not a bool."""
    if isinstance(value, bool):
        return False
    return isinstance(value, Integral) and int(value) > 0


def check_sizes(name: str, sizes: Any, *, length: int | None = None) -> tuple[int, ...]:
    """Return positive integers as a tuple; a single integer is repeated `length` times, or once.

    >>> check_sizes("hidden_layer_sizes", [64, 32])
    (64, 32)
    >>> check_sizes("pool_size", 2, length=3)
    (2, 2, 2)
    >>> check_sizes("pool_size", (2,), length=3)
    Traceback (most recent call last):
    ...
    ValueError: pool_size must be a positive integer or 3 of them, one per convolution; got (2,)...
    """
    given = sizes
    if is_size(sizes):
        sizes = (sizes,) * (1 if length is None else length)
    sizes = sizes.tolist() if isinstance(sizes, np.ndarray) else sizes
    is_right = (
        isinstance(sizes, list | tuple)
        and all(is_size(size) for size in sizes)
        and (length is None or len(sizes) == length)
    )
    if not is_right:
        many = "several" if length is None else f"{length} of them, one per convolution"
        square = " An integer is the side of a square." if name.endswith("_size") else ""
        raise ValueError(f"{name} must be a positive integer or {many}; got {given!r}.{square}")
    return tuple(int(size) for size in sizes)
