"""Evaluation report of a classifier: metrics, mistakes and explanations."""

import time

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn import metrics
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._containers import unpack_container
from skimgcls.inspection._explanations._grad_cam import explain_by_grad_cam
from skimgcls.inspection._explanations._saliency_display import SaliencyDisplay
from skimgcls.inspection._plots._drawing import check_count, import_pyplot
from skimgcls.inspection._plots._pixels import count_images, find_image_shape
from skimgcls.inspection._plots._prediction_display import PredictionDisplay
from skimgcls.inspection._plots._predictions import Predictions
from skimgcls.inspection._plots._training_curve_display import TrainingCurveDisplay
from skimgcls.inspection._report._report_page import make_page, make_tables
from skimgcls.utils._atomic_write import atomic_write
from skimgcls.utils._labels import check_indicator, plain_labels
from skimgcls.utils._paths import expand
from skimgcls.utils._sklearn_compat import take_rows
from skimgcls.utils._target_encoder import TargetEncoder
from skimgcls.utils._unwrap import is_multilabel

# Number of mistakes to explain.
_N_EXPLAINED = 8
# Number of bins of the calibration error.
_N_BINS = 15
# Values of k of the top-k accuracies.
_TOP = (2, 3, 5)


class EvaluationReport:
    """Metrics of a classifier on labeled images, created by :func:`evaluation_report`.

    All metrics are those of scikit-learn, except the calibration error.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Actual labels, or an indicator matrix.

    y_proba : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.

    classes : ndarray of shape (n_classes,)
        Classes, in the order of the columns of `y_proba`.

    seconds : float, default=None
        Prediction time in seconds.

    rejected : ndarray of shape (n_samples,) of bool, default=None
        Images rejected by a RejectOptionClassifier. All metrics are computed on all images with the
        predictions of the wrapped classifier, except the two about accepted images.

    displays : dict of {str: display or str}, default=None
        Further sections of the page, by heading: a display of this module, or a sentence that
        explains why there is none.

    Attributes
    ----------
    summary_ : Series
        Accuracy, balanced accuracy, log loss, top-k accuracies for k = 2, 3 and 5, calibration
        error, number of images, and images per second. With `rejected`, also the fraction of images
        accepted and the accuracy on these. For multilabel targets: subset accuracy, Hamming loss,
        macro and micro F1, log loss, calibration error, number of images, and images per second.

    per_class_ : DataFrame
        Precision, recall, F1-score and support of each class, and their averages, as in
        ``sklearn.metrics.classification_report(output_dict=True)``.

    confusion_ : DataFrame of shape (n_classes, n_classes) or None
        Confusion matrix, with actual classes in rows; None for multilabel targets.
    """

    def __init__(self, y_true, y_proba, classes, *, seconds=None, rejected=None, displays=None):
        self.y_true = y_true
        self.y_proba = y_proba
        self.classes = classes
        self.seconds = seconds
        self.rejected = rejected
        self.displays = displays
        if not self.multilabel:
            _check_classes(y_true, classes)
        self.per_class_ = _report_classes(y_true, self.predicted(), classes)
        if self.multilabel:
            self.confusion_ = None
            self.summary_ = self._summarize_labels()
        else:
            names = list(map(str, classes))
            counts = metrics.confusion_matrix(y_true, self.predicted(), labels=classes)
            self.confusion_ = pd.DataFrame(
                counts,
                index=pd.Index(names, name="actual"),
                columns=pd.Index(names, name="predicted"),
            )
            self.summary_ = self._summarize_classes()

    @property
    def multilabel(self):
        """Whether the target is multilabel."""
        return np.ndim(self.y_true) == 2

    def to_html(self, path=None, *, title="Evaluation report"):
        """Write a self-contained HTML page with all metrics and plots.

        Parameters
        ----------
        path : str or path-like, default=None
            File to write. None returns the page as a string instead.

        title : str, default="Evaluation report"
            Title of the page.

        Returns
        -------
        page : str or None
            The page if `path` is None, else None.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        import_pyplot(self)
        file_path = None if path is None else expand(path)
        page = make_page(self, title)
        if file_path is None:
            return page
        with atomic_write(file_path) as file:
            file.write(page.encode("utf-8"))
        return None

    def _repr_html_(self):
        return make_tables(self)

    def __repr__(self):
        return f"{self.summary_.to_string()}\n\n{self.per_class_.to_string()}"

    def predicted(self):
        """Return the predicted labels, or an indicator matrix."""
        if self.multilabel:
            return (self.y_proba > 0.5).astype(int)
        return self.classes[self.y_proba.argmax(axis=1)]

    def confidences(self):
        """Return the confidence of each prediction and whether it is correct.

        Returns
        -------
        confidence : ndarray of shape (n_samples,) or (n_samples * n_classes,)
            Probability of the predicted class; for multilabel targets, of the predicted presence
            or absence of each label.

        is_right : ndarray of the same shape, of bool
            Whether each prediction is correct.
        """
        is_right = self.predicted() == self.y_true
        if self.multilabel:
            return np.maximum(self.y_proba, 1 - self.y_proba).ravel(), is_right.ravel()
        return self.y_proba.max(axis=1), is_right

    def _summarize_classes(self):
        y, predicted, proba = self.y_true, self.predicted(), self.y_proba
        figures = {
            "accuracy": metrics.accuracy_score(y, predicted),
            "balanced accuracy": metrics.recall_score(
                y, predicted, labels=np.unique(y), average="macro", zero_division=0
            ),
            "log loss": metrics.log_loss(y, proba, labels=self.classes),
        }
        for k in _TOP:
            if k < len(self.classes):
                figures[f"top-{k} accuracy"] = metrics.top_k_accuracy_score(
                    y, proba, k=k, labels=self.classes
                )
        figures["calibration error"] = calibration_error(*self.confidences())
        if self.rejected is not None:
            accepted = ~self.rejected
            figures["accepted"] = accepted.mean()
            right = (predicted == y)[accepted]
            figures["accuracy of the accepted"] = right.mean() if accepted.any() else np.nan
        return self._with_counts(figures)

    def _summarize_labels(self):
        y, predicted = self.y_true, self.predicted()
        figures = {
            "subset accuracy": metrics.accuracy_score(y, predicted),
            "hamming loss": metrics.hamming_loss(y, predicted),
            "macro f1-score": metrics.f1_score(y, predicted, average="macro", zero_division=0),
            "micro f1-score": metrics.f1_score(y, predicted, average="micro", zero_division=0),
            "log loss": _log_loss_of_labels(y, self.y_proba),
            "calibration error": calibration_error(*self.confidences()),
        }
        return self._with_counts(figures)

    def _with_counts(self, figures):
        n_images = len(self.y_true)
        rate = np.nan if self.seconds is None else n_images / self.seconds
        figures |= {"images": n_images, "images a second": rate}
        return pd.Series(figures, name="value", dtype=float)


def evaluation_report(estimator, X, y, *, n_images=16, image_shape=None, random_state=0):
    """Evaluate a fitted classifier on labeled images.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, Pipeline that ends in one, or search over it
        Fitted classifier.

    X : array-like of images, or of paths
        Images in any format that the estimator accepts.

    y : array-like of shape (n_samples,) or (n_samples, n_classes)
        Actual labels, or an indicator matrix.

    n_images : int, default=16
        Maximum number of images to show, both for the selection of predictions and for the most
        confident mistakes.

    image_shape : tuple (height, width) or (height, width, n_channels), default=None
        Shape of one image if the rows of `X` are flattened images. None uses the shape stored in
        the estimator.

    random_state : int, RandomState instance or None, default=0
        Seed of the selection of images to show.

    Returns
    -------
    report : EvaluationReport

    Raises
    ------
    ValueError
        If `X` is empty, or if `y` does not have one known label per image.
    TypeError
        If the estimator has no `predict_proba`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import MLPImageClassifier
    >>> from skimgcls.inspection import evaluation_report
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MLPImageClassifier(max_iter=10, random_state=0).fit(X[:1000], y[:1000])
    >>> report = evaluation_report(clf, X[1000:], y[1000:])
    >>> bool(report.summary_["accuracy"] > 0.9)
    True
    >>> len(report.to_html()) > 10_000
    True
    """
    X = unpack_container(X)
    # Check before the prediction, which may take long.
    y = _check_labels(y, estimator, count_images(X))
    check_count("n_images", n_images)
    start = time.perf_counter()
    predictions = Predictions.of(estimator, X)
    seconds = time.perf_counter() - start
    shown = {
        "n_images": n_images,
        "image_shape": image_shape or find_image_shape(estimator, X),
        "random_state": random_state,
    }
    mistakes = PredictionDisplay._choose(predictions, X, y, order="confident_mistakes", **shown)
    displays = {
        "The most confident mistakes": mistakes,
        "Where it looked in mistakes": _explain(estimator, X, mistakes),
        "Some predictions": PredictionDisplay._choose(predictions, X, y, **shown),
        "Training": _find_history(estimator),
    }
    return EvaluationReport(
        y,
        predictions.proba,
        predictions.classes,
        seconds=seconds,
        rejected=predictions.rejected,
        displays=displays,
    )


def _explain(estimator, X, mistakes):
    """Return the Grad-CAM display of the first mistakes, or the reason why there is none."""
    if not mistakes.pictures:
        return "There are no mistakes to explain."
    try:
        explained = explain_by_grad_cam(estimator, take_rows(X, mistakes.indices[:_N_EXPLAINED]))
    except (ImportError, TypeError) as error:
        return str(error)
    return SaliencyDisplay._of(explained, estimator.classes_)


def _find_history(estimator):
    """Return the training curves, or the reason why there are none."""
    try:
        return TrainingCurveDisplay._of(estimator)
    except TypeError as error:
        return str(error)


def calibration_error(confidence, is_right):
    """Return the expected calibration error, computed with equal-width bins.

    It is the mean absolute difference between confidence and accuracy over the bins, weighted by
    their number of images (Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning", 2015; Guo et al., 2017).

    >>> calibration_error(np.array([0.9, 0.9]), np.array([True, False]))
    0.4
    """
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    counts = np.bincount(bins, minlength=_N_BINS)
    sums = np.bincount(bins, confidence - is_right, minlength=_N_BINS)
    return float(np.abs(sums).sum() / counts.sum())


def _check_labels(y, estimator, n_images):
    """Return labels (n,) or an indicator matrix (n, n_classes), as in training."""
    check_is_fitted(estimator)
    multilabel, n_classes = is_multilabel(estimator), len(estimator.classes_)
    given, y = y, plain_labels(y)
    y = y.toarray() if scipy.sparse.issparse(y) else y
    if y.ndim == 2 and y.shape[1] == 1 and not multilabel:
        y = y.ravel()
    expected = (n_images, n_classes) if multilabel else (n_images,)
    if y.ndim != len(expected) or y.shape[1:] != expected[1:]:
        raise ValueError(
            f"y has shape {y.shape}; expected {expected}, "
            f"{'an indicator matrix' if multilabel else 'one label per image'}, as in the "
            "training data."
        )
    if len(y) != n_images:
        raise ValueError(
            f"y has {len(y)} labels for {n_images} images. Expected one label per image."
        )
    if multilabel:
        encoder = TargetEncoder(np.asarray(estimator.classes_), multilabel=True)
        return encoder.order_columns(check_indicator(y), given, "y")
    # Labels as the classes have them, such as True for 1.
    return np.asarray(estimator.classes_)[TargetEncoder(estimator.classes_).encode(y)]


def _check_classes(y, classes):
    """Raise if there are fewer than two classes, or if labels are not among the classes."""
    if len(classes) < 2:
        raise ValueError(
            f"The classifier was fitted on a single class, {np.asarray(classes).tolist()}. A "
            "report requires at least two classes."
        )
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y holds unknown labels {unknown.tolist()}. Expected the classes of the classifier: "
            f"{np.asarray(classes).tolist()}."
        )


def _log_loss_of_labels(y, proba):
    """Return the mean over the labels of their binary log losses."""
    columns = zip(np.transpose(y), proba.T, strict=True)
    return float(np.mean([metrics.log_loss(ones, p, labels=[0, 1]) for ones, p in columns]))


def _report_classes(y_true, predicted, classes):
    """Return the classification report as a table: one row per class, and the averages."""
    multilabel = np.ndim(y_true) == 2
    report = metrics.classification_report(
        y_true,
        predicted,
        labels=np.arange(len(classes)) if multilabel else classes,
        target_names=list(map(str, classes)),
        output_dict=True,
        zero_division=0,
    )
    report.pop("accuracy", None)
    return pd.DataFrame(report).T
