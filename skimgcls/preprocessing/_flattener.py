"""Flatten images to rows for scikit-learn."""

from dataclasses import replace

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skimgcls.preprocessing._base import BaseImageTransformer
from skimgcls.utils._sklearn_compat import check_feature_names_in


class ImageFlattener(BaseImageTransformer):
    """Flatten each image to a row of pixels, for any scikit-learn classifier.

    Attributes
    ----------
    image_shape_ : tuple (height, width, n_channels)
        Shape of the training images; for rows, the assumed shape.
    n_features_in_ : int
        Number of values per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X is a DataFrame of pixels.

    Notes
    -----
    Rows are returned unchanged. Lazy images, such as the output of an ImageLoader, are all read
    into memory.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from skimgcls.preprocessing import ImageFlattener
    >>> digits = load_digits()
    >>> pipe = make_pipeline(ImageFlattener(), SVC()).fit(digits.images[:900], digits.target[:900])
    >>> pipe.score(digits.images[900:], digits.target[900:]) > 0.9
    True
    >>> ImageFlattener().fit(digits.images).get_feature_names_out()[[0, 1, 63]]
    array(['pixel_0_0', 'pixel_0_1', 'pixel_7_7'], dtype=object)
    """

    _parameter_constraints: dict = {}

    def transform(self, X):
        """Flatten images.

        Parameters
        ----------
        X : array-like of images, or of files
            Images in any format that `fit` accepts.

        Returns
        -------
        rows : ndarray of shape (n_samples, height * width * n_channels)
            Flattened images, with the dtype of X.
        """
        check_is_fitted(self)
        images = self._check_images(X, reset=False).images.to_array()
        return images.reshape(len(images), -1)

    def inverse_transform(self, X):
        """Convert rows back to images.

        Parameters
        ----------
        X : array-like of shape (n_samples, height * width * n_channels)
            Flattened images.

        Returns
        -------
        images : ndarray of shape (n_samples, height, width, n_channels)
            Images in the format of the training images: without the channel axis, or as rows, if
            those had this format.
        """
        check_is_fitted(self)
        images = self._check_images(X, reset=False, check_names=False).images
        return replace(images, ndim=self._ndim).to_array()

    def get_feature_names_out(self, input_features=None):
        """Return a name for each column.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Column names of rows; ignored for images.

        Returns
        -------
        names : ndarray of shape (n_features,) of str
            "pixel_row_column", followed by "_channel" if there are several channels. For rows, the
            input names.
        """
        check_is_fitted(self)
        if self._ndim == 2:
            return check_feature_names_in(self, input_features)
        height, width, channels = self.image_shape_
        names = [
            f"pixel_{row}_{column}" + (f"_{channel}" if channels > 1 else "")
            for row in range(height)
            for column in range(width)
            for channel in range(channels)
        ]
        return np.array(names, dtype=object)

    def _check_images(self, X, *, reset, check_names=True):
        checked = super()._check_images(X, reset=reset, check_names=check_names)
        if reset:
            self._ndim = checked.images.ndim
        return checked
