"""Base class of the image transformers."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._image_files import ImageFiles, find_items
from skimgcls._images._lazy_images import LazyImages, apply_in_blocks, as_lazy, float_type
from skimgcls._images._validation import as_pixels, check_images
from skimgcls.utils._rollback import restore_on_error
from skimgcls.utils._sklearn_compat import check_feature_names, fit_context


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
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer. It is unchanged if `fit` raises.
        """
        with restore_on_error(self):
            images, _ = self._check_images(X, reset=True)
            self._learn(images)
        return self

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
        images, ndim = self._check_images(X, reset=False)
        step = self._make_step(_shape_of(images))
        if isinstance(images, LazyImages):
            return images.then(step)
        return restore_format(apply_in_blocks(images, step, float_type(images.dtype)), ndim)

    def _learn(self, images):
        """Learn from the training images. By default nothing is learned."""

    def _make_step(self, image_shape):
        """Return the transform of a batch of images of this shape."""
        raise NotImplementedError

    def _check_images(self, X, *, reset):
        """Return lazy images or an array (n, height, width, channels), and the `ndim` of X."""
        if find_items(X) is None:
            check_feature_names(self, X, reset=reset)
        elif reset:
            vars(self).pop("feature_names_in_", None)
        return self._as_images(X, reset=reset)

    def _as_images(self, X, *, reset):
        """Return the same as `_check_images`, without checking the column names."""
        name = type(self).__name__
        pixels = as_pixels(X, name)
        is_rows = pixels.ndim == 2 and not isinstance(pixels, LazyImages)
        if reset:
            images = check_images(pixels, image_shape=self.image_shape, estimator_name=name)
            self.image_shape_ = _shape_of(images)
            self.n_features_in_ = int(np.prod(self.image_shape_))
            self._shape_is_a_guess = self.image_shape is None and is_rows
            self._saw_bytes = as_lazy(images).source.dtype == np.uint8
        elif hasattr(self, "image_shape_") and (is_rows or not self._takes_any_size):
            images = check_images(
                pixels,
                fitted_shape=self.image_shape_,
                any_spelling=self._shape_is_a_guess,
                estimator_name=name,
            )
        else:
            images = self._match_channels(check_images(pixels, estimator_name=name))
        return images, pixels.ndim

    def _match_channels(self, images):
        """Check that images of any size have as many channels as the training images."""
        # A loader that was fitted on files accepts any number of channels.
        found = _shape_of(images)[2]
        expected = self.image_shape_[2] if hasattr(self, "image_shape_") else found
        if found == expected:
            return images
        is_files = isinstance(images, LazyImages) and isinstance(images.source, ImageFiles)
        if is_files and not images.steps and expected == 1:
            return images.of_files(images.source.decoded(mode="L"))
        raise ValueError(
            f"X has images of {found} channel(s), but {type(self).__name__} was fitted on images "
            f"of {expected} channel(s). Convert the images, or fit again."
        )


def restore_format(images, ndim):
    """Return images (n, height, width, channels) in the format of X, given its `ndim`."""
    if ndim == 4 or (ndim == 3 and images.shape[3] != 1):
        return images
    return images.reshape(len(images), -1) if ndim == 2 else images[..., 0]


def _shape_of(images):
    shape = images.image_shape if isinstance(images, LazyImages) else images.shape[1:]
    return tuple(int(size) for size in shape)
