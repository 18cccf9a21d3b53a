"""Images as the rows that the rest of scikit-learn works on."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skimgcls.preprocessing._base import BaseImageTransformer, restore_format
from skimgcls.utils._sklearn_compat import check_feature_names_in


class ImageFlattener(BaseImageTransformer):
    """Lay the pixels of each image in a row, for any classifier of scikit-learn.

    Attributes
    ----------
    image_shape_ : tuple (height, width, channels)
        Of the images seen in `fit`; for rows, the shape they are taken for.
    n_features_in_ : int
        Numbers per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a DataFrame of pixels.

    Notes
    -----
    Rows pass through. Lazy images, from an ImageLoader for instance, are read here, all of them.

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

        Returns
        -------
        rows : ndarray of shape (n, height * width * channels)
            Of the type of X.
        """
        check_is_fitted(self)
        images, _ = self._check_images(X, reset=False)
        return np.asarray(images).reshape(len(images), -1)

    def inverse_transform(self, X):
        """Make images of rows.

        Parameters
        ----------
        X : array-like of shape (n, height * width * channels)

        Returns
        -------
        images : ndarray of shape (n, height, width, channels)
            Without the channels where `fit` saw none; rows where it saw rows.
        """
        check_is_fitted(self)
        images, _ = self._as_images(X, reset=False)
        return restore_format(np.asarray(images), self._ndim)

    def get_feature_names_out(self, input_features=None):
        """Return a name for each column.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of rows; not used for images.

        Returns
        -------
        names : ndarray of shape (n_features,) of str
            "pixel_row_column", with "_channel" where there are several; of rows, the names they
            have.
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

    def _as_images(self, X, *, reset):
        images, ndim = super()._as_images(X, reset=reset)
        if reset:
            self._ndim = ndim
        return images, ndim
