"""Encode labels as training targets, and decode predictions."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skimgcls.utils._sklearn_compat import check_sample_weight

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
    def learn(cls, y: Any, classes: Any = None) -> "TargetEncoder":
        """Return an encoder for the classes of y, or for `classes` if given."""
        if _target_type(y, warn=classes is None) == "multilabel-indicator":
            n_columns = np.shape(y)[1]
            names = getattr(y, "columns", np.arange(n_columns)) if classes is None else classes
            if len(names) != n_columns:
                raise ValueError(f"classes names {len(names)} columns, but y has {n_columns}.")
            return cls(np.asarray(names), multilabel=True, indicator_dtype=_indicator(y).dtype)
        classes = np.unique(_labels(y) if classes is None else column_or_1d(classes))
        if len(classes) < 2:
            raise ValueError(
                f"y contains one class only, {classes.tolist()}; a classifier needs at least two "
                "classes. Add images of another class."
            )
        return cls(classes)

    @property
    def n_outputs(self) -> int:
        return len(self.classes)

    def encode(self, y: Any, *, name: str = "y") -> np.ndarray:
        """Return targets: (n,) int64 codes, or (n, n_classes) float32 for indicators."""
        y_type = _target_type(y)
        if self.multilabel:
            if y_type != "multilabel-indicator" or np.shape(y)[1] != self.n_outputs:
                raise ValueError(
                    f"{name} must be an indicator of zeros and ones of shape (n, "
                    f"{self.n_outputs}), as in the first fit; got {y_type} of shape {np.shape(y)}."
                )
            return _indicator(y).astype(np.float32)
        if y_type == "multilabel-indicator":
            raise ValueError(
                f"{name} is an indicator of shape {np.shape(y)}; expected labels (n,)."
            )
        labels = _labels(y)
        try:
            codes = np.searchsorted(self.classes, labels).clip(max=len(self.classes) - 1)
        except TypeError:
            # Labels that cannot be compared with the classes are unknown.
            codes = np.zeros(len(labels), dtype=np.int64)
        unknown = np.flatnonzero(self.classes[codes] != labels)
        if len(unknown):
            rows = "row" if len(unknown) == 1 else f"{len(unknown)} rows, the first"
            raise ValueError(
                f"{name} holds labels that are not among the classes {self.classes.tolist()}: "
                f"{labels[unknown].tolist()[0]!r} in {rows} {unknown[0]}."
            )
        return codes.astype(np.int64)

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
        unknown = [label for label in class_weight if label not in self.classes.tolist()]
        if unknown:
            raise ValueError(
                f"class_weight has labels that y does not hold: {unknown}. The classes are "
                f"{self.classes.tolist()}."
            )
        by_class = np.array([class_weight.get(c, 1.0) for c in self.classes.tolist()], float)
        if not (np.isfinite(by_class).all() and (by_class >= 0).all() and by_class.any()):
            raise ValueError(
                "class_weight must be non-negative for each label and positive for at least one; "
                f"got {class_weight}."
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


def _target_type(y: Any, *, warn: bool = False) -> str:
    if y is None:
        raise ValueError(
            "This estimator requires y to be passed, but the target y is None. Expected a label "
            "for each image."
        )
    y = _plain(y)
    with warnings.catch_warnings():
        if not warn:
            # Later parts of y may have many classes in few samples.
            warnings.filterwarnings("ignore", message="The number of unique classes")
        check_classification_targets(y)
        y_type: str = type_of_target(y, input_name="y")
    if y_type == "multiclass-multioutput":
        raise ValueError(
            f"y has shape {np.shape(y)} and holds more than zeros and ones: Unknown label type: "
            f"{y_type}. Expected labels (n,), or an indicator (n, n_classes) for multilabel "
            "targets."
        )
    return y_type


def _plain(y: Any) -> Any:
    """Return y as an array with a NumPy dtype other than object, if possible."""
    if scipy.sparse.issparse(y):
        return y
    if hasattr(y, "detach"):
        y = y.detach().cpu()
    y = np.asarray(y)
    if y.dtype == object and y.size:
        kinds = {type(value) for value in y.ravel()}
        if len(kinds) == 1 and kinds <= {bool, int, np.bool_, np.int64}:
            return np.array(y.tolist())
        assert_all_finite(y, input_name="y")
        if len(kinds) > 1:
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise ValueError(
                f"y mixes labels of the types {names}, which have no common order. Expected labels "
                "of one type: convert y with y.astype(str)."
            )
    elif y.dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    return y


def _labels(y: Any) -> np.ndarray:
    labels: np.ndarray = column_or_1d(_plain(y), warn=True)
    return labels


def _indicator(y: Any) -> np.ndarray:
    return y.toarray() if scipy.sparse.issparse(y) else np.asarray(_plain(y))
