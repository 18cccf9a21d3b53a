"""Class counts of labels."""

import numpy as np
import pandas as pd
import scipy.sparse

from skimgcls.utils._labels import column_names, flat_labels, is_table, plain_labels
from skimgcls.utils._target_encoder import TargetEncoder, merge_classes


def class_distribution(y):
    """Count the images of each class.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_classes), sparse matrix, or dict of them
        Labels, or an indicator matrix of zeros and ones whose columns are the classes. A dict maps
        names to several sets, such as ``{"train": y_train, "test": y_test}``.

    Returns
    -------
    distribution : DataFrame of shape (n_classes, 3)
        One row per class, in the order of a classifier's ``classes_``. The columns are

        - count: number of images of the class;
        - share: `count` divided by the number of images, from 0 to 1. The shares of an indicator
          matrix may sum to more than 1, since an image may have several classes;
        - weight: class weight given by ``class_weight="balanced"`` for this set:
          ``n / (n_classes * count)`` for labels (King and Zeng, "Logistic Regression in Rare Events
          Data", 2001), number of zeros divided by number of ones for an indicator matrix.

        For a dict, the columns have two levels, and ``distribution["train"]`` is the table of one
        set. The rows are the classes of all sets. A class that is missing from a set has a count of
        0 and a weight of NaN.

    Raises
    ------
    ValueError
        If `y` is empty, if an image has no label, if `y` is not a classification target, or if the
        sets of a dict have classes of different types.

    See Also
    --------
    ClassDistributionDisplay : Bar chart of the class distribution.
    audit_images : Find defects in a set of images.

    Examples
    --------
    >>> from skimgcls.inspection import class_distribution
    >>> class_distribution(["cat", "dog", "cat", "cat"])
           count  share    weight
    class
    cat        3   0.75  0.666667
    dog        1   0.25  2.000000

    Compare several sets:

    >>> sets = class_distribution({"train": ["cat", "dog", "cat"], "test": ["cat"]})
    >>> sets["test"]
           count  share  weight
    class
    cat        1    1.0     1.0
    dog        0    0.0     NaN

    Missing labels are not allowed:

    >>> class_distribution(["cat", None, "dog"])
    Traceback (most recent call last):
    ...
    ValueError: y has no label for 1 of 3 images, the first is image 1 (None). ...
    """
    if not isinstance(y, dict):
        return _tabulate(y, "y")
    if not y:
        raise ValueError("y is an empty dict. Expected a dict that maps set names to labels.")
    tables = {name: _tabulate(labels, f"y[{name!r}]") for name, labels in y.items()}
    classes = _join_classes(tables)
    filled = {
        name: table.reindex(classes).fillna({"count": 0, "share": 0.0}).astype({"count": np.int64})
        for name, table in tables.items()
    }
    return pd.concat(filled, axis=1, names=["set", None])


def _tabulate(y, name):
    """Return the table of one set."""
    y = _check_labels(y, name)
    encoder, targets = _encode(y, name)
    if encoder.multilabel:
        counts = targets.sum(axis=0, dtype=np.float64)
    else:
        counts = np.bincount(targets, minlength=encoder.n_outputs)
    return pd.DataFrame(
        {
            "count": counts.astype(np.int64),
            "share": counts / len(targets),
            "weight": encoder.class_weights("balanced", targets, None),
        },
        index=pd.Index(encoder.classes, name="class").infer_objects(),
    )


def _check_labels(y, name):
    """Raise if there are no labels. Return y, as one-dimensional labels if it has one column."""
    has_length = hasattr(y, "__len__") and getattr(y, "ndim", 1) > 0 and not isinstance(y, str)
    if not has_length and not scipy.sparse.issparse(y):
        raise ValueError(f"{name} must hold a label for each image; got {y!r}.")
    n_images = y.shape[0] if hasattr(y, "shape") else len(y)
    if n_images == 0:
        raise ValueError(f"{name} is empty. Expected a label for each image.")
    return y.iloc[:, 0] if hasattr(y, "iloc") and y.ndim == 2 and y.shape[1] == 1 else y


def _encode(y, name):
    """Return the encoder of y, which may hold a single class, and the encoded targets."""
    labels = plain_labels(y, name)
    if is_table(labels):
        names = column_names(y)
        names = np.arange(labels.shape[1]) if names is None else names
        encoder = TargetEncoder(names, multilabel=True)
    else:
        encoder = TargetEncoder(merge_classes(flat_labels(labels, name)))
    return encoder, encoder.encode(y, name=name)


def _join_classes(tables):
    """Return the classes of all sets, which must be of one type."""
    try:
        classes = sorted(set().union(*(table.index for table in tables.values())))
    except TypeError as error:
        firsts = {name: table.index.tolist()[0] for name, table in tables.items()}
        held = ", ".join(f"{name!r} has {first!r}" for name, first in firsts.items())
        raise ValueError(f"The sets of y have labels of different kinds: {held}.") from error
    return pd.Index(classes, name="class")
