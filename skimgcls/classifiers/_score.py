"""Accuracy of a classifier, for labels in any container."""

from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skimgcls.utils._target_encoder import TargetEncoder


class ScoreMixin(ClassifierMixin):
    """The method ``score``, which accepts the same labels as ``fit``."""

    @property
    def _encoder(self):
        return TargetEncoder(self.classes_)

    def score(self, X, y, sample_weight=None):
        """Return the accuracy on the given images and labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, n_channels)
            Images, in any input format accepted by `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Actual labels. An indicator with column names is compared by name.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.

        Returns
        -------
        score : float
            Fraction of correct predictions. For multilabel targets, all labels of an image must be
            correct. A label that is not among the classes counts as an error.
        """
        check_is_fitted(self)
        return super().score(X, self._encoder.standardize(y), sample_weight)
