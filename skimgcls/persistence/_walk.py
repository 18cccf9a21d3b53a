"""All values inside an estimator."""

from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator

from skimgcls._training._trainer import TrainingNet


def has_state(value: Any) -> bool:
    """Return whether a value is an estimator, or another object of scikit-learn with attributes.

    Splitters have metadata requests, and scorers hold estimators.
    """
    is_of_sklearn = type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__")
    return isinstance(value, BaseEstimator) or (is_of_sklearn and not isinstance(value, type))


def walk_values(value: Any) -> Iterator[Any]:
    """Yield a value and all that it holds, each once.

    Networks are left out: they are built by this package and hold no estimators.

    >>> [type(value).__name__ for value in walk_values([{"a": 1}])]
    ['list', 'dict', 'str', 'int']
    """
    pending, kept = [value], {}
    while pending:
        value = pending.pop()
        # Values are kept, so that no other object gets the identity of one that was seen.
        if id(value) in kept:
            continue
        kept[id(value)] = value
        yield value
        pending += reversed(_inside(value))


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for pair in value.items() for item in pair] + _attributes(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [*value, *_attributes(value)]
    if isinstance(value, np.ndarray):
        return value.ravel().tolist() if value.dtype.hasobject else []
    if isinstance(value, MethodType):
        return [value.__self__]
    if isinstance(value, partial):
        return [value.func, value.args, value.keywords]
    return _attributes(value)


def _attributes(value: Any) -> list[Any]:
    if isinstance(value, type | ModuleType | FunctionType | torch.nn.Module | TrainingNet):
        return []
    return list(getattr(value, "__dict__", {}).values())
