"""Base class of the image transformers."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._containers import unpack_container
from skimgcls._images._estimator_input import validate_images
from skimgcls.utils._rollback import restore_on_error
from skimgcls.utils._sklearn_compat import check_feature_names_in, fit_context


class BaseImageTransformer(TransformerMixin, BaseEstimator):
    """Base class of the image transformers.

    A subclass implements `__init__` and `_make_step`, which returns the transform of a batch. A
    subclass that learns from the training images also implements `_learn`. Arrays are returned as
    arrays in the input format. Lazy images are returned with one more step.
    """

    # Whether `transform` accepts images of another size than the training images.
    _takes_any_size = False
    # Only some subclasses have this parameter.
    image_shape = None

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the transformer.

        Parameters
        ----------
        X : array-like of images, or of files
            Array of shape (n_samples, n_features), (n_samples, height, width) or
            (n_samples, height, width, n_channels), or the output of another image transformer.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : object
            The fitted transformer. It is unchanged if `fit` raises.
        """
        with restore_on_error(self):
            self._learn(self._check_images(X, reset=True).images)
        return self

    def fit_transform(self, X, y=None):
        """Fit the transformer, then transform the same images.

        Parameters
        ----------
        X : array-like of images, or of files
            Images in any format that `fit` accepts.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        X_new : ndarray or lazy images
            The result of `transform`.
        """
        # An iterator can be read only once.
        return super().fit_transform(unpack_container(X), y)

    def transform(self, X):
        """Transform images.

        Parameters
        ----------
        X : array-like of images, or of files
            Images in any format that `fit` accepts.

        Returns
        -------
        X_new : ndarray or lazy images
            Array in the format of X. Files and lazy images, such as the output of an ImageLoader
            or an ImageAugmenter, are returned as lazy images. They are transformed batch by batch
            when they are used.
        """
        check_is_fitted(self)
        checked = self._check_images(X, reset=False)
        step = self._make_step(checked.images.image_shape)
        return checked.give_back(checked.images.then(step))

    def get_feature_names_out(self, input_features=None):
        """Return a name for each column of the output, if it has columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X.

        Returns
        -------
        names : ndarray of shape (n_features,) of str
            The input names: images stay images. For rows, a name for each pixel.
        """
        check_is_fitted(self)
        if not getattr(self, "_saw_rows", False):
            names = ["image"] if input_features is None else input_features
            return np.asarray(names, dtype=object)
        names = check_feature_names_in(self, input_features)
        resize = self._find_resize()
        if resize is None:
            return names
        n_pixels = int(np.prod(resize.size)) * self.image_shape_[2]
        return np.array([f"pixel_{index}" for index in range(n_pixels)], dtype=object)

    def _find_resize(self):
        """Return how images are resized, or None."""
        return

    def set_output(self, *, transform=None):
        """Set the container of the output, if it has columns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            The container, as in scikit-learn. A transformer that returns images ignores it, so that
            a Pipeline or ColumnTransformer can set it for all steps.

        Returns
        -------
        self : object
            The transformer.
        """
        if hasattr(super(), "set_output"):
            return super().set_output(transform=transform)
        return self

    def _learn(self, images):
        """Learn from the training images. By default nothing is learned."""

    def _make_step(self, image_shape):
        """Return the transform of a batch of images of this shape."""
        raise NotImplementedError

    def _check_images(self, X, *, reset, check_names=True):
        """Return X as checked images."""
        return validate_images(
            self, X, reset=reset, any_size=self._takes_any_size, check_names=check_names
        )
