"""Display of images with predicted and actual classes."""

import numpy as np
from sklearn.utils import check_random_state

from skimgcls._images._containers import unpack_container
from skimgcls.inspection._plots._drawing import (
    PictureGrid,
    check_choice,
    check_count,
    import_pyplot,
)
from skimgcls.inspection._plots._labels import take_turns
from skimgcls.inspection._plots._pixels import count_images, find_image_shape, take_pictures
from skimgcls.inspection._plots._predictions import Predictions

_ORDERS = ("random", "confident_mistakes", "least_confident", "class")
# Colors that are distinguishable with red-green color blindness; symbol and frame differ too.
_LOOKS = {
    True: {"color": "#1b7837", "linestyle": "-"},
    False: {"color": "#b2182b", "linestyle": (0, (3, 2))},
}


class PredictionDisplay:
    """Images with predicted class, predicted probability and, for mistakes, the actual class.

    Correct predictions have a tick and a solid frame. Mistakes have a cross, a dashed frame and
    the actual class: "pred: cat", "true: dog". Create a display with :meth:`from_estimator` or
    :meth:`from_predictions`.

    Parameters
    ----------
    pictures : list of ndarray of shape (height, width) or (height, width, 3)
        Images as uint8 or as floats from 0 to 1.

    predicted : list of str
        Predicted class of each image; for multilabel targets, all predicted labels.

    confidence : ndarray of shape (n_samples,)
        Predicted probability; for multilabel targets, that of the least confident label.

    actual : list of str or None, default=None
        Actual class of each image.

    indices : ndarray of shape (n_samples,) of int or None, default=None
        Index in `X` of each image.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the images.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    images_ : list of matplotlib AxesImage
        The images drawn; empty if no image matches `order`.

    texts_ : list of matplotlib Text
        The texts drawn.

    See Also
    --------
    ImageGridDisplay : Grid of images with their labels.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import MLPImageClassifier
    >>> from skimgcls.inspection import PredictionDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MLPImageClassifier(max_iter=10, random_state=0).fit(X[:1000], y[:1000])
    >>> display = PredictionDisplay.from_estimator(
    ...     clf, X[1000:], y[1000:], order="confident_mistakes", n_images=8
    ... )
    >>> len(display.images_)
    8
    >>> plt.close(display.figure_)
    """

    def __init__(self, pictures, predicted, confidence, actual=None, indices=None):
        self.pictures = pictures
        self.predicted = predicted
        self.confidence = confidence
        self.actual = actual
        self.indices = indices

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        order="random",
        n_images=16,
        image_shape=None,
        random_state=None,
        ax=None,
        n_columns=None,
    ):
        """Predict images and plot some of them.

        Parameters
        ----------
        estimator : classifier with `predict_proba`, Pipeline that ends in one, or search over it
            Fitted classifier: an image classifier or any scikit-learn classifier.

        X : array-like of images, or of paths
            Images in any format that the estimator accepts.

        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Actual labels, or an indicator matrix.

        order : {"random", "confident_mistakes", "least_confident", "class"}, default="random"
            "random" shows a random selection; "confident_mistakes" only mistakes, the most
            confident first; "least_confident" the predictions with the lowest confidence;
            "class" random images of each predicted class in turn.

        n_images : int, default=16
            Maximum number of images to show.

        image_shape : tuple (height, width) or (height, width, n_channels), default=None
            Shape of one image if the rows of `X` are flattened images. None uses the shape stored
            in the estimator.

        random_state : int, RandomState instance or None, default=None
            Seed of the random selection.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        n_columns : int, default=None
            See :meth:`plot`.

        Returns
        -------
        display : PredictionDisplay

        Raises
        ------
        ValueError
            If `X` is empty, if `y` does not have one known label per image, or if
            ``order="confident_mistakes"`` and `y` is None.
        TypeError
            If the estimator has no `predict_proba`.
        """
        X = unpack_container(X)
        _check_wish(order, n_images, y)
        return cls._choose(
            Predictions.of(estimator, X),
            X,
            y,
            order=order,
            n_images=n_images,
            image_shape=image_shape or find_image_shape(estimator, X),
            random_state=random_state,
        ).plot(ax, n_columns=n_columns)

    @classmethod
    def from_predictions(
        cls,
        X,
        y_proba,
        y=None,
        *,
        classes=None,
        multilabel=False,
        order="random",
        n_images=16,
        image_shape=None,
        random_state=None,
        ax=None,
        n_columns=None,
    ):
        """Plot images with precomputed predictions.

        Parameters
        ----------
        X : array-like of images, or of paths
            Images in any format that a classifier accepts.

        y_proba : array-like of shape (n_samples, n_classes)
            Probabilities, as returned by `predict_proba`.

        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Actual labels, or an indicator matrix.

        classes : array-like of shape (n_classes,), default=None
            Classes in the order of the columns of `y_proba`. None numbers them from 0.

        multilabel : bool, default=False
            Whether the target is multilabel: an image can have several labels, each with its own
            probability.

        order : {"random", "confident_mistakes", "least_confident", "class"}, default="random"
            See :meth:`from_estimator`.

        n_images : int, default=16
            Maximum number of images to show.

        image_shape : tuple (height, width) or (height, width, n_channels), default=None
            Shape of one image if the rows of `X` are flattened images.

        random_state : int, RandomState instance or None, default=None
            Seed of the random selection.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        n_columns : int, default=None
            See :meth:`plot`.

        Returns
        -------
        display : PredictionDisplay
        """
        X = unpack_container(X)
        proba = np.asarray(y_proba, dtype=np.float64)
        if proba.ndim != 2:
            raise ValueError(f"y_proba must have shape (n_samples, n_classes); got {proba.shape}.")
        classes = np.arange(proba.shape[1]) if classes is None else np.asarray(classes)
        if len(classes) != proba.shape[1]:
            raise ValueError(
                f"Got {len(classes)} classes for {proba.shape[1]} columns of y_proba. Pass one "
                "class per column."
            )
        return cls._choose(
            Predictions(classes, proba, multilabel),
            X,
            y,
            order=order,
            n_images=n_images,
            image_shape=image_shape,
            random_state=random_state,
        ).plot(ax, n_columns=n_columns)

    @classmethod
    def _choose(
        cls, predictions, X, y, *, order="random", n_images=16, image_shape=None, random_state=None
    ):
        """Select images and return their display, without plotting it."""
        _check_wish(order, n_images, y)
        n_given = count_images(X)
        if n_given != len(predictions.proba):
            raise ValueError(
                f"Got {len(predictions.proba)} predictions for {n_given} images. Expected one "
                "prediction per image."
            )
        predicted = predictions.words()
        actual = None if y is None else predictions.words_of(y, n_given)
        rows = _pick_rows(predictions, predicted, actual, order, n_images, random_state)
        return cls(
            take_pictures(X, rows, image_shape),
            [predicted[row] for row in rows],
            predictions.confidence()[rows],
            None if actual is None else [actual[row] for row in rows],
            rows,
        )

    def plot(self, ax=None, *, n_columns=None):
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a new figure that fits the images.

        n_columns : int, default=None
            Number of images per row. None chooses a nearly square grid.

        Returns
        -------
        display : PredictionDisplay
            The display itself, with `ax_`, `figure_`, `images_` and `texts_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        grid = self._arrange(n_columns)
        self.ax_ = grid.make_axes(import_pyplot(self), ax)
        self.figure_ = self.ax_.figure
        self.images_ = [grid.draw(self.ax_, i, image) for i, image in enumerate(self.pictures)]
        texts = [self._write(grid, number) for number in range(len(self.pictures))]
        self.texts_ = [text for text in texts if text is not None]
        if not self.pictures:
            self.ax_.text(0.5, 0.5, "No such image", ha="center", va="center")
        return self

    def _arrange(self, n_columns=None):
        """Return the layout of the images and their text."""
        return PictureGrid(
            list(map(self._lines, range(len(self.pictures)))), n_columns, self.pictures
        )

    def _lines(self, number):
        """Return the lines of text of one image."""
        share = f"{self.confidence[number]:.0%}"
        if self.actual is None:
            return [self.predicted[number], share]
        if self._is_right(number):
            return [self.predicted[number], f"✓ {share}"]
        return [f"pred: {self.predicted[number]}", f"✗ {share}", f"true: {self.actual[number]}"]

    def _write(self, grid, number):
        """Write the text of one image and draw its frame."""
        if self.actual is None:
            return grid.write(self.ax_, number)
        look = _LOOKS[self._is_right(number)]
        grid.frame(self.ax_, number, linewidth=1.6, **look)
        return grid.write(self.ax_, number, color=look["color"])

    def _is_right(self, number):
        return self.predicted[number] == self.actual[number]


def _check_wish(order, n_images, y):
    """Raise if `order` or `n_images` is invalid, or if `y` is missing."""
    check_choice("order", order, _ORDERS)
    check_count("n_images", n_images)
    if order == "confident_mistakes" and y is None:
        raise ValueError('order="confident_mistakes" requires the actual labels: pass y.')


def _pick_rows(predictions, predicted, actual, order, n_images, random_state):
    """Return the indices of the images to show."""
    n_given = len(predicted)
    if n_given == 0:
        raise ValueError("X holds no image to show.")
    by_chance = check_random_state(random_state).permutation(n_given)
    if order == "confident_mistakes":
        is_wrong = np.array([p != a for p, a in zip(predicted, actual, strict=True)])
        if predictions.rejected is not None:
            is_wrong &= ~predictions.rejected
        wrong = np.flatnonzero(is_wrong)
        rows = wrong[np.argsort(-predictions.confidence()[wrong], kind="stable")]
    elif order == "least_confident":
        rows = np.argsort(predictions.confidence(), kind="stable")
    elif order == "class":
        _, codes = np.unique(predicted, return_inverse=True)
        rows = by_chance[np.argsort(take_turns(codes[by_chance]), kind="stable")]
    else:
        rows = by_chance
    return rows[:n_images]
