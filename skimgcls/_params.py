"""Checks of parameters that scikit-learn's constraints cannot express."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any


def check_sizes(name: str, sizes: Any, *, length: int | None = None) -> tuple[int, ...]:
    """Return positive integers as a tuple; a single one stands for `length` of them, or one.

    >>> check_sizes("hidden_layer_sizes", [64, 32])
    (64, 32)
    >>> check_sizes("pool_size", 2, length=3)
    (2, 2, 2)
    >>> check_sizes("pool_size", (2, 1), length=3)
    Traceback (most recent call last):
    ...
    ValueError: pool_size must be a positive integer or 3 of them, one per convolution; got (2, 1).
    """
    given = sizes
    if isinstance(sizes, Integral):
        sizes = (sizes,) * (1 if length is None else length)
    is_right = (
        isinstance(sizes, Sequence)
        and not isinstance(sizes, str)
        and all(isinstance(size, Integral) and int(size) > 0 for size in sizes)
        and (length is None or len(sizes) == length)
    )
    if not is_right:
        many = "several" if length is None else f"{length} of them, one per convolution"
        raise ValueError(f"{name} must be a positive integer or {many}; got {given!r}.")
    return tuple(int(size) for size in sizes)
