"""Display of augmented images."""

import numpy as np
import torch
from sklearn.pipeline import Pipeline

from skimgcls._images._containers import unpack_container
from skimgcls._images._lazy_images import LazyImages, draw_views
from skimgcls.inspection._plots._drawing import PictureGrid, check_count, import_pyplot
from skimgcls.inspection._plots._pixels import count_images, scale_pictures
from skimgcls.utils._random import draw_seed
from skimgcls.utils._unwrap import find_pipeline


class AugmentationDisplay:
    """Images and random augmentations of each.

    Create a display with :meth:`from_estimator`. Each row shows the original image, followed by
    its augmented views.

    Parameters
    ----------
    pictures : list of list of ndarray of shape (height, width) or (height, width, 3)
        For each image, the original and its augmented views, as uint8 or as floats from 0 to 1.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the images.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    images_ : list of list of matplotlib AxesImage
        The images drawn, by row.

    See Also
    --------
    skimgcls.preprocessing.ImageAugmenter : Random augmentation of images.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skimgcls import ImageAugmenter, make_shapes
    >>> from skimgcls.inspection import AugmentationDisplay
    >>> X, y = make_shapes(10, random_state=0)
    >>> augmenter = ImageAugmenter(rotation=30, horizontal_flip=True).fit(X)
    >>> display = AugmentationDisplay.from_estimator(augmenter, X[:2], n_views=5, random_state=0)
    >>> [len(row) for row in display.images_]
    [6, 6]
    >>> plt.close(display.figure_)
    """

    def __init__(self, pictures):
        self.pictures = pictures

    @classmethod
    def from_estimator(cls, estimator, X, *, n_views=8, random_state=None, ax=None):
        """Augment images and plot them.

        Parameters
        ----------
        estimator : ImageAugmenter, Pipeline with one, or search over such a Pipeline
            Fitted estimator. A classifier at the end of the Pipeline is ignored.

        X : array-like of images, or of paths
            A few images.

        n_views : int, default=8
            Number of augmented views per image.

        random_state : int, RandomState instance or None, default=None
            Seed of the augmentation. Pass an int for reproducible views.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        Returns
        -------
        display : AugmentationDisplay

        Raises
        ------
        ValueError
            If X is empty.
        TypeError
            If the estimator applies no random augmentation.
        """
        X = unpack_container(X)
        check_count("n_views", n_views)
        transformer = _transformer_of(estimator)
        if count_images(X) == 0:
            raise ValueError("X holds no image to show.")
        images = transformer.transform(X)
        if not getattr(images, "is_random", False):
            raise TypeError(
                f"{estimator!r} changes no image at random. Expected an ImageAugmenter with at "
                "least one augmentation enabled, or a Pipeline that contains one."
            )
        generator = torch.Generator().manual_seed(draw_seed(random_state))
        views = draw_views(images, n_views, generator)
        plain = next(images.evaluated([np.arange(len(images))]))
        together = np.concatenate([plain[:, np.newaxis].astype(views.dtype), views], axis=1)
        flat = together.reshape(-1, *together.shape[2:])
        pictures = scale_pictures(LazyImages(flat), np.arange(len(flat)))
        n_each = n_views + 1
        return cls([pictures[i : i + n_each] for i in range(0, len(pictures), n_each)]).plot(ax)

    def plot(self, ax=None):
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a new figure that fits the images.

        Returns
        -------
        display : AugmentationDisplay
            The display itself, with `ax_`, `figure_` and `images_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n_each = len(self.pictures[0])
        texts = [
            ["as it is"] if i % n_each == 0 else [] for i in range(n_each * len(self.pictures))
        ]
        grid = PictureGrid(texts, n_each, [one for row in self.pictures for one in row])
        self.ax_ = grid.make_axes(import_pyplot(self), ax)
        self.figure_ = self.ax_.figure
        self.images_ = [
            [grid.draw(self.ax_, row * n_each + i, image) for i, image in enumerate(pictures)]
            for row, pictures in enumerate(self.pictures)
        ]
        for row in range(len(self.pictures)):
            grid.write(self.ax_, row * n_each)
        return self


def _transformer_of(estimator):
    """Return the steps of a Pipeline before its classifier, or the transformer itself."""
    estimator = find_pipeline(estimator)
    if isinstance(estimator, Pipeline) and not hasattr(estimator[-1], "transform"):
        return estimator[:-1]
    return estimator
