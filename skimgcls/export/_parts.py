"""The parts of an estimator that are exported."""

from dataclasses import dataclass

from sklearn.utils.validation import check_is_fitted

from skimgcls.classifiers import BaseImageClassifier, RejectOptionClassifier
from skimgcls.preprocessing import ImageLoader
from skimgcls.utils._unwrap import find_rejecting, walk_steps


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of an estimator, in the order in which they process pixels.

    Attributes
    ----------
    transformers : list of transformer
    classifier : BaseImageClassifier
        Classifier with the network.
    rejecting : RejectOptionClassifier or None
        The outermost one around the classifier.
    """

    transformers: list
    classifier: BaseImageClassifier
    rejecting: RejectOptionClassifier | None = None

    @classmethod
    def of(cls, estimator):
        """Split a fitted estimator into parts; raise if it cannot be exported."""
        *transformers, classifier = walk_steps(estimator)
        if not isinstance(classifier, BaseImageClassifier):
            raise TypeError(
                f"{type(classifier).__name__} cannot be exported to ONNX. Expected a fitted image "
                "classifier of skimgcls, alone or at the end of a Pipeline of its transformers."
            )
        for part in (*transformers, classifier):
            check_is_fitted(part)
        return cls(transformers, classifier, find_rejecting(estimator))

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
