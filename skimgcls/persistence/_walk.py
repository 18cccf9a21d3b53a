"""All values inside an estimator."""

from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator


def has_state(value: Any) -> bool:
    """Return whether a value is an estimator, or another object of scikit-learn with attributes.

    Splitters have metadata requests, and scorers hold estimators.
    """
    is_of_sklearn = type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__")
    return isinstance(value, BaseEstimator) or (is_of_sklearn and not isinstance(value, type))


def walk_values(value: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Yield a value and what it holds: attributes, and the items of dicts, lists and tuples.

    >>> [type(value).__name__ for value in walk_values([{"a": 1}])]
    ['list', 'dict', 'int']
    """
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    yield value
    if has_state(value):
        inside = list(vars(value).values())
    elif isinstance(value, dict):
        inside = list(value.values())
    else:
        inside = list(value) if isinstance(value, list | tuple) else []
    for item in inside:
        yield from walk_values(item, seen)
