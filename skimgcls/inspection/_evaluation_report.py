"""All that is to be known of a classifier on a set of images."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn import metrics
from sklearn.utils.validation import check_is_fitted

from skimgcls.inspection._drawing import check_count, import_pyplot
from skimgcls.inspection._fitted import Predictions, find_image_shape, is_multilabel
from skimgcls.inspection._grad_cam import explain_by_grad_cam
from skimgcls.inspection._pixels import count_images
from skimgcls.inspection._prediction_display import PredictionDisplay
from skimgcls.inspection._report_page import make_page, make_tables
from skimgcls.inspection._saliency_display import SaliencyDisplay
from skimgcls.inspection._training_curve_display import TrainingCurveDisplay, find_history
from skimgcls.utils._sklearn_compat import take_rows

# Mistakes that are looked into.
_N_EXPLAINED = 8
# Bins of the calibration error.
_N_BINS = 15
# The most probable classes among which the actual one is looked for.
_TOP = (2, 3, 5)


class EvaluationReport:
    """The figures of a classifier on labelled images; :func:`evaluation_report` makes one.

    All figures are scikit-learn's own, but for the calibration error.

    Parameters
    ----------
    y_true : ndarray of shape (n,) or (n, n_classes)
        Labels, or an indicator.

    y_proba : ndarray of shape (n, n_classes)
        Probabilities.

    classes : ndarray of shape (n_classes,)
        In the order of the columns of `y_proba`.

    seconds : float, default=None
        How long the prediction took.

    rejected : ndarray of shape (n,) of bool, default=None
        Images that a RejectOptionClassifier gives no label. All figures are of all images, as the
        classifier inside has them, but for the two that are of those accepted.

    displays : dict of {str: display or str}, default=None
        What else the page shows, by its headings: a display of this module, or a sentence that says
        why there is none.

    Attributes
    ----------
    summary_ : Series
        accuracy, balanced accuracy, log loss, the shares of images whose class is among the most
        probable ones, calibration error, number of images, and images a second; the share accepted
        and the accuracy there, if some are rejected. With several labels an image: subset accuracy,
        Hamming loss, log loss, macro and micro F1.

    per_class_ : DataFrame
        precision, recall, f1-score and support of each class, and their averages, as in
        ``sklearn.metrics.classification_report(output_dict=True)``.

    confusion_ : DataFrame of shape (n_classes, n_classes) or None
        Images by actual class, in rows, and predicted one; None with several labels an image.
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
        """Whether an image can have several labels."""
        return np.ndim(self.y_true) == 2

    def to_html(self, path=None, *, title="Evaluation report"):
        """Write one page with all figures and pictures, which asks nothing of any other place.

        Parameters
        ----------
        path : str or path, default=None
            File to write. None returns the page instead.

        title : str, default="Evaluation report"
            Its heading.

        Returns
        -------
        page : str or None
            The page, if no path is given.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        import_pyplot(self)
        page = make_page(self, title)
        if path is None:
            return page
        Path(path).write_text(page, encoding="utf-8")
        return None

    def _repr_html_(self):
        return make_tables(self)

    def __repr__(self):
        return f"{self.summary_.to_string()}\n\n{self.per_class_.to_string()}"

    def predicted(self):
        """Return the predicted label of each image, or an indicator."""
        if self.multilabel:
            return (self.y_proba > 0.5).astype(int)
        return self.classes[self.y_proba.argmax(axis=1)]

    def confidences(self):
        """Return how sure each prediction is, and whether it is right.

        Returns
        -------
        confidence : ndarray of shape (n,) or (n * n_classes,)
            Probability of what is predicted; of several labels an image, that of each, there or
            not there.

        is_right : ndarray of the same shape, of bool
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
    """Predict labelled images and report how right the predictions are.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, Pipeline that ends in one, or search over it
        Fitted.

    X : array-like of images, or of paths
        What the estimator predicts.

    y : array-like of shape (n,) or (n, n_classes)
        Actual labels, or an indicator.

    n_images : int, default=16
        How many images the page shows of each kind: of all, and of the most confident mistakes.

    image_shape : tuple (height, width) or (height, width, channels), default=None
        Shape of one image where X holds rows of pixels. None asks the estimator.

    random_state : int, RandomState instance or None, default=0
        Seed of which images are shown.

    Returns
    -------
    report : EvaluationReport

    Raises
    ------
    ValueError
        If X holds no image, or y is not a label that the estimator knows for each.
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
    # Before the prediction, which may take long.
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
    """Return where a net looked in the first mistakes, or why that is not known."""
    if not mistakes.pictures:
        return "There is no mistake to look into."
    try:
        explained = explain_by_grad_cam(estimator, take_rows(X, mistakes.indices[:_N_EXPLAINED]))
    except (ImportError, TypeError) as error:
        return str(error)
    return SaliencyDisplay._of(explained, estimator.classes_)


def _find_history(estimator):
    """Return the curves of the training, or why there are none."""
    try:
        return TrainingCurveDisplay(find_history(estimator))
    except TypeError as error:
        return str(error)


def calibration_error(confidence, is_right):
    """Return how far confidence is from the share that is right, on average over equal bins.

    Each bin of confidence counts by its images (Naeini et al., "Obtaining Well Calibrated
    Probabilities Using Bayesian Binning", 2015; Guo et al., 2017).

    >>> calibration_error(np.array([0.9, 0.9]), np.array([True, False]))
    0.4
    """
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    counts = np.bincount(bins, minlength=_N_BINS)
    sums = np.bincount(bins, confidence - is_right, minlength=_N_BINS)
    return float(np.abs(sums).sum() / counts.sum())


def _check_labels(y, estimator, n_images):
    """Return labels (n,) or an indicator (n, n_classes) as the fitted classifier has them."""
    check_is_fitted(estimator)
    multilabel, n_classes = is_multilabel(estimator), len(estimator.classes_)
    y = y.toarray() if scipy.sparse.issparse(y) else np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1 and not multilabel:
        y = y.ravel()
    expected = (n_images, n_classes) if multilabel else (n_images,)
    if y.ndim != len(expected) or y.shape[1:] != expected[1:]:
        raise ValueError(
            f"y has shape {y.shape}; expected {expected}, "
            f"{'an indicator of its classes' if multilabel else 'one label'} for each image, as "
            "the classifier was fitted."
        )
    if len(y) != n_images:
        raise ValueError(f"y has {len(y)} labels for {n_images} images.")
    if not multilabel:
        _check_classes(y, estimator.classes_)
    return y


def _check_classes(y, classes):
    """Raise if there is nothing to tell apart, or labels are not among the classes."""
    if len(classes) < 2:
        raise ValueError(
            f"The classifier knows {np.asarray(classes).tolist()} alone, so that there is nothing "
            "to tell apart. A report asks for two classes or more."
        )
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y holds {unknown.tolist()}, which the classifier does not know: its classes are "
            f"{np.asarray(classes).tolist()}."
        )


def _log_loss_of_labels(y, proba):
    """Return the mean over the labels of the loss of each, there or not there."""
    columns = zip(np.transpose(y), proba.T, strict=True)
    return float(np.mean([metrics.log_loss(ones, p, labels=[0, 1]) for ones, p in columns]))


def _report_classes(y_true, predicted, classes):
    """Return scikit-learn's report as a table: a row for each class, and the averages."""
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
