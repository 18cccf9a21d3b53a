"""Metadata requests, such as those of ``set_fit_request``, as plain values in a file.

scikit-learn stores a request as an object that refers to its estimator, which skops follows in a
circle. A file holds the requests as a dict, from which `load` sets them again.
"""

from typing import Any

from skimgcls.persistence._walk import has_state, walk_values
from skimgcls.utils._sklearn_compat import dump_requests, restore_requests

_NAME = "_metadata_request"


def with_plain_requests(value: Any, known: dict[int, Any] | None = None) -> Any:
    """Return an estimator with its requests as dicts, also those of the estimators inside.

    Only estimators with requests, and what contains them, are copied; the given one is unchanged.
    """
    known = {} if known is None else known
    if id(value) in known:
        return known[id(value)]
    known[id(value)] = value
    if has_state(value):
        state = vars(value)
        changed = {name: with_plain_requests(item, known) for name, item in state.items()}
        if _NAME in state:
            changed[_NAME] = dump_requests(value)
        if any(changed[name] is not item for name, item in state.items()):
            known[id(value)] = copied = object.__new__(type(value))
            vars(copied).update(changed)
    elif type(value) is dict:
        items = {key: with_plain_requests(item, known) for key, item in value.items()}
        if any(items[key] is not item for key, item in value.items()):
            known[id(value)] = items
    elif type(value) in (list, tuple):
        listed = [with_plain_requests(item, known) for item in value]
        if any(new is not item for new, item in zip(listed, value, strict=True)):
            known[id(value)] = type(value)(listed)
    return known[id(value)]


def restore_all_requests(estimator: Any) -> None:
    """Set the requests of a loaded estimator, and of the estimators inside, from their dicts."""
    for value in list(walk_values(estimator)):
        if has_state(value) and isinstance(vars(value).get(_NAME), dict):
            restore_requests(value, vars(value).pop(_NAME))
