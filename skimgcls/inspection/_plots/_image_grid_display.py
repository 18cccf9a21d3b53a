"""Display of images in a grid."""

import numpy as np
from sklearn.utils import check_random_state

from skimgcls._images._containers import unpack_container
from skimgcls.inspection._plots._drawing import (
    PictureGrid,
    check_choice,
    check_count,
    import_pyplot,
)
from skimgcls.inspection._plots._labels import name_labels, take_turns
from skimgcls.inspection._plots._pixels import count_images, take_pictures


class ImageGridDisplay:
    """Grid of images with their labels.

    Create a display with :meth:`from_images`, or pass a list of arrays directly.

    Parameters
    ----------
    pictures : list of ndarray of shape (height, width) or (height, width, 3)
        Images of any size, as uint8 or as floats from 0 to 1.

    labels : list of str or None, default=None
        Label of each image.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the images.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    images_ : list of matplotlib AxesImage
        The images drawn.

    texts_ : list of matplotlib Text
        The labels drawn; labels too small to be legible are omitted.

    See Also
    --------
    PredictionDisplay : Images with predicted and actual classes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls.inspection import ImageGridDisplay
    >>> digits = load_digits()
    >>> display = ImageGridDisplay.from_images(digits.images, digits.target)
    >>> len(display.images_), display.texts_[3].get_text()
    (16, '3')
    >>> plt.close(display.figure_)
    """

    def __init__(self, pictures, labels=None):
        self.pictures = pictures
        self.labels = labels

    @classmethod
    def from_images(
        cls,
        X,
        y=None,
        *,
        n_images=16,
        order="first",
        image_shape=None,
        random_state=None,
        ax=None,
        n_columns=None,
    ):
        """Select images and plot them.

        Parameters
        ----------
        X : array-like of images, or of paths
            Images in any format that a classifier accepts. Only the files shown are read.

        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Labels, or an indicator matrix.

        n_images : int, default=16
            Maximum number of images to show.

        order : {"first", "random", "class"}, default="first"
            "first" shows the first images, "random" a random selection, and "class" the first image
            of each class, then the second of each, and so on.

        image_shape : tuple (height, width) or (height, width, n_channels), default=None
            Shape of one image if the rows of `X` are flattened images.

        random_state : int, RandomState instance or None, default=None
            Seed of the selection with ``order="random"``.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        n_columns : int, default=None
            See :meth:`plot`.

        Returns
        -------
        display : ImageGridDisplay

        Raises
        ------
        ValueError
            If `X` is empty, or `y` does not have one label per image.
        """
        X = unpack_container(X)
        check_choice("order", order, ("first", "random", "class"))
        check_count("n_images", n_images)
        n_given = count_images(X)
        names = None if y is None else name_labels(y, n_given)
        rows = pick_rows(n_given, names, n_images, order, random_state)
        labels = None if names is None else [names[row] for row in rows]
        return cls(take_pictures(X, rows, image_shape), labels).plot(ax, n_columns=n_columns)

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
        display : ImageGridDisplay
            The display itself, with `ax_`, `figure_`, `images_` and `texts_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        labels = [[]] * len(self.pictures) if self.labels is None else [[x] for x in self.labels]
        grid = PictureGrid(labels, n_columns, self.pictures)
        self.ax_ = grid.make_axes(import_pyplot(self), ax)
        self.figure_ = self.ax_.figure
        self.images_ = [grid.draw(self.ax_, i, image) for i, image in enumerate(self.pictures)]
        texts = (grid.write(self.ax_, i) for i, lines in enumerate(labels) if lines)
        self.texts_ = [text for text in texts if text is not None]
        return self


def pick_rows(n_given, names, n_images, order, random_state):
    """Return the indices of the images to show."""
    if n_given == 0:
        raise ValueError("X holds no image to show.")
    rows = np.arange(n_given)
    if order == "random":
        rows = check_random_state(random_state).permutation(n_given)
    elif order == "class":
        if names is None:
            raise ValueError('order="class" requires labels: pass y.')
        # The first image of each class, then the second of each.
        _, codes = np.unique(names, return_inverse=True)
        rows = np.argsort(take_turns(codes), kind="stable")
    return rows[:n_images]
