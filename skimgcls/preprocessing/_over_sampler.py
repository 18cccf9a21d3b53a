"""As many images of a rare class as of the others."""

from dataclasses import replace

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skimgcls._images._image_files import find_items
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._validation import as_pixels, check_images
from skimgcls.preprocessing._resizer import is_unread
from skimgcls.utils._sklearn_compat import check_feature_names, fit_context

try:
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.utils import check_sampling_strategy
except ModuleNotFoundError as error:
    raise ImportError(
        "ImageOverSampler needs imbalanced-learn: pip install skimgcls[imbalance]"
    ) from error


class ImageOverSampler(BaseOverSampler):
    """Repeat images of rare classes, until the classes are of one size.

    A sampler for the Pipeline of imbalanced-learn, which calls it in `fit` alone: predictions and
    scores are those of the images as they are. It takes images and files as well as rows. Nothing
    is drawn: the images of a class are repeated equally often, or once more, evenly spread.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes are repeated, and how often.

        - a number, for two classes: images of the rare one by images of the other, afterwards.
        - "auto", "not majority" or "all": every class comes to the size of the largest.
        - "minority": the smallest class alone does. "not minority": all but the smallest do.
        - a dict: the number of images that each class named is to have.
        - a callable, which takes the labels and returns such a dict.

    minority_augmentation : bool, default=False
        Mark the copies, so that an ImageAugmenter that follows changes them alone and leaves the
        images that were there as they are. What comes out is then lazy images.

    image_shape : tuple (height, width) or (height, width, channels), default=None
        Shape of one image where X holds rows of pixels. None takes rows for square grey images if
        their number of pixels is a square number, else for images one pixel high.

    Attributes
    ----------
    sampling_strategy_ : dict
        How many copies are added to each class. For one-hot labels a class is its column.
    sample_indices_ : ndarray of shape (n_new,)
        The image of X that each one of the result is: all in their order, then the copies.
    n_features_in_ : int
        1 if X holds files, else numbers per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a DataFrame.

    See Also
    --------
    ImageAugmenter : Follows, to make the copies differ.
    imblearn.over_sampling.RandomOverSampler : Repeats rows at random.
    skimgcls.inspection.class_distribution : Tells how many images each class has.

    Notes
    -----
    Copies of files are paths written down again: no file is copied, opened or decoded. Copies of
    pixels take memory, with lazy images of an array too.

    Sample weights are not repeated. Pass none to a Pipeline that holds a sampler; classifiers have
    `class_weight`, which needs no copies.

    A classifier with ``early_stopping=True`` parts off its validation images after the sampler, so
    that copies of one image may be on both sides, and its validation scores are too good.

    An ImageLoader belongs before the sampler where files may be missing (``on_error="blank"``).
    With `minority_augmentation` the names of pixel columns are not handed on: pass
    ``frame.to_numpy()``, or the prediction warns of names that were not there in `fit`.

    Examples
    --------
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import CNNImageClassifier
    >>> from skimgcls.preprocessing import ImageAugmenter, ImageOverSampler
    >>> digits = load_digits()
    >>> images, y = digits.images, digits.target == 8
    >>> images_res, y_res = ImageOverSampler().fit_resample(images, y)
    >>> int(y.sum()), int(y_res.sum()), images_res.shape
    (174, 1623, (3246, 8, 8))
    >>> pipe = make_pipeline(
    ...     ImageOverSampler(0.5, minority_augmentation=True),
    ...     ImageAugmenter(rotation=10, shift=0.1),
    ...     CNNImageClassifier(max_iter=2, random_state=0),
    ... )
    >>> pipe.fit(images[:1000], y[:1000]).predict(images[1000:]).shape
    (797,)
    """

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        "minority_augmentation": ["boolean"],
        "image_shape": [tuple, list, None],
    }

    def __init__(
        self,
        sampling_strategy="auto",
        *,
        minority_augmentation=False,
        image_shape=None,
    ):
        super().__init__(sampling_strategy=sampling_strategy)
        self.minority_augmentation = minority_augmentation
        self.image_shape = image_shape

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Count the classes, and find how many copies each of them needs.

        `fit_resample` does this and makes the copies.

        Parameters
        ----------
        X : array-like of images, or of files
            As `fit_resample` takes them.
        y : array-like of shape (n,) or (n, n_classes)
            Labels, or one-hot labels.

        Returns
        -------
        self : object
            The fitted sampler.
        """
        labels = _check_labels(self._check_images(X), y)
        self._count_copies(labels)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X, y):
        """Return all images with copies of those of rare classes after them.

        Parameters
        ----------
        X : array-like of images, or of files
            (n, pixels), (n, height, width) or (n, height, width, channels); one path an image, or
            what a file holds; or what an earlier transformer gave.
        y : array-like of shape (n,) or (n, n_classes)
            Labels, or one-hot labels.

        Returns
        -------
        X_resampled : of the type of X, or lazy images
            Rows of a DataFrame or Series are numbered anew. Lazy images if X is such, or with
            `minority_augmentation`.
        y_resampled : of the type of y
            The label of each image.

        Raises
        ------
        ValueError
            If X holds no images, if y has several labels for an image, none, or one class only; or
            if copies are to be marked behind an ImageAugmenter.
        """
        return self._fit_resample(self._check_images(X), y)

    def _fit_resample(self, X, y):
        labels = _check_labels(X, y)
        self._count_copies(labels)
        copies = [
            _spread(np.flatnonzero(labels == label), n_copies)
            for label, n_copies in self.sampling_strategy_.items()
        ]
        self.sample_indices_ = np.concatenate([np.arange(len(labels)), *copies])
        X_resampled = _take(X, self.sample_indices_)
        if self.minority_augmentation:
            X_resampled = _mark_copies(X_resampled, len(labels))
        return X_resampled, _take(y, self.sample_indices_)

    def _count_copies(self, labels):
        strategy = check_sampling_strategy(self.sampling_strategy, labels, "over-sampling")
        # Plain labels as keys, not NumPy's, so that any format can hold them.
        self.sampling_strategy_ = {
            np.asarray(label).item(): n_copies for label, n_copies in strategy.items()
        }

    def _check_images(self, X):
        """Return X in a form whose images can be repeated: lazy if the copies are to be marked."""
        check_feature_names(self, X, reset=True)
        name = type(self).__name__
        if find_items(X) is not None:
            self.n_features_in_ = 1
            return as_pixels(X, name) if self.minority_augmentation else X
        if _is_sparse(X) and not self.minority_augmentation:
            rows = check_array(X, accept_sparse=["csr", "csc"], estimator=name, input_name="X")
            self.n_features_in_ = rows.shape[1]
            return rows if issparse(X) else X
        pixels = as_pixels(X, name)
        if isinstance(pixels, LazyImages):
            if self.minority_augmentation:
                _refuse_random_steps(pixels)
            self.n_features_in_ = 1 if is_unread(pixels) else int(np.prod(pixels.image_shape))
            return pixels
        images = check_images(pixels, image_shape=self.image_shape, estimator_name=name)
        self.n_features_in_ = int(np.prod(images.shape[1:]))
        return LazyImages(images, ndim=pixels.ndim) if self.minority_augmentation else X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Lazy images, which marks need, are dense.
        tags.input_tags.sparse = not self.minority_augmentation
        tags.sampler_tags.sample_indices = True
        return tags


def _check_labels(X, y):
    """Return one label for each image, of one-hot ones the column; or raise."""
    check_classification_targets(y)
    # Asked for its shape, X would look into files.
    check_consistent_length(range(len(X)) if isinstance(X, LazyImages) else X, y)
    if type_of_target(y) != "multilabel-indicator":
        return column_or_1d(y)
    indicator = y.toarray() if issparse(y) else np.asarray(y)
    n_labels = np.count_nonzero(indicator, axis=1)
    bad = np.flatnonzero(n_labels != 1)
    if len(bad) > 0:
        raise ValueError(
            f"y has several columns, and row {bad[0]} marks {n_labels[bad[0]]} of them: expected "
            "one-hot labels, one for each image. Multilabel and multioutput targets are not "
            "supported, since an image that is repeated for one label is repeated for all."
        )
    return indicator.argmax(axis=1)


def _refuse_random_steps(images):
    if images.is_random:
        raise ValueError(
            "X comes from an ImageAugmenter, which changes all images already. With "
            "minority_augmentation=True, put ImageAugmenter after ImageOverSampler."
        )


def _mark_copies(images, n_originals):
    """Return lazy images of which random steps change the copies, and what they changed before."""
    marks = np.zeros(len(images), bool) if images.marks is None else images.marks.copy()
    marks[n_originals:] = True
    return replace(images, marks=marks)


def _take(X, rows):
    """Return some rows of X, in its own type."""
    if isinstance(X, LazyImages):
        return X[rows]
    if hasattr(X, "iloc"):
        return X.iloc[rows].reset_index(drop=True)
    if isinstance(X, list | tuple):
        return [X[row] for row in rows]
    return (X if hasattr(X, "shape") else np.asarray(X))[rows]


def _spread(rows, n):
    """Return `n` of these rows, each equally often or once more than others, in their order."""
    return rows[np.arange(n) * len(rows) // n] if n > 0 else rows[:0]


def _is_sparse(X):
    """Tell whether X is a sparse matrix, or a DataFrame of sparse columns."""
    return issparse(X) or (hasattr(X, "columns") and hasattr(X, "sparse"))
