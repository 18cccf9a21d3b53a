"""What is inside of a fitted estimator: what a search, a wrapper or a Pipeline predicts with."""

from collections.abc import Iterator
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline


def iterate_wrapped(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and what predicts in its place, from outside in.

    Seen through are searches, FrozenEstimators and reject options; the last is a Pipeline, or what
    predicts itself.
    """
    while True:
        yield estimator
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "rejected_label_"):
            estimator = estimator.estimator_
        else:
            return


def find_final_estimator(estimator: Any) -> Any:
    """Return the Pipeline, or the estimator, that predicts in the place of another."""
    *_, innermost = iterate_wrapped(estimator)
    return innermost


def walk_steps(estimator: Any) -> Iterator[Any]:
    """Yield what an image goes through in a prediction, from first to last.

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
        # A sampler works in training alone.
        if step not in (None, "passthrough") and not hasattr(step, "fit_resample"):
            yield from walk_steps(step)


def find_rejecting(estimator: Any) -> Any:
    """Return the outermost reject option, which gives the answers; None if there is none."""
    for layer in iterate_wrapped(estimator):
        if hasattr(layer, "rejected_label_"):
            return layer
        if isinstance(layer, Pipeline):
            return find_rejecting(layer[-1])
    return None
