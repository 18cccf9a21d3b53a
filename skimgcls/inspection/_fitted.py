"""Access to fitted estimators and their predictions, inside of wrappers."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._image_files import find_items
from skimgcls.inspection._labels import name_label
from skimgcls.inspection._pictures import list_labels
from skimgcls.utils._unwrap import find_final_estimator


def find_pipeline(estimator):
    """Return the Pipeline or classifier inside of a search or a wrapper."""
    check_is_fitted(estimator)
    return find_final_estimator(estimator)


def find_classifier(estimator):
    """Return the fitted classifier inside of a search, a Pipeline or a FrozenEstimator.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> find_classifier(make_pipeline(LogisticRegression()).fit([[0], [1]], [0, 1]))
    LogisticRegression()
    """
    estimator = find_pipeline(estimator)
    while isinstance(estimator, Pipeline):
        estimator = find_pipeline(estimator[-1])
    return estimator


def find_image_shape(estimator, X):
    """Return the image shape of the estimator if the rows of X are flattened images, or None."""
    if find_items(X) is not None or np.ndim(X) != 2:
        return None
    estimator = find_pipeline(estimator)
    while isinstance(estimator, Pipeline):
        estimator = find_pipeline(estimator[0])
    return getattr(estimator, "image_shape_", None)


def is_multilabel(estimator):
    """Return whether a fitted classifier is multilabel."""
    return getattr(find_classifier(estimator), "out_activation_", "") == "logistic"


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
        y = y.toarray() if scipy.sparse.issparse(y) else y
        if np.ndim(y) == 2 and np.shape(y)[1] == len(self.classes) and len(self.classes) > 1:
            ones = np.asarray(y).astype(bool)
            return [name_label(tuple(self.classes[row])) for row in ones]
        # 1, 1.0 and True are the same label.
        own = {
            label: str(word)
            for label, word in zip(self.classes.tolist(), self.classes, strict=True)
        }
        labels = list_labels(y, n_images, "y")
        return [own.get(label, name_label(label)) for label in labels]
