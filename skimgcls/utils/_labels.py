"""Labels in any container as plain arrays, and values in messages."""

import math
import unicodedata
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.utils import column_or_1d

_TO_TEXT = "Expected strings, integers, booleans or whole floats: convert {name} with {how}."
_TO_INDICATOR = (
    "For several labels per image, convert the lists to an indicator with "
    "sklearn.preprocessing.MultiLabelBinarizer."
)
# Length of a list of values in a message.
_MOST_LETTERS = 120


def shorten(value: Any, width: int = 40) -> str:
    """Return the representation of a value, cut in the middle.

    >>> shorten("a" * 100, width=15)
    "'aaaa ... aaaa'"
    """
    text = value if isinstance(value, _Plain) else repr(value)
    if len(text) <= width:
        return str(text)
    half = (width - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


class _Plain(str):
    """Text that is shown without quotes."""


def describe_values(values: Iterable[Any], most: int = 10) -> str:
    """Return the first values as text, with their number if not all are shown.

    >>> describe_values(range(100), most=3)
    '[0, 1, 2, ... 100 in all]'
    """
    array = values if isinstance(values, np.ndarray) else list(values)
    shown: list[str] = []
    for value in array[:most].tolist() if isinstance(array, np.ndarray) else array[:most]:
        word = shorten(value)
        if shown and sum(map(len, shown)) + len(word) > _MOST_LETTERS:
            break
        shown.append(word)
    if len(shown) < len(array):
        shown.append(f"... {len(array)} in all")
    return f"[{', '.join(shown)}]"


def plain_labels(y: Any, name: str = "y") -> Any:
    """Return labels as an array of booleans, numbers or text, or raise.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_classes), or sparse matrix
        A list, array, tensor, Series, DataFrame or another container, with any dtype.
    name : str
        Name of the argument, for messages.

    Returns
    -------
    labels : ndarray of shape (n_samples,) or (n_samples, n_classes), or sparse matrix
        Text of an object array stays in an object array.

    Examples
    --------
    >>> plain_labels(np.array([np.int64(2), 1], dtype=object))
    array([2, 1])
    >>> plain_labels(["cat", np.nan])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: y has no label for 1 of 2 images, the first is image 1 (NaN). Add ...
    """
    if scipy.sparse.issparse(y):
        _check_missing(np.asarray(y.data), name)
        return y
    array = _to_array(y, name)
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{name} has shape {array.shape}. Expected labels (n,), or an indicator "
            "(n, n_classes) for multilabel targets."
        )
    kind = array.dtype.kind
    if kind in "biuU":
        return array
    if kind == "T":
        array, kind = array.astype(object), "O"
    _check_missing(array, name)
    if kind == "f":
        return array
    if kind == "O":
        return _plain_objects(array, name)
    raise _type_error({array.dtype.type}, name, is_array=True)


def flat_labels(labels: np.ndarray, name: str = "y") -> np.ndarray:
    """Return plain labels of shape (n,), or raise; a single column is flattened with a warning."""
    flat: np.ndarray = column_or_1d(labels, warn=True)
    if flat.dtype.kind == "f":
        broken = np.flatnonzero(flat != np.floor(flat))
        if len(broken):
            raise ValueError(
                f"Unknown label type: continuous. {name} holds fractions, such as "
                f"{flat[broken[0]]} at image {broken[0]}. Expected a class for each image: "
                "divide the values into classes, for example with pandas.cut."
            )
    return flat


def is_table(labels: Any) -> bool:
    """Return whether plain labels have several columns, which makes them an indicator."""
    return scipy.sparse.issparse(labels) or (labels.ndim == 2 and labels.shape[1] != 1)


