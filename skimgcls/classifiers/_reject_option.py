"""A classifier with a reject option."""

import math
from numbers import Real

import numpy as np
from scipy import stats
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import get_tags
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skimgcls._images._containers import unpack_container
from skimgcls.classifiers._cnn import CNNImageClassifier
from skimgcls.classifiers._score import ScoreMixin
from skimgcls.utils._random import draw_seed
from skimgcls.utils._sklearn_compat import HasMethods, Interval, fit_context


class RejectOptionClassifier(MetaEstimatorMixin, ScoreMixin, BaseEstimator):
    """Classifier that rejects images with a low predicted probability.

    An image is accepted if the probability of its most probable class reaches a threshold. The
    threshold is learned on held-out images, for one of two targets: `coverage`, the fraction of
    images to accept, or `max_error`, the maximum error rate among accepted images (Chow, "On
    Optimum Recognition Error and Reject Tradeoff", 1970; Geifman and El-Yaniv, "Selective
    Classification for Deep Neural Networks", 2017). Both hold only for images from the same
    distribution. A threshold measures uncertainty and does not detect out-of-distribution images:
    an image of no known class that looks like one is accepted.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        The classifier, which is cloned and fitted to the images not held out. A fitted classifier,
        given as `sklearn.frozen.FrozenEstimator(classifier)`, is not refitted, and all images given
        to `fit` are held out. Samples with unknown labels are then out-of-distribution; accepting
        one counts as an error. None is a CNNImageClassifier.

    coverage : float, default=None
        Fraction of images to accept, in (0, 1].

    max_error : float, default=None
        Maximum error rate among accepted images. As many images as possible are accepted within
        this limit. If `coverage` and `max_error` are both None, all images are accepted and none is
        held out.

    confidence : float, default=0.95
        Probability that `max_error` holds, over the random choice of the held-out images.

    rejected_label : object, default=None
        Label predicted for a rejected image. None is "none of these" for string labels, and -1 for
        numeric labels.

    validation_fraction : float, default=0.2
        Fraction of the images to hold out, stratified by class.

    random_state : int, RandomState instance or None, default=None
        Seed of the choice of held-out images, and of the default classifier.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, without `rejected_label_`.

    estimator_ : classifier
        The fitted classifier.

    threshold_ : float
        Minimum probability of the most probable class of an accepted image.

    rejected_label_ : object
        Label predicted for a rejected image.

    coverage_ : float
        Fraction of the held-out images that are accepted; 1 if none were held out.

    error_ : float
        Error rate among the accepted held-out images; NaN if none were held out.

    error_bound_ : float
        Upper bound on the error rate among accepted new images, which holds with probability
        `confidence`; NaN without `max_error`.

    n_features_in_ : int
        Number of values per image. Defined only if `estimator_` defines it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X. Defined only if `estimator_` defines it.

    See Also
    --------
    sklearn.model_selection.FixedThresholdClassifier : A threshold between two classes.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import MLPImageClassifier, RejectOptionClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = RejectOptionClassifier(
    ...     MLPImageClassifier(max_iter=10, random_state=0), coverage=0.8, random_state=0
    ... )
    >>> clf.fit(X[:1200], y[:1200]).coverage_ >= 0.8
    True
    >>> int(clf.predict(X[:1] * 0)[0])
    -1
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "coverage": [Interval(Real, 0, 1, closed="right"), None],
        "max_error": [Interval(Real, 0, 1, closed="neither"), None],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "rejected_label": "no_validation",
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        coverage=None,
        max_error=None,
        confidence=0.95,
        rejected_label=None,
        validation_fraction=0.2,
        random_state=None,
    ):
        self.estimator = estimator
        self.coverage = coverage
        self.max_error = max_error
        self.confidence = confidence
        self.rejected_label = rejected_label
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Fit the classifier, and learn the threshold on held-out images.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images, in any input format accepted by `estimator`.
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If both `coverage` and `max_error` are given, `y` is multilabel, or too few images are
            held out to guarantee `max_error`.
        """
        if self.coverage is not None and self.max_error is not None:
            raise ValueError("Pass coverage or max_error, not both: each determines the threshold.")
        X = unpack_container(X)
        if isinstance(self.estimator, FrozenEstimator):
            # A frozen estimator does not check X and y in fit.
            check_consistent_length(X, y)
        shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
        if len(shape) == 2 and shape[1] > 1:
            raise ValueError(
                "RejectOptionClassifier does not support multilabel targets: expected y of shape "
                f"(n_samples,), got shape {tuple(shape)}."
            )
        estimator, held_out = self._fit_estimator(X, y)
        classes = np.asarray(estimator.classes_)
        rejected_label = self._name_rejected(classes)
        found = _ACCEPT_ALL
        if held_out is not None:
            proba = estimator.predict_proba(held_out[0])
            is_right = classes[proba.argmax(axis=1)] == np.asarray(held_out[1])
            found = self._learn(proba.max(axis=1), is_right)
        self.estimator_, self.classes_, self.rejected_label_ = estimator, classes, rejected_label
        self.threshold_, self.coverage_, self.error_, self.error_bound_ = found
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))
        return self

    def predict(self, X):
        """Predict the label of each image, or `rejected_label_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images, in any input format accepted by `estimator`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            The most probable label of an accepted image, `rejected_label_` for a rejected one.
        """
        proba = self.predict_proba(X)
        labels = self.classes_[proba.argmax(axis=1)]
        is_rejected = proba.max(axis=1) < self.threshold_
        if not is_rejected.any():
            return labels
        rejected = np.array([self.rejected_label_])
        if labels.dtype.kind == rejected.dtype.kind:
            # The string dtype may need more characters.
            labels = labels.astype(np.promote_types(labels.dtype, rejected.dtype))
        elif labels.dtype.kind != "f":
            labels = labels.astype(object)
        labels[is_rejected] = self.rejected_label_
        return labels

    def predict_proba(self, X):
        """Estimate the probability of each label with the fitted classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images, in any input format accepted by `estimator`.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`. Rejection has no probability.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def is_accepted(self, X):
        """Determine which images are accepted.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images, in any input format accepted by `estimator`.

        Returns
        -------
        accepted : ndarray of shape (n_samples,) of bool
            True for images that are accepted.
        """
        return self.predict_proba(X).max(axis=1) >= self.threshold_

    @property
    def _rejects(self):
        return self.coverage is not None or self.max_error is not None

    def _fit_estimator(self, X, y):
        """Return a fitted classifier, and the held-out images and labels or None."""
        estimator = self.estimator
        if estimator is None:
            estimator = CNNImageClassifier(random_state=self.random_state)
        if isinstance(estimator, FrozenEstimator):
            check_is_fitted(estimator)
            return estimator, (X, y) if self._rejects else None
        if not self._rejects:
            return clone(estimator).fit(X, y), None
        X_train, X_held_out, y_train, y_held_out = train_test_split(
            X,
            y,
            test_size=self.validation_fraction,
            stratify=y,
            random_state=draw_seed(self.random_state),
        )
        return clone(estimator).fit(X_train, y_train), (X_held_out, y_held_out)

    def _name_rejected(self, classes):
        """Return the label of rejected images."""
        label = self.rejected_label
        if label is None:
            label = -1 if classes.dtype.kind in "biuf" else "none of these"
        if self._rejects and label in classes.tolist():
            raise ValueError(
                f"rejected_label={label!r} is a class of y. Pass another one, such as "
                "'none of these'."
            )
        return label

    def _learn(self, confidence, is_right):
        """Return threshold, coverage, error and error bound on the held-out images."""
        bound = math.nan
        if self.max_error is not None:
            threshold, bound = _bound_error(confidence, is_right, self.max_error, self.confidence)
        elif self.coverage == 1:
            threshold = 0.0
        else:
            threshold = np.sort(confidence)[::-1][math.ceil(self.coverage * len(confidence)) - 1]
        accepted = confidence >= threshold
        return float(threshold), float(accepted.mean()), float(1 - is_right[accepted].mean()), bound

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        estimator = CNNImageClassifier() if self.estimator is None else self.estimator
        tags.input_tags = get_tags(estimator).input_tags
        return tags


# Threshold, coverage, error and error bound if no images are held out.
_ACCEPT_ALL = (0.0, 1.0, math.nan, math.nan)


def _bound_error(confidence, is_right, max_error, probability):
    """Return the lowest threshold found whose error rate is bounded by `max_error`, and the bound.

    Binary search keeps the number of tested thresholds small, since the failure probability is
    divided among the tests (Geifman and El-Yaniv, 2017, algorithm 1). The bound is exact (Clopper
    and Pearson, 1934).
    """
    thresholds = np.sort(confidence)
    n_tries = max(1, math.ceil(math.log2(len(thresholds))))
    risk = (1 - probability) / n_tries
    low, high = -1, len(thresholds) - 1
    best, least = None, 1.0
    for _ in range(n_tries):
        middle = (low + high + 1) // 2
        accepted = confidence >= thresholds[middle]
        n, n_wrong = int(accepted.sum()), int((~is_right[accepted]).sum())
        bound = 1.0 if n_wrong == n else float(stats.beta.ppf(1 - risk, n_wrong + 1, n - n_wrong))
        least = min(least, bound)
        if bound <= max_error:
            best, high = (thresholds[middle], bound), middle
        else:
            low = middle
    if best is None:
        raise ValueError(
            f"max_error={max_error} cannot be guaranteed with confidence {probability}: of "
            f"{len(confidence)} held-out images, {int((~is_right).sum())} are misclassified, and "
            f"the lowest error bound is {least:.3f}. Hold out more images, or increase max_error."
        )
    return best
