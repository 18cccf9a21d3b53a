"""Labels of any type as text."""

import numpy as np
import pandas as pd
import scipy.sparse


def list_labels(y, n_images, name):
    """Return one label per image, None if it is missing.

    The label of a row of an indicator matrix is the tuple of its classes.

    >>> list_labels([[0, 1], [1, 1]], 2, "y")
    [(1,), (0, 1)]
    """
    if y is None:
        return [None] * n_images
    y = y.toarray() if scipy.sparse.issparse(y) else y
    if np.ndim(y) == 2:
        table = pd.DataFrame(y)
    else:
        table = pd.DataFrame({0: y.tolist() if hasattr(y, "tolist") else list(y)}, dtype=object)
    if len(table) != n_images:
        raise ValueError(f"{name} has {len(table)} labels for {n_images} images.")
    missing = table.isna().any(axis=1)
    if table.shape[1] == 1:
        labels = table.iloc[:, 0].tolist()
    else:
        names = np.asarray(table.columns)
        labels = [tuple(names[row].tolist()) for row in table.fillna(0).to_numpy().astype(bool)]
    return [None if gone else label for label, gone in zip(labels, missing, strict=True)]


def name_labels(y, n_images):
    """Return the label of each image as text, several labels separated by commas.

    >>> name_labels([[0, 1], [1, 1], [0, 0]], 3)
    ['1', '0, 1', 'none']
    """
    return [name_label(label) for label in list_labels(y, n_images, "y")]


def name_label(label):
    """Return one label, a tuple of labels, or None, as text."""
    if label is None:
        return "no label"
    if isinstance(label, tuple):
        return ", ".join(map(str, label)) or "none"
    return str(label)


def take_turns(codes):
    """Return a sort key for each item that makes the classes alternate.

    >>> take_turns(np.array([0, 0, 1, 0, 1]))
    array([0, 2, 1, 4, 3])
    """
    seen: dict[int, int] = {}
    n_classes = codes.max() + 1
    turns = np.empty(len(codes), np.intp)
    for place, code in enumerate(codes):
        turns[place] = seen.get(code, 0) * n_classes + code
        seen[code] = seen.get(code, 0) + 1
    return turns