def check_indicator(labels: Any, name: str = "y") -> np.ndarray:
    """Return plain labels with several columns as an array, if they are zeros and ones, or raise.

    >>> check_indicator(np.array([[-1, 1], [1, 1]]))
    Traceback (most recent call last):
    ...
    ValueError: y holds more than zeros and ones: [-1, 1]. ...
    """
    values = labels.data if scipy.sparse.issparse(labels) else labels
    if values.dtype.kind in "biuf" and np.logical_or(values == 0, values == 1).all():
        return labels.toarray() if scipy.sparse.issparse(labels) else labels
    if scipy.sparse.issparse(labels) and values.size < np.prod(labels.shape):
        values = np.append(values, 0)
    found = np.unique(values)
    raise ValueError(
        f"{name} holds more than zeros and ones: {describe_values(found, 5)}. Unknown label type: "
        "multiclass-multioutput. Expected labels (n,), or an indicator (n, n_classes) of 0 and 1 "
        f"for multilabel targets. {_how_to_convert(found, name)}"
    )


def column_names(y: Any) -> np.ndarray | None:
    """Return the names of the columns of a table, or None if y is not a table with names.

    >>> column_names(pd.DataFrame({"cat": [0], "dog": [1]})).tolist()
    ['cat', 'dog']
    """
    names = getattr(y, "column_names", None)
    if names is None:
        names = getattr(y, "columns", None)
    if names is None or callable(names) or np.ndim(y) != 2:
        return None
    return np.asarray(names)


def label_keys(labels: Iterable[Any]) -> list[Any]:
    """Return labels for comparison: text in its composed Unicode form.

    >>> label_keys(["Zoe\u0308", 1]) == ["Zo\xeb", 1]
    True
    """
    return [
        unicodedata.normalize("NFC", label) if isinstance(label, str) else label for label in labels
    ]


def missing_rows(y: np.ndarray) -> np.ndarray:
    """Return the indices of the rows with a missing value: None, NaN, NaT or pandas.NA."""
    missing = np.asarray(pd.isna(y))
    return np.flatnonzero(missing.reshape(len(y), -1).any(axis=1)) if y.size else np.empty(0, int)


# Containers


def _to_array(y: Any, name: str) -> np.ndarray:
    if y is None:
        raise ValueError(
            f"This estimator requires {name} to be passed, but the target {name} is None. Expected "
            "a label for each image."
        )
    if hasattr(y, "detach"):
        y = y.detach().cpu()
        y = y.float() if str(y.dtype) == "torch.bfloat16" else y
        return np.asarray(y)
    if isinstance(y, str | bytes | dict | set | frozenset) or np.isscalar(y):
        raise _container_error(y, name)
    if hasattr(y, "dtype") or hasattr(y, "columns") or hasattr(y, "__array__"):
        array = np.asarray(y)
        return _rows_to_array(array.tolist(), name) if _holds_rows(array) else array
    if not hasattr(y, "__len__"):
        raise _container_error(y, name)
    return _list_to_array(list(y), name)


def _holds_rows(array: np.ndarray) -> bool:
    return array.dtype == object and array.ndim == 1 and len(array) > 0 and _is_row(array[0])


def _is_row(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset | dict) or (
        hasattr(value, "__array__") and getattr(value, "ndim", 0) > 0
    )


def _list_to_array(items: list[Any], name: str) -> np.ndarray:
    if any(map(_is_row, items)):
        return _rows_to_array(items, name)
    items = [item.item() if hasattr(item, "detach") else item for item in items]
    kinds = set(map(type, items))
    if len(kinds) <= 1 or all(issubclass(kind, str) for kind in kinds):
        array = np.asarray(items)
        # A list of other objects, such as None, becomes an object array too.
        if array.dtype.kind in "biufU":
            return array
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _rows_to_array(rows: list[Any], name: str) -> np.ndarray:
    is_several = any(isinstance(row, set | frozenset | dict) or not _is_row(row) for row in rows)
    if is_several or len({len(row) for row in rows}) > 1:
        raise ValueError(
            f"{name} holds lists of labels of different lengths, such as {shorten(rows[0])}. "
            f"Expected one label per image. {_TO_INDICATOR}"
        )
    if all(hasattr(row, "detach") for row in rows):
        rows = [row.detach().cpu().numpy() for row in rows]
    if all(isinstance(row, np.ndarray) for row in rows):
        return np.stack(rows)
    return np.array([list(row) for row in rows], dtype=object)


