"""Images with what a classifier says of them, and what they are."""

import numpy as np
from sklearn.utils import check_random_state

from skimgcls.inspection._drawing import PictureGrid, check_choice, check_count, import_pyplot
from skimgcls.inspection._fitted import Predictions, find_image_shape
from skimgcls.inspection._labels import take_turns
from skimgcls.inspection._pixels import count_images, take_pictures

_ORDERS = ("random", "confident_mistakes", "least_confident", "class")
# Colours that those see apart who do not see red and green apart; the sign and the frame tell too.
_LOOKS = {
    True: {"color": "#1b7837", "linestyle": "-"},
    False: {"color": "#b2182b", "linestyle": (0, (3, 2))},
}


class PredictionDisplay:
    """Images with the predicted class, its probability, and the actual class where it is another.

    A mistake has a cross, a dashed frame and its actual class; what is right has a tick and a solid
    frame. Make one with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    pictures : list of ndarray of shape (height, width) or (height, width, 3)
        uint8, or floats from 0 to 1.

    predicted : list of str
        Predicted class of each picture; of several labels an image, all of them.

    confidence : ndarray of shape (n,)
        Its probability; of several labels, that of the least sure one.

    actual : list of str or None, default=None
        Actual class of each picture.

    indices : ndarray of shape (n,) of int or None, default=None
        Which image of X each picture is.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the images are.

    figure_ : matplotlib Figure
        The figure that holds them.

    images_ : list of matplotlib AxesImage
        The images drawn; none if no image is of the kind asked for.

    texts_ : list of matplotlib Text
        What is written.

    See Also
    --------
    ImageGridDisplay : Images and their labels.

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
        """Predict images and show some of them.

        Parameters
        ----------
        estimator : classifier with `predict_proba`, Pipeline that ends in one, or search over it
            Fitted; an image classifier or any other of scikit-learn.

        X : array-like of images, or of paths
            What the estimator predicts.

        y : array-like of shape (n,) or (n, n_classes), default=None
            Actual labels, or an indicator.

        order : {"random", "confident_mistakes", "least_confident", "class"}, default="random"
            Some images by chance; mistakes alone, the most confident first; those the classifier is
            least sure of; or, of each predicted class in turn, by chance.

        n_images : int, default=16
            How many to show; fewer if there are fewer.

        image_shape : tuple (height, width) or (height, width, channels), default=None
            Shape of one image where X holds rows of pixels. None asks the estimator.

        random_state : int, RandomState instance or None, default=None
            Seed of what is by chance.

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
            If X holds no image, y not a label for each, or `order` asks for mistakes without y.
        TypeError
            If the estimator has no `predict_proba`.
        """
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
        """Show some images with predictions at hand.

        Parameters
        ----------
        X : array-like of images, or of paths
            See :meth:`from_estimator`.

        y_proba : array-like of shape (n, n_classes)
            Probabilities, as `predict_proba` gives them.

        y : array-like of shape (n,) or (n, n_classes), default=None
            Actual labels, or an indicator.

        classes : array-like of shape (n_classes,), default=None
            The classes, in the order of the columns. None numbers them.

        multilabel : bool, default=False
            Whether an image can have several labels, each of its own probability.

        order, n_images, image_shape, random_state
            See :meth:`from_estimator`.

        ax, n_columns
            See :meth:`plot`.

        Returns
        -------
        display : PredictionDisplay
        """
        proba = np.asarray(y_proba, dtype=np.float64)
        if proba.ndim != 2:
            raise ValueError(f"y_proba must be of shape (n, n_classes); got {proba.shape}.")
        classes = np.arange(proba.shape[1]) if classes is None else np.asarray(classes)
        if len(classes) != proba.shape[1]:
            raise ValueError(f"{len(classes)} classes for {proba.shape[1]} columns of y_proba.")
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
        """Return the display of some images, not yet plotted."""
        _check_wish(order, n_images, y)
        n_given = count_images(X)
        if n_given != len(predictions.proba):
            raise ValueError(f"{len(predictions.proba)} predictions for {n_given} images.")
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
            Where to draw. None makes a new figure, as large as the images need.

        n_columns : int, default=None
            Images in a row. None makes about as many rows as columns.

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
        """Return where the pictures and their lines of text go."""
        return PictureGrid(
            list(map(self._lines, range(len(self.pictures)))), n_columns, self.pictures
        )

    def _lines(self, number):
        """Return what is said of one picture."""
        share = f"{self.confidence[number]:.0%}"
        if self.actual is None:
            return [self.predicted[number], share]
        if self._is_right(number):
            return [self.predicted[number], f"✓ {share}"]
        return [self.predicted[number], f"✗ {share}", f"is {self.actual[number]}"]

    def _write(self, grid, number):
        """Write what is said of one picture and draw its frame."""
        if self.actual is None:
            return grid.write(self.ax_, number)
        look = _LOOKS[self._is_right(number)]
        grid.frame(self.ax_, number, linewidth=1.6, **look)
        return grid.write(self.ax_, number, color=look["color"])

    def _is_right(self, number):
        return self.predicted[number] == self.actual[number]


def _check_wish(order, n_images, y):
    """Raise if what is to be shown cannot be."""
    check_choice("order", order, _ORDERS)
    check_count("n_images", n_images)
    if order == "confident_mistakes" and y is None:
        raise ValueError('order="confident_mistakes" asks for the actual labels: pass y.')


def _pick_rows(predictions, predicted, actual, order, n_images, random_state):
    """Return the positions of the images to show."""
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
