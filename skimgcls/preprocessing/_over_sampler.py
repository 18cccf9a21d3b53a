"""Over-sampling of image datasets."""

from dataclasses import replace

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skimgcls._images._containers import unpack_container
from skimgcls._images._image_files import find_items
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._validation import check_images
from skimgcls.preprocessing._resizer import is_unread
from skimgcls.utils._labels import plain_labels
from skimgcls.utils._sklearn_compat import check_feature_names, fit_context

try:
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.utils import check_sampling_strategy
except ModuleNotFoundError as error:
    raise ImportError(
        "ImageOverSampler needs imbalanced-learn: pip install skimgcls[imbalance]"
    ) from error


class ImageOverSampler(BaseOverSampler):
    """Over-sample minority classes by repeating images.

    Use it in a Pipeline of imbalanced-learn, which resamples only in `fit`, not in `predict` or
    `score`. It accepts images, files and rows. Resampling is not random: the numbers of copies of
    any two images of a class differ by at most 1.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes to over-sample, and to which size.

        - float, for two classes: ratio of minority to majority images after resampling.
        - "auto", "not majority" or "all": over-sample all classes to the size of the largest.
        - "minority": only the smallest class. "not minority": all but the smallest class.
        - dict: number of images after resampling for each class in the dict.
        - callable: takes `y` and returns such a dict.

    minority_augmentation : bool, default=False
        If True, a following ImageAugmenter only augments the copies and leaves the original images
        unchanged. The output is then lazy images.

    image_shape : tuple (height, width) or (height, width, n_channels), default=None
        Shape of one image if X has shape (n_samples, n_features). If None, rows are square
        grayscale images if `n_features` is a square number, else images of height 1.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of copies added to each class. For one-hot labels the keys are column indices.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Indices in X of the resampled images: all original images in order, then the copies.
    n_features_in_ : int
        1 if X holds files, else the number of values per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X is a DataFrame.

    See Also
    --------
    ImageAugmenter : Augments the copies.
    imblearn.over_sampling.RandomOverSampler : Repeats rows at random.
    skimgcls.inspection.class_distribution : Counts the images of each class.

    Notes
    -----
    For files, only the paths are repeated; no file is copied, opened or decoded. Copies of pixels
    take memory, also for lazy images of an array.

    Sample weights are not resampled. Do not pass them to a Pipeline with a sampler; `class_weight`
    of the classifiers needs no copies.

    A classifier with ``early_stopping=True`` splits off its validation images after the sampler.
    Copies of an image may then be in both parts, and the validation scores are too optimistic.

    If files may be missing, put an ImageLoader with ``on_error="blank"`` before the sampler. With
    `minority_augmentation` the names of pixel columns are dropped. Pass ``frame.to_numpy()``, or
    `predict` warns about feature names that were not seen in `fit`.

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
        """Compute the number of copies for each class.

        `fit_resample` also makes the copies.

        Parameters
        ----------
        X : array-like of images, or of files
            Images in any format that `fit_resample` accepts.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels, or one-hot labels.

        Returns
        -------
        self : object
            The fitted sampler.
        """
        labels = _check_labels(self._check_images(unpack_container(X)), y)
        self._count_copies(labels)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X, y):
        """Resample the dataset: all images, followed by copies of minority classes.

        Parameters
        ----------
        X : array-like of images, or of files
            Array of shape (n_samples, n_features), (n_samples, height, width) or
            (n_samples, height, width, n_channels), one path or file content per image, or the
            output of another image transformer.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels, or one-hot labels.

        Returns
        -------
        X_resampled : same type as X, or lazy images
            Resampled images. The index of a DataFrame or Series is reset. Lazy images if X is lazy
            or `minority_augmentation` is True.
        y_resampled : same type as y
            Labels of the resampled images.

        Raises
        ------
        ValueError
            If X holds no images; if y has only one class, or rows with no label or with several; or
            if `minority_augmentation` is True and X was transformed by an ImageAugmenter.
        """
        return self._fit_resample(self._check_images(unpack_container(X)), y)

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
        # Use Python scalars as keys, which any format can serialize.
        self.sampling_strategy_ = {
            np.asarray(label).item(): n_copies for label, n_copies in strategy.items()
        }

    def _check_images(self, X):
        """Return X in a format that can be indexed; lazy with `minority_augmentation`."""
        check_feature_names(self, X, reset=True)
        name = type(self).__name__
        items = find_items(X)
        if items is not None and not self.minority_augmentation:
            self.n_features_in_ = 1
            return X
        if _is_sparse(X) and not self.minority_augmentation:
            rows = check_array(X, accept_sparse=["csr", "csc"], estimator=name, input_name="X")
            self.n_features_in_ = rows.shape[1]
            return rows if issparse(X) else X
        # The shape is that of rows; files may differ in size.
        may_be_rows = items is None and not isinstance(X, LazyImages)
        images = check_images(
            X if items is None else items,
            image_shape=self.image_shape if may_be_rows else None,
            estimator_name=name,
        ).images
        if self.minority_augmentation:
            _refuse_random_steps(images)
        self.n_features_in_ = 1 if is_unread(images) else int(np.prod(images.image_shape))
        return images if self.minority_augmentation else X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Marking copies needs lazy images, which are dense.
        tags.input_tags.sparse = not self.minority_augmentation
        tags.sampler_tags.sample_indices = True
        return tags


def _check_labels(X, y):
    """Check y and return one label per image; for one-hot labels, the column index."""
    y = plain_labels(y)
    check_classification_targets(y)
    # The `shape` of lazy images would open files, and a sparse matrix has no length.
    check_consistent_length(range(X.shape[0] if issparse(X) else len(X)), y)
    if type_of_target(y) != "multilabel-indicator":
        return column_or_1d(y)
    indicator = y.toarray() if issparse(y) else np.asarray(y)
    n_labels = np.count_nonzero(indicator, axis=1)
    bad = np.flatnonzero(n_labels != 1)
    if len(bad) > 0:
        raise ValueError(
            f"y has several columns, and row {bad[0]} marks {n_labels[bad[0]]} of them: expected "
            "one-hot labels, with one label per image. Multilabel and multioutput targets are not "
            "supported, since repeating an image repeats all its labels."
        )
    return indicator.argmax(axis=1)


def _refuse_random_steps(images):
    if images.is_random:
        raise ValueError(
            "X is the output of an ImageAugmenter, which augments all images. With "
            "minority_augmentation=True, put ImageAugmenter after ImageOverSampler."
        )


def _mark_copies(images, n_originals):
    """Mark the copies, in addition to existing marks; random steps only change marked images."""
    marks = np.zeros(len(images), bool) if images.marks is None else images.marks.copy()
    marks[n_originals:] = True
    return replace(images, marks=marks)


def _take(X, rows):
    """Return rows of X, with the type of X."""
    if hasattr(X, "iloc"):
        return X.iloc[rows].reset_index(drop=True)
    if isinstance(X, list | tuple):
        return [X[row] for row in rows]
    # Of the class, since the `shape` of lazy images would open files.
    return (X if hasattr(type(X), "shape") else np.asarray(X))[rows]


def _spread(rows, n):
    """Return `n` of these rows in order, repeated so that their counts differ by at most 1."""
    return rows[np.arange(n) * len(rows) // n] if n > 0 else rows[:0]


def _is_sparse(X):
    """Return whether X is a sparse matrix or a DataFrame of sparse columns."""
    return issparse(X) or (hasattr(X, "columns") and hasattr(X, "sparse"))