def _container_error(y: Any, name: str) -> ValueError:
    return ValueError(
        f"{name} must hold a label for each image; got {type(y).__name__} {shorten(y)}. Expected "
        "a list, array, Series or DataFrame: pass a list of the labels."
    )


# Values


def _check_missing(array: np.ndarray, name: str) -> None:
    rows = missing_rows(array)
    if len(rows):
        value = next(value for value in np.ravel(array[rows[0]]) if pd.isna(value))
        where = (
            f"the first is image {rows[0]}"
            if len(rows) == 1
            else f"the first are images {', '.join(map(str, rows[:5]))}"
        )
        # The same word as in NumPy, for a number of any type.
        text = "NaN" if isinstance(value, float | np.floating) and math.isnan(value) else value
        raise ValueError(
            f"{name} has no label for {len(rows)} of {len(array)} images, {where} ({text}). Add "
            "the labels or remove the images."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        first = np.argwhere(~np.isfinite(array))[0][0]
        raise ValueError(
            f"{name} contains infinity, the first at image {first}. Expected a class for each "
            "image: correct the labels or remove the images."
        )


def _plain_objects(array: np.ndarray, name: str) -> np.ndarray:
    """Return an object array as booleans or numbers, or as an object array of text."""
    values = array.ravel().tolist()
    kinds = set(map(type, values))
    if not values or all(issubclass(kind, str) for kind in kinds):
        if kinds <= {str}:
            return array
        text = np.empty(array.shape, dtype=object)
        text.ravel()[:] = [str.__str__(value) for value in values]
        return text
    families = {_family(kind) for kind in kinds}
    if families <= {"bool", "int", "float"}:
        dtype = {"bool": bool, "float": np.float64}.get(
            families.pop() if len(families) == 1 else "float" * ("float" in families)
        )
        try:
            numbers = np.array(values, dtype=dtype or np.int64).reshape(array.shape)
        except OverflowError as error:
            raise ValueError(
                f"{name} holds integers beyond 64 bits. {_TO_TEXT.format(name=name, how='str')}"
            ) from error
        _check_missing(numbers, name)
        return numbers
    if len(families) > 1:
        raise ValueError(
            f"{name} mixes labels of the types {_names(kinds)}, which have no common order. "
            f"Expected labels of one type: convert {name} with {name}.astype(str), or a list with "
            f"[str(label) for label in {name}]."
        )
    raise _type_error(kinds, name)


def _family(kind: type) -> str:
    for family, types in (
        ("str", (str,)),
        ("bool", (bool, np.bool_)),
        ("int", (Integral,)),
        ("float", (float, np.floating)),
    ):
        if issubclass(kind, types):
            return family
    return kind.__name__


def _names(kinds: Iterable[type]) -> str:
    return shorten(_Plain(", ".join(sorted(kind.__name__ for kind in kinds))), 80)


def _type_error(kinds: set[type], name: str, *, is_array: bool = False) -> ValueError:
    if any(issubclass(kind, list | tuple | set | frozenset | dict | np.ndarray) for kind in kinds):
        return ValueError(f"{name} holds lists of labels. Expected one per image. {_TO_INDICATOR}")
    if any(issubclass(kind, bytes) for kind in kinds):
        how = f"np.char.decode({name})" if is_array else f"[label.decode() for label in {name}]"
    else:
        how = f"{name}.astype(str)" if is_array else f"[str(label) for label in {name}]"
    return ValueError(
        f"{name} holds labels of the type {_names(kinds)}, which cannot be saved or exported as "
        f"classes. {_TO_TEXT.format(name=name, how=how)}"
    )


def _how_to_convert(found: np.ndarray, name: str) -> str:
    if found.dtype.kind in "biuf" and ((found >= 0) & (found <= 1)).all():
        return f"Round probabilities with ({name} >= 0.5).astype(int)."
    if len(found) == 2:
        return f"If {shorten(found.tolist()[1])} marks a label, convert it with " + (
            f"({name} == {shorten(found.tolist()[1])}).astype(int)."
        )
    return _TO_INDICATOR
