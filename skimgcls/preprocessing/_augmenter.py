"""Training images that are never twice the same."""

from dataclasses import dataclass, fields
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skimgcls._augmentation._policy import AugmentationPolicy, apply_policy, draw_policy
from skimgcls._images._lazy_images import LazyImages, as_lazy, draw_views
from skimgcls.preprocessing._base import BaseImageTransformer
from skimgcls.utils._random import draw_seed
from skimgcls.utils._sklearn_compat import Interval, StrOptions

# What a flip happens with, if it is just asked for.
_EVEN_ODDS = 0.5


@dataclass(frozen=True, eq=False)
class _Augment:
    """One draw for each image of a batch."""

    policy: AugmentationPolicy
    black: np.ndarray
    white: np.ndarray

    is_random = True

    def output_shape(self, image_shape):
        return image_shape

    def __call__(self, batch, generator):
        n, channels, height, width = batch.shape
        draws = draw_policy(self.policy, n, (height, width, channels), generator)
        black, white = torch.from_numpy(self.black), torch.from_numpy(self.white)
        return apply_policy(batch, draws, self.policy, black, white)


class ImageAugmenter(BaseImageTransformer):
    """Change training images at random, anew in every epoch.

    In a Pipeline before a classifier of skimgcls. `transform` changes no pixel: it hands on the
    images with what may happen to them, and the classifier does it to each batch while it trains.
    Validation and prediction see the images as they are. All is off by default.

    Parameters
    ----------
    horizontal_flip, vertical_flip : bool or float, default=False
        Probability that left and right, or top and bottom, change sides; True is 0.5.

    rotation : float, default=0
        Degrees; the angle is uniform in [-rotation, rotation].

    zoom : float, default=0
        The scale factor is uniform in [1 - zoom, 1 + zoom].

    shift : float, default=0
        Share of the height, and of the width, that the image is moved by, uniform in
        [-shift, shift]. Without rotation, zoom and shear it is rounded to whole pixels.

    shear : float, default=0
        Degrees by which the vertical axis leans, uniform in [-shear, shear].

    crop_padding : int, default=0
        Pixels added on each side, before a piece of the image's size is cut out at random.

    brightness, contrast, saturation : float, default=0
        The factor is uniform in [1 - value, 1 + value], but not negative. Zero would be a black
        image, its mean grey, and its grey picture. Saturation concerns images of three channels.

    erasing : bool or float, default=0
        Probability that a rectangle of 2 to 33 % of the image becomes black (DeVries and Taylor,
        "Cutout", 2017; Zhong et al., "Random Erasing", 2020); True is 0.5.

    padding_mode : {"reflect", "edge", "constant"}, default="reflect"
        What appears from beyond the border: the image mirrored, its outermost pixels, or black.

    image_shape : tuple (height, width) or (height, width, channels), default=None
        Shape of one image where X holds rows of pixels. None takes rows for square grey images if
        their number of pixels is a square number, else for images one pixel high.

    Attributes
    ----------
    black_, white_ : ndarray of shape (channels,)
        What black and white are: for bytes 0 and 255, for other numbers the least and the greatest
        value of each channel in `fit`.
    image_shape_ : tuple (height, width, channels)
    n_features_in_ : int
        Numbers per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a DataFrame of pixels.

    See Also
    --------
    skimgcls.CNNImageClassifier : Has `mixup` and `cutmix`, which mix images and labels.

    Notes
    -----
    The classifier draws, from its own `random_state`: once for each image and epoch. Flips, zoom,
    shear, rotation and shift are one step, in this order, with one interpolation.

    What follows must be a classifier or a transformer of skimgcls. To others the images come as
    they are, with a warning.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from skimgcls import CNNImageClassifier
    >>> from skimgcls.preprocessing import ImageAugmenter
    >>> X, y = load_digits(return_X_y=True)
    >>> augmenter = ImageAugmenter(rotation=10, shift=0.1)
    >>> pipe = make_pipeline(augmenter, CNNImageClassifier(max_iter=15, random_state=0))
    >>> pipe.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    >>> augmenter.fit(X).sample(X[:2], n_views=4, random_state=0).shape
    (2, 4, 8, 8, 1)
    """

    _parameter_constraints: dict = {
        "horizontal_flip": ["boolean", Interval(Real, 0, 1, closed="both")],
        "vertical_flip": ["boolean", Interval(Real, 0, 1, closed="both")],
        "rotation": [Interval(Real, 0, 180, closed="both")],
        "zoom": [Interval(Real, 0, 1, closed="left")],
        "shift": [Interval(Real, 0, 1, closed="both")],
        "shear": [Interval(Real, 0, 90, closed="left")],
        "crop_padding": [Interval(Integral, 0, None, closed="left")],
        "brightness": [Interval(Real, 0, None, closed="left")],
        "contrast": [Interval(Real, 0, None, closed="left")],
        "saturation": [Interval(Real, 0, None, closed="left")],
        "erasing": ["boolean", Interval(Real, 0, 1, closed="both")],
        "padding_mode": [StrOptions({"reflect", "edge", "constant"})],
        "image_shape": [tuple, list, None],
    }

    def __init__(
        self,
        *,
        horizontal_flip=False,
        vertical_flip=False,
        rotation=0,
        zoom=0,
        shift=0,
        shear=0,
        crop_padding=0,
        brightness=0,
        contrast=0,
        saturation=0,
        erasing=0,
        padding_mode="reflect",
        image_shape=None,
    ):
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rotation = rotation
        self.zoom = zoom
        self.shift = shift
        self.shear = shear
        self.crop_padding = crop_padding
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.erasing = erasing
        self.padding_mode = padding_mode
        self.image_shape = image_shape

    def transform(self, X):
        """Hand on images with what may happen to them in training.

        Parameters
        ----------
        X : array-like of images, or of files
            Images as `fit` takes them.

        Returns
        -------
        X_new : lazy images
            Indexed like an array. An array made of them holds the images as they are.
        """
        check_is_fitted(self)
        images, ndim = self._check_images(X, reset=False)
        if not isinstance(images, LazyImages):
            images = LazyImages(images, ndim=ndim)
        step = self._make_step(self.image_shape_)
        return images.then(step) if step.policy != AugmentationPolicy() else images

    def sample(self, X, n_views=8, *, random_state=None):
        """Show what a training may see.

        Parameters
        ----------
        X : array-like of images, or of files
            A few images.
        n_views : int, default=8
            How often to draw for each of them.
        random_state : int, RandomState instance or None, default=None
            Equal seeds give equal views.

        Returns
        -------
        views : ndarray of shape (n, n_views, height, width, channels)
            Bytes for bytes, else floats.
        """
        generator = torch.Generator().manual_seed(draw_seed(random_state))
        return draw_views(as_lazy(self.transform(X)), n_views, generator)

    def _learn(self, images):
        black, white = _ends_of(images)
        self.black_, self.white_ = black, np.where(white == black, black + 1, white)

    def _make_step(self, image_shape):
        settings = {field.name: getattr(self, field.name) for field in fields(AugmentationPolicy)}
        for name in ("horizontal_flip", "vertical_flip", "erasing"):
            settings[name] = _EVEN_ODDS if settings[name] is True else float(settings[name])
        return _Augment(AugmentationPolicy(**settings), self.black_, self.white_)


def _ends_of(images):
    """Return what black and white are in these images, for each channel, in float64.

    Of files after a normalisation it is looked up as well, although it could be computed: it is to
    be what it is for an array of the same pixels.
    """
    lazy = as_lazy(images)
    if lazy.dtype == np.uint8:
        channels = lazy.image_shape[2]
        return np.zeros(channels), np.full(channels, 255.0)
    parts = lazy.evaluated(lazy.blocks())
    ends = [(part.min(axis=(0, 1, 2)), part.max(axis=(0, 1, 2))) for part in parts]
    low, high = (np.array(side, float) for side in zip(*ends, strict=True))
    return low.min(axis=0), high.max(axis=0)
