"""Predictions of a fitted classifier, which may be inside of a wrapper."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skimgcls.inspection._plots._labels import name_label
from skimgcls.utils._target_encoder import TargetEncoder
from skimgcls.utils._unwrap import is_multilabel


@dataclass(frozen=True)
class Predictions:
    """Predictions of a classifier.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    proba : ndarray of shape (n, n_classes)
    multilabel : bool
        Whether the target is multilabel.
    rejected : ndarray of shape (n,) of bool, or None
        Whether each image is rejected.
    rejected_label : object
        Label of rejected images.
    """

    classes: np.ndarray
    proba: np.ndarray
    multilabel: bool = False
    rejected: np.ndarray | None = None
    rejected_label: object = None

    @classmethod
    def of(cls, estimator, X):
        """Predict images with a fitted classifier, which may be inside of a wrapper."""
        check_is_fitted(estimator)
        if not hasattr(estimator, "predict_proba"):
            raise TypeError(
                f"{type(estimator).__name__} has no predict_proba, which is required for the "
                "confidence. Wrap it in sklearn.calibration.CalibratedClassifierCV."
            )
        proba = estimator.predict_proba(X)
        found = cls(np.asarray(estimator.classes_), proba, is_multilabel(estimator))
        if hasattr(estimator, "rejected_label_"):
            rejected = proba.max(axis=1) < estimator.threshold_
            return replace(found, rejected=rejected, rejected_label=estimator.rejected_label_)
        return found

    def labels(self):
        """Return the index of the most probable class (n,), or an indicator (n, n_classes)."""
        return self.proba > 0.5 if self.multilabel else self.proba.argmax(axis=1)

    def confidence(self):
        """Return the predicted probability; if multilabel, that of the least confident label."""
        if self.multilabel:
            return np.maximum(self.proba, 1 - self.proba).min(axis=1)
        return self.proba.max(axis=1)

    def words(self):
        """Return the predicted label of each image as text."""
        if self.multilabel:
            return [name_label(tuple(self.classes[row])) for row in self.labels()]
        words = np.array([str(label) for label in self.classes[self.labels()]], dtype=object)
        if self.rejected is not None:
            words[self.rejected] = str(self.rejected_label)
        return words.tolist()

    def words_of(self, y, n_images):
        """Return actual labels, or an indicator matrix, as text in the same format."""
        # An encoder requires sorted classes. The columns of an indicator keep their order.
        classes = self.classes if self.multilabel else np.sort(self.classes)
        found = TargetEncoder(classes, self.multilabel).encode(y)
        if len(found) != n_images:
            raise ValueError(
                f"y has {len(found)} labels for {n_images} images. Expected one per image."
            )
        if self.multilabel:
            return [name_label(tuple(classes[row.astype(bool)])) for row in found]
        return [str(label) for label in classes[found]]
