"""Restore an estimator if fitting raises."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def restore_on_error(estimator: Any) -> Iterator[None]:
    """Restore the attributes of an estimator if the block raises.

    >>> from sklearn.base import BaseEstimator
    >>> estimator = BaseEstimator()
    >>> try:
    ...     with restore_on_error(estimator):
    ...         estimator.half_ = 0.5
    ...         raise ValueError
    ... except ValueError:
    ...     hasattr(estimator, "half_")
    False
    """
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
