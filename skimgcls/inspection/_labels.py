"""Labels of any type as text."""

import numpy as np

from skimgcls.inspection._pictures import list_labels


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
