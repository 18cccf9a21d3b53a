"""Display of saliency maps over images."""

import numpy as np

from skimgcls._images._lazy_images import LazyImages
from skimgcls.inspection._explanations._grad_cam import explain_by_grad_cam
from skimgcls.inspection._explanations._occlusion import explain_by_occlusion
from skimgcls.inspection._plots._drawing import PictureGrid, check_choice, import_pyplot
from skimgcls.inspection._plots._pixels import scale_pictures


class SaliencyDisplay:
    """Images next to their saliency maps, drawn over gray copies of the images.

    Create a display with :meth:`from_estimator`, or pass images and maps directly.

    Parameters
    ----------
    pictures : list of ndarray of shape (height, width) or (height, width, 3)
        Images as uint8 or as floats from 0 to 1.

    maps : ndarray of shape (n_samples, map_height, map_width)
        Saliency maps from :func:`grad_cam` or :func:`occlusion`. Negative values, which are
        evidence against the class, are not shown.

    labels : list of str or None, default=None
        Class that each map explains.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the images.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    images_ : list of matplotlib AxesImage
        For each image: the image, its gray copy, and its map.

    See Also
    --------
    grad_cam, occlusion : Compute the maps.

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
        """Compute saliency maps of images and plot them.

        Parameters
        ----------
        estimator : classifier, Pipeline that ends in one, or search over it
            Fitted classifier; see :func:`grad_cam` and :func:`occlusion`.

        X : array-like of images, or of paths
            Images in any format that the estimator accepts. They are shown after preprocessing
            (resizing, cropping, normalization), as the network or `predict_proba` receives them.

        target : label, or array-like of shape (n_samples,), default=None
            Class to explain. None is the predicted class of each image.

        method : {"grad_cam", "occlusion"}, default="grad_cam"
            Function that computes the maps.

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
            If ``method="grad_cam"`` and the classifier has no network with convolutions.
        """
        check_choice("method", method, tuple(_METHODS))
        explained = _METHODS[method](estimator, X, target)
        return cls._of(explained, estimator.classes_).plot(ax)

    @classmethod
    def _of(cls, explained, classes):
        """Return the display of saliency maps, without plotting it."""
        words = [str(label) for label in np.asarray(classes)[explained.codes]]
        pictures = scale_pictures(LazyImages(explained.images), np.arange(len(words)))
        return cls(pictures, explained.maps, words)

    def plot(self, ax=None, *, alpha=0.8):
        """Draw the images and their maps.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a new figure that fits the images.

        alpha : float, default=0.8
            Opacity of the map at its maximum. It decreases with the value of the map.

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
            # The square root keeps small values visible: most maps are small nearly everywhere.
            look = {"cmap": "inferno", "vmin": 0, "vmax": 1, "alpha": alpha * np.sqrt(shown)}
            self.images_ += [
                grid.draw(self.ax_, 2 * number, picture),
                grid.draw(self.ax_, 2 * number + 1, _to_gray(picture)),
                grid.draw(self.ax_, 2 * number + 1, shown, size=picture.shape[:2], **look),
            ]
            grid.write(self.ax_, 2 * number)
        return self

    def _arrange(self):
        """Return the layout of the images and their text."""
        labels = [None] * len(self.pictures) if self.labels is None else self.labels
        texts = [lines for label in labels for lines in ([] if label is None else [label], [])]
        # An image and its map stay in one row.
        n_pairs = max(1, int(np.ceil(np.sqrt(len(self.pictures) / 2))))
        return PictureGrid(texts, 2 * n_pairs, self.pictures)


def _to_gray(picture):
    """Return a gray image, so that its colors do not interfere with those of the map."""
    return picture.mean(axis=2).astype(picture.dtype) if picture.ndim == 3 else picture


_METHODS = {"grad_cam": explain_by_grad_cam, "occlusion": explain_by_occlusion}
