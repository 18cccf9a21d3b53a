"""Find the estimators that a fitted search, wrapper or Pipeline predicts with."""

from collections.abc import Iterator
from typing import Any

from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def iterate_wrapped(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and the estimators it wraps, from the outside in.

    Searches, FrozenEstimators, reject options and averages are unwrapped. Of an average, the first
    member stands for all. The last estimator is a Pipeline or one that wraps no other.
    """
    while True:
        yield estimator
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "rejected_label_"):
            estimator = estimator.estimator_
        elif isinstance(estimator, VotingClassifier):
            estimator = estimator.estimators_[0]
        else:
            return


def find_final_estimator(estimator: Any) -> Any:
    """Return the innermost wrapped estimator, which may be a Pipeline."""
    *_, innermost = iterate_wrapped(estimator)
    return innermost


def find_pipeline(estimator: Any) -> Any:
    """Return the Pipeline or classifier inside of a search or a wrapper."""
    check_is_fitted(estimator)
    return find_final_estimator(estimator)


def find_classifier(estimator: Any) -> Any:
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


def is_multilabel(estimator: Any) -> bool:
    """Return whether a fitted classifier is multilabel."""
    return getattr(find_classifier(estimator), "out_activation_", "") == "logistic"


def walk_steps(estimator: Any) -> Iterator[Any]:
    """Yield the steps that are applied to an image in prediction, from first to last.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> list(walk_steps(make_pipeline("passthrough", FrozenEstimator(LogisticRegression()))))
    [LogisticRegression()]
    """
    innermost = find_final_estimator(estimator)
    if not isinstance(innermost, Pipeline):
        yield innermost
        return
    for _, step in innermost.steps:
        # Samplers are applied only in training.
        if step not in (None, "passthrough") and not hasattr(step, "fit_resample"):
            yield from walk_steps(step)


def find_average(estimator: Any) -> VotingClassifier | None:
    """Return the average of classifiers that makes the predictions; None if there is none."""
    for layer in iterate_wrapped(estimator):
        if isinstance(layer, VotingClassifier):
            return layer
        if isinstance(layer, Pipeline):
            return find_average(layer[-1])
    return None


def find_rejecting(estimator: Any) -> Any:
    """Return the outermost reject option, which makes the predictions; None if there is none."""
    for layer in iterate_wrapped(estimator):
        if hasattr(layer, "rejected_label_"):
            return layer
        if isinstance(layer, Pipeline):
            return find_rejecting(layer[-1])
    return None
