"""What the transformers of images have in common."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._image_files import ImageFiles, find_items
from skimgcls._images._lazy_images import LazyImages, apply_in_blocks, as_lazy, float_type
from skimgcls._images._validation import as_pixels, check_images
from skimgcls.utils._rollback import restore_on_error
from skimgcls.utils._sklearn_compat import check_feature_names, fit_context


class BaseImageTransformer(TransformerMixin, BaseEstimator):
    """Base class of the transformers of images.

    A new one is a constructor and `_make_step`, which returns what is done with a batch; if it
    learns something, `_learn` as well. Arrays come back as arrays, in the spelling they were given
    in; lazy images come back with one more step.
    """

    # Whether images of another size than those of `fit` are taken.
    _takes_any_size = False
    # A parameter of those transformers alone for which the shape of an image matters.
    image_shape = None

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn what the transformation needs.

        Parameters
        ----------
        X : array-like of images, or of files
            (n, pixels), (n, height, width) or (n, height, width, channels); or what an earlier
            transformer gave.
        y : None
            Not used.

        Returns
        -------
        self : object
            The fitted transformer. If `fit` raises, it stays as it was before.
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
            Images as `fit` takes them.

        Returns
        -------
        X_new : ndarray or lazy images
            An array of the same spelling as X. Files, and what comes out of an ImageLoader or an
            ImageAugmenter, become lazy images, which hold what is to be done with each batch.
        """
        check_is_fitted(self)
        images, ndim = self._check_images(X, reset=False)
        step = self._make_step(_shape_of(images))
        if isinstance(images, LazyImages):
            return images.then(step)
        return restore_format(apply_in_blocks(images, step, float_type(images.dtype)), ndim)

    def _learn(self, images):
        """Store what `fit` learns; nothing, if not overridden."""

    def _make_step(self, image_shape):
        """Return what is done with a batch of images of this shape."""
        raise NotImplementedError

    def _check_images(self, X, *, reset):
        """Return images, lazy or as an array (n, height, width, channels), and how X spelt them."""
        if find_items(X) is None:
            check_feature_names(self, X, reset=reset)
        elif reset:
            vars(self).pop("feature_names_in_", None)
        return self._as_images(X, reset=reset)

    def _as_images(self, X, *, reset):
        """Return the same as `_check_images`; the names of columns are not looked at."""
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
        """Return images of any size if they have as many channels as those of `fit`, or raise."""
        # A loader that has seen files alone takes whatever pixels come.
        found = _shape_of(images)[2]
        expected = self.image_shape_[2] if hasattr(self, "image_shape_") else found
        if found == expected:
            return images
        is_files = isinstance(images, LazyImages) and isinstance(images.source, ImageFiles)
        if is_files and not images.steps and expected == 1:
            return images.of_files(images.source.decoded(mode="L"))
        raise ValueError(
            f"X holds images of {found} channel(s), but {type(self).__name__} was fitted on images "
            f"of {expected}. Convert them, or fit anew."
        )


def restore_format(images, ndim):
    """Return images (n, height, width, channels) as rows or as grey images, if X was such."""
    if ndim == 4 or (ndim == 3 and images.shape[3] != 1):
        return images
    return images.reshape(len(images), -1) if ndim == 2 else images[..., 0]


def _shape_of(images):
    shape = images.image_shape if isinstance(images, LazyImages) else images.shape[1:]
    return tuple(int(size) for size in shape)
