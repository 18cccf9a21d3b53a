"""Encode labels as training targets, and decode predictions."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.multiclass import type_of_target

from skimgcls.utils._labels import (
    check_indicator,
    column_names,
    describe_values,
    flat_labels,
    is_table,
    label_keys,
    plain_labels,
    shorten,
)
from skimgcls.utils._sklearn_compat import check_sample_weight

# Fewer rows can have exactly one 1 each by chance.
_FEWEST_ONE_HOT = 10

ClassWeight = dict[Any, float] | str | None


@dataclass(frozen=True)
class TargetEncoder:
    """Encode labels as targets, and decode logits to labels.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The sorted labels. For multilabel targets, the names or indices of the columns.
    multilabel : bool
        Whether y is a multilabel indicator of shape (n, n_classes).
    indicator_dtype : dtype
        Type of predicted indicators.
    """

    classes: np.ndarray
    multilabel: bool = False
    indicator_dtype: Any = np.int64

    @classmethod
    def learn(cls, y: Any, classes: Any = None, *, name: str = "y") -> "TargetEncoder":
        """Return an encoder for the classes of y, or for `classes` if given."""
        labels = plain_labels(y, name)
        if is_table(labels):
            return cls.learn_columns(y, labels, classes, name=name)
        labels = flat_labels(labels, name)
        if classes is None:
            # Warns of nearly as many classes as labels.
            type_of_target(labels, input_name=name)
        else:
            labels = flat_labels(plain_labels(classes, "classes"), "classes")
        found = merge_classes(labels)
        if len(found) < 2:
            raise ValueError(
                f"{name} contains one class only, {describe_values(found)}; a classifier needs at "
                "least two classes. Add images of another class."
            )
        return cls(found)

    @classmethod
    def learn_columns(
        cls, y: Any, labels: Any, classes: Any = None, *, name: str = "y"
    ) -> "TargetEncoder":
        """Return an encoder for an indicator, with the names of its columns or `classes`."""
        indicator = check_indicator(labels, name)
        names = column_names(y)
        if classes is None:
            _warn_of_one_hot(indicator, y, name)
            classes = np.arange(indicator.shape[1]) if names is None else names
        classes = flat_labels(plain_labels(classes, "classes"), "classes")
        if len(classes) != indicator.shape[1]:
            raise ValueError(
                f"classes names {len(classes)} columns, but {name} has {indicator.shape[1]}."
            )
        keys = label_keys(classes.tolist())
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(
                f"Two columns of {name} have the name {shorten(twice)}. Rename one of them."
            )
        encoder = cls(classes, multilabel=True, indicator_dtype=indicator.dtype)
        encoder.order_columns(indicator, y, name)
        return encoder

    @property
    def n_outputs(self) -> int:
        return len(self.classes)

    def encode(self, y: Any, *, name: str = "y") -> np.ndarray:
        """Return targets: (n,) int64 codes, or (n, n_classes) float32 for indicators."""
        labels = plain_labels(y, name)
        if self.multilabel:
            return self._encode_indicator(labels, y, name)
        labels = self._check_labels(labels, name)
        codes = self._find(labels)
        unknown = np.flatnonzero(codes < 0)
        if len(unknown):
            rows = "row" if len(unknown) == 1 else f"{len(unknown)} rows, the first"
            raise ValueError(
                f"{name} holds labels that are not among the classes "
                f"{describe_values(self.classes)}: {shorten(labels[unknown].tolist()[0])} in "
                f"{rows} {unknown[0]}. Correct the labels, or fit again with images of all classes."
            )
        return codes

    def standardize(self, y: Any, *, name: str = "y") -> np.ndarray:
        """Return labels or an indicator as `predict` would. Unknown labels stay as they are."""
        if self.multilabel:
            return self.encode(y, name=name).astype(self.indicator_dtype)
        labels = self._check_labels(plain_labels(y, name), name)
        if (labels.dtype.kind in "OU") != (self.classes.dtype.kind in "OU") and len(labels):
            self.encode(labels, name=name)
        codes = self._find(labels)
        known = self.classes[codes.clip(min=0)]
        return known if (codes >= 0).all() else np.where(codes < 0, labels, known)

    def _check_labels(self, labels: Any, name: str) -> np.ndarray:
        if is_table(labels):
            raise ValueError(
                f"{name} is an indicator of shape {labels.shape}; expected labels (n,), such as "
                f"{describe_values(self.classes, 3)}, as in the first fit."
            )
        return flat_labels(labels, name)

    def _find(self, labels: np.ndarray) -> np.ndarray:
        """Return the code of each label, -1 for those that are not among the classes."""
        is_text = self.classes.dtype.kind in "OU"
        if (labels.dtype.kind in "OU") != is_text:
            # Numbers and text are never equal.
            return np.full(len(labels), -1, dtype=np.int64)
        codes = np.searchsorted(self.classes, labels).clip(max=len(self.classes) - 1)
        codes = codes.astype(np.int64)
        unknown = np.flatnonzero(self.classes[codes] != labels)
        codes[unknown] = -1
        if is_text and len(unknown):
            known = {key: code for code, key in enumerate(label_keys(self.classes.tolist()))}
            keys = label_keys(labels[unknown].tolist())
            codes[unknown] = [known.get(key, -1) for key in keys]
        return codes

    def _encode_indicator(self, labels: Any, y: Any, name: str) -> np.ndarray:
        if labels.ndim != 2 or labels.shape[1] != self.n_outputs:
            raise ValueError(
                f"{name} must be an indicator of zeros and ones of shape (n, {self.n_outputs}), as "
                f"in the first fit; got shape {labels.shape}. The columns are "
                f"{describe_values(self.classes)}."
            )
        indicator = check_indicator(labels, name)
        return self.order_columns(indicator, y, name).astype(np.float32)

    def order_columns(self, indicator: np.ndarray, y: Any, name: str) -> np.ndarray:
        """Return the columns of an indicator in the order of the classes, compared by name."""
        names = column_names(y)
        if names is None:
            return indicator
        given = label_keys(names.tolist())
        own = label_keys(self.classes.tolist())
        if given == own:
            return indicator
        if set(given) == set(own):
            return indicator[:, [given.index(key) for key in own]]
        numbers = list(range(len(own)))
        if given == numbers or (own == numbers and all(isinstance(key, str) for key in given)):
            # One of the two was an array, which has no names to compare.
            return indicator
        raise ValueError(
            f"The columns of {name} are {describe_values(names)}, but those in the first fit were "
            f"{describe_values(self.classes)}. Rename the columns, or pass {name}.to_numpy() if "
            "they have the same order."
        )

    def decode(self, logits: np.ndarray) -> np.ndarray:
        """Return the labels, or the indicator, for logits of shape (n, n_classes)."""
        if self.multilabel:
            return (logits > 0).astype(self.indicator_dtype)
        return self.classes[logits.argmax(axis=1)]

    def class_weights(
        self, class_weight: ClassWeight, targets: np.ndarray, weights: np.ndarray | None
    ) -> np.ndarray | None:
        """Return the weight of each class (n_classes,), or None if all are equal.

        "balanced" is ``n / (n_classes * n_of_class)``, where n counts sample weights: a weight of 2
        is equivalent to repeating the row. For indicators it is the weight of the ones of each
        column relative to its zeros, ``n_zeros / n_ones``.
        """
        if class_weight is None:
            return None
        if isinstance(class_weight, str):
            return self._balanced(targets, weights)
        given = dict(zip(label_keys(class_weight), class_weight.values(), strict=True))
        own = label_keys(self.classes.tolist())
        unknown = [label for label in given if label not in own]
        if unknown:
            raise ValueError(
                f"class_weight has labels that y does not hold: {describe_values(unknown)}. The "
                f"classes are {describe_values(self.classes)}."
            )
        by_class = np.array([given.get(label, 1.0) for label in own], float)
        if not (np.isfinite(by_class).all() and (by_class >= 0).all() and by_class.any()):
            raise ValueError(
                "class_weight must be non-negative for each label and positive for at least one; "
                f"got {shorten(class_weight, 100)}."
            )
        return by_class

    def _balanced(self, targets: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        weights = np.ones(len(targets)) if weights is None else weights
        if self.multilabel:
            ones = weights @ targets
            zeros = weights.sum() - ones
            return np.divide(
                zeros, ones, out=np.ones(self.n_outputs), where=(ones > 0) & (zeros > 0)
            )
        counts = np.bincount(targets, weights, minlength=self.n_outputs)
        share = self.n_outputs * counts
        return np.divide(weights.sum(), share, out=np.zeros(self.n_outputs), where=counts > 0)


def check_weights(sample_weight: Any, images: np.ndarray, name: str) -> np.ndarray | None:
    """Return the weights of the images (n,) as float64, or None if there are none."""
    if sample_weight is None:
        return None
    weights: np.ndarray = check_sample_weight(
        sample_weight, images, dtype=np.float64, ensure_non_negative=True
    )
    if not weights.any():
        raise ValueError(
            f"Sample weights must contain at least one non-zero number: {name} is all zero."
        )
    return weights


def merge_classes(labels: np.ndarray) -> np.ndarray:
    """Return the sorted classes. Composed and decomposed forms of one text are one class.

    >>> merge_classes(np.array(["b", "a", "b"])).tolist()
    ['a', 'b']
    """
    classes: np.ndarray = np.unique(labels)
    if classes.dtype.kind not in "OU":
        return classes
    values = classes.tolist()
    keys = label_keys(values)
    if len(set(keys)) == len(keys):
        return classes
    # The composed form is written for a class that occurs in both.
    merged = [
        key if keys.count(key) > 1 else value for key, value in zip(keys, values, strict=True)
    ]
    return np.unique(np.array(merged, dtype=classes.dtype))


def _warn_of_one_hot(indicator: np.ndarray, y: Any, name: str) -> None:
    n_images, n_columns = indicator.shape
    if n_images < _FEWEST_ONE_HOT or n_columns < 3 or not (indicator.sum(axis=1) == 1).all():
        return
    if hasattr(y, "idxmax"):
        how = f"{name}.idxmax(axis=1)"
    else:
        how = f"np.argmax({name + '.toarray()' * issparse(y)}, axis=1)"
    warnings.warn(
        f"Every row of {name} has exactly one 1 in {n_columns} columns, which looks like one-hot "
        "labels. They are fitted as multilabel targets, where each column has its own "
        f"probability. If each image has one class, pass labels instead: {how}.",
        UserWarning,
        stacklevel=2,
    )
