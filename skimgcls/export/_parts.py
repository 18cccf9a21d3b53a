"""The parts of an estimator that are exported."""

from dataclasses import dataclass

from sklearn.utils.validation import check_is_fitted

from skimgcls.classifiers import BaseImageClassifier, RejectOptionClassifier
from skimgcls.preprocessing import ImageLoader
from skimgcls.utils._unwrap import find_average, find_final_estimator, find_rejecting, walk_steps


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of an estimator, in the order in which they process pixels.

    Attributes
    ----------
    transformers : list of transformer
    members : list of (BaseImageClassifier, float)
        Classifiers with a network, and their weights in the average of probabilities.
    rejecting : RejectOptionClassifier or None
        The outermost one around the classifier.
    """

    transformers: list
    members: list
    rejecting: RejectOptionClassifier | None = None

    @classmethod
    def of(cls, estimator):
        """Split a fitted estimator into parts; raise if it cannot be exported."""
        *transformers, _ = walk_steps(estimator)
        members = _list_members(estimator)
        for classifier, _ in members:
            if not isinstance(classifier, BaseImageClassifier):
                raise TypeError(
                    f"{type(classifier).__name__} cannot be exported to ONNX. Expected a fitted "
                    "image classifier of skimgcls, alone or at the end of a Pipeline of its "
                    "transformers."
                )
        for part in (*transformers, *(classifier for classifier, _ in members)):
            check_is_fitted(part)
        return cls(transformers, members, find_rejecting(estimator))

    @property
    def classifier(self):
        """The first classifier, whose labels and input are those of all."""
        return self.members[0][0]

    @property
    def loader(self):
        """The first ImageLoader, or None."""
        loaders = (step for step in self.transformers if isinstance(step, ImageLoader))
        return next(loaders, None)

    @property
    def first_shape(self):
        """Image shape (height, width, n_channels) at the first part that has one."""
        parts = (*self.transformers, self.classifier)
        return next(part.image_shape_ for part in parts if hasattr(part, "image_shape_"))

    @property
    def saw_bytes(self):
        """Whether `fit` was called with uint8 images or files."""
        first = (*self.transformers, self.classifier)[0]
        is_of_files = isinstance(first, ImageLoader) and not hasattr(first, "image_shape_")
        return is_of_files or getattr(first, "_saw_bytes", False)


def _list_members(estimator):
    """Return the classifiers that predict, with their weights."""
    average = find_average(estimator)
    if average is None:
        return [(list(walk_steps(estimator))[-1], 1.0)]
    if average.voting != "soft":
        raise TypeError(
            f"VotingClassifier(voting={average.voting!r}) cannot be exported to ONNX. Expected "
            'voting="soft", which averages probabilities.'
        )
    n = len(average.estimators_)
    weights = [1.0] * n if average.weights is None else average.weights
    return [
        (find_final_estimator(member), weight / sum(weights))
        for member, weight in zip(average.estimators_, weights, strict=True)
    ]
