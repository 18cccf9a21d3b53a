"""Images with what speaks for their class laid over them."""

import numpy as np

from skimgcls.inspection._drawing import PictureGrid, check_choice, import_pyplot
from skimgcls.inspection._grad_cam import explain_by_grad_cam
from skimgcls.inspection._occlusion import explain_by_occlusion
from skimgcls.inspection._pixels import scale_pictures


class SaliencyDisplay:
    """Images, and beside each its grey copy under a map of what speaks for a class.

    Make one with :meth:`from_estimator`, or from pictures and maps at hand.

    Parameters
    ----------
    pictures : list of ndarray of shape (height, width) or (height, width, 3)
        uint8, or floats from 0 to 1.

    maps : ndarray of shape (n, map_height, map_width)
        For each picture, from :func:`grad_cam` or :func:`occlusion`. What is negative speaks
        against the class and is not shown.

    labels : list of str or None, default=None
        The class that each map is for.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the images are.

    figure_ : matplotlib Figure
        The figure that holds them.

    images_ : list of matplotlib AxesImage
        For each picture itself, itself in grey, and its map.

    See Also
    --------
    grad_cam, occlusion : The maps.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skimgcls.inspection import SaliencyDisplay
    >>> pictures = [np.zeros((8, 8), np.uint8)]
    >>> display = SaliencyDisplay(pictures, np.eye(8)[np.newaxis], ["cat"]).plot()
    >>> len(display.images_)
    3
    >>> plt.close(display.figure_)
    """

    def __init__(self, pictures, maps, labels=None):
        self.pictures = pictures
        self.maps = maps
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator, X, target=None, *, method="grad_cam", ax=None):
        """Explain what a classifier says of images and show it.

        Parameters
        ----------
        estimator : classifier, Pipeline that ends in one, or search over it
            Fitted; see :func:`grad_cam` and :func:`occlusion`.

        X : array-like of images, or of paths
            A few images that the estimator predicts. They are shown as the net, or `predict_proba`,
            is given them, since the maps are of that: resized, cut and normalised.

        target : label, or array-like of shape (n,), default=None
            Class to explain. None is the one predicted for each image.

        method : {"grad_cam", "occlusion"}, default="grad_cam"
            Where the last convolution looked, or what is missed where a part is covered.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        Returns
        -------
        display : SaliencyDisplay

        Raises
        ------
        ImportError
            If captum is not installed.
        TypeError
            If ``method="grad_cam"`` and there is no net with convolutions.
        """
        check_choice("method", method, tuple(_METHODS))
        explained = _METHODS[method](estimator, X, target)
        return cls._of(explained, estimator.classes_).plot(ax)

    @classmethod
    def _of(cls, explained, classes):
        """Return the display of maps, not yet plotted."""
        words = [str(label) for label in np.asarray(classes)[explained.codes]]
        pictures = scale_pictures(explained.images, np.arange(len(words)))
        return cls(pictures, explained.maps, words)

    def plot(self, ax=None, *, alpha=0.8):
        """Draw the images and their maps.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure, as large as the images need.

        alpha : float, default=0.8
            How far the map covers the image where it is strongest; it fades out from there.

        Returns
        -------
        display : SaliencyDisplay
            The display itself, with `ax_`, `figure_` and `images_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        grid = self._arrange()
        self.ax_ = grid.make_axes(import_pyplot(self), ax)
        self.figure_ = self.ax_.figure
        self.images_ = []
        for number, (picture, strengths) in enumerate(zip(self.pictures, self.maps, strict=True)):
            shown = np.clip(strengths, 0, None)
            shown = shown / shown.max() if shown.max() > 0 else shown
            # The root fades out later: most maps are small nearly everywhere.
            look = {"cmap": "inferno", "vmin": 0, "vmax": 1, "alpha": alpha * np.sqrt(shown)}
            self.images_ += [
                grid.draw(self.ax_, 2 * number, picture),
                grid.draw(self.ax_, 2 * number + 1, _to_grey(picture)),
                grid.draw(self.ax_, 2 * number + 1, shown, size=picture.shape[:2], **look),
            ]
            grid.write(self.ax_, 2 * number)
        return self

    def _arrange(self):
        """Return where the pictures and their lines of text go."""
        labels = [None] * len(self.pictures) if self.labels is None else self.labels
        texts = [lines for label in labels for lines in ([] if label is None else [label], [])]
        # Pairs stay together.
        n_pairs = max(1, int(np.ceil(np.sqrt(len(self.pictures) / 2))))
        return PictureGrid(texts, 2 * n_pairs, self.pictures)


def _to_grey(picture):
    """Return a picture without colours, which a map would have to compete with."""
    return picture.mean(axis=2).astype(picture.dtype) if picture.ndim == 3 else picture


_METHODS = {"grad_cam": explain_by_grad_cam, "occlusion": explain_by_occlusion}
