"""Random augmentation of training images."""

from dataclasses import dataclass, fields
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skimgcls._augmentation._policy import AugmentationPolicy, apply_policy, draw_policy
from skimgcls._augmentation._trivial import TrivialAugment
from skimgcls._images._lazy_images import draw_views
from skimgcls.preprocessing._base import BaseImageTransformer
from skimgcls.utils._random import draw_seed
from skimgcls.utils._sklearn_compat import Interval, StrOptions

# Probability of a flip or an erasing that is set to True.
_EVEN_ODDS = 0.5


@dataclass(frozen=True, eq=False)
class _Augment:
    """Augmentation step: one random draw for each image of a batch."""

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


class ImageAugmenter(BaseImageTransformer, auto_wrap_output_keys=None):
    """Randomly augment training images, with new random draws in each epoch.

    Use it in a Pipeline before a classifier of skimgcls. `transform` does not change pixels. It
    returns lazy images with an augmentation step, which the classifier applies to each training
    batch. Augmentation is not applied in validation and prediction. All changes are off by default.

    Parameters
    ----------
    horizontal_flip, vertical_flip : bool or float, default=False
        Probability of flipping the image horizontally or vertically; True is 0.5.

    rotation : float, default=0
        Maximum angle in degrees; the angle is uniform in [-rotation, rotation].

    zoom : float, default=0
        The scale factor is uniform in [1 - zoom, 1 + zoom].

    shift : float, default=0
        Maximum translation as a fraction of the height and of the width; uniform in
        [-shift, shift]. Without rotation, zoom and shear it is rounded to whole pixels.

    shear : float, default=0
        Maximum shear angle of the vertical axis in degrees; uniform in [-shear, shear].

    crop_padding : int, default=0
        Number of pixels to pad on each side before a random crop to the original size.

    brightness, contrast, saturation : float, default=0
        The factor is uniform in [max(0, 1 - value), 1 + value]. A factor of 0 gives a black image
        (brightness), the mean gray (contrast) or the grayscale image (saturation). Saturation only
        affects images with three channels.

    erasing : bool or float, default=0
        Probability of setting a rectangle of 2 to 33 % of the image to black (DeVries and Taylor,
        "Cutout", 2017; Zhong et al., "Random Erasing", 2020); True is 0.5.

    trivial_augment : bool, default=False
        Whether to change each image by one operation of random strength, before the other changes
        (Müller and Hutter, "TrivialAugment", 2021). The operations are those of torchvision's
        ``TrivialAugmentWide``: shear, shift by up to 32 pixels, rotation by up to 135 degrees,
        brightness, saturation, contrast, sharpness, posterize, solarize, autocontrast, equalize,
        and none. It suits photographs, and not digits or signs, which rotation changes. It requires
        images with 1 or 3 channels.

    padding_mode : {"reflect", "edge", "constant"}, default="reflect"
        Fill for areas outside the image: mirrored image, nearest border pixel, or black.

    image_shape : tuple (height, width) or (height, width, n_channels), default=None
        Shape of one image if X has shape (n_samples, n_features). If None, rows are square
        grayscale images if `n_features` is a square number, else images of height 1.

    Attributes
    ----------
    black_, white_ : ndarray of shape (n_channels,)
        Values of black and white: 0 and 255 for uint8 images, else the minimum and maximum of each
        channel in the training images.
    image_shape_ : tuple (height, width, n_channels)
        Shape of the training images.
    n_features_in_ : int
        Number of values per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X is a DataFrame of pixels.

    See Also
    --------
    skimgcls.CNNImageClassifier : Its `mixup` and `cutmix` mix pairs of images and their labels.

    Notes
    -----
    The random draws are seeded by the `random_state` of the classifier. There is one draw per image
    and epoch. Flips, zoom, shear, rotation and shift are applied in this order as one transform,
    with one interpolation.

    The next steps must be transformers or classifiers of skimgcls. Other estimators receive the
    images without augmentation, and a warning is raised.

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
        "trivial_augment": ["boolean"],
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
        trivial_augment=False,
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
        self.trivial_augment = trivial_augment
        self.padding_mode = padding_mode
        self.image_shape = image_shape

    def transform(self, X):
        """Add the augmentation step to the images.

        Parameters
        ----------
        X : array-like of images, or of files
            Images in any format that `fit` accepts.

        Returns
        -------
        X_new : lazy images
            They are indexed like an array. Converted to an array, they are not augmented.
        """
        check_is_fitted(self)
        images = self._check_images(X, reset=False).images
        for step in self._make_steps():
            images = images.then(step)
        return images

    def sample(self, X, n_views=8, *, random_state=None):
        """Return augmented versions of images, as used in training.

        Parameters
        ----------
        X : array-like of images, or of files
            A few images.
        n_views : int, default=8
            Number of augmented versions of each image.
        random_state : int, RandomState instance or None, default=None
            Seed of the augmentation. Pass an int for reproducible views.

        Returns
        -------
        views : ndarray of shape (n_samples, n_views, height, width, n_channels)
            uint8 for uint8 images, else float.
        """
        generator = torch.Generator().manual_seed(draw_seed(random_state))
        return draw_views(self.transform(X), n_views, generator)

    def _learn(self, images):
        n_channels = images.image_shape[2]
        if self.trivial_augment and n_channels not in (1, 3):
            raise ValueError(
                f"trivial_augment=True requires images with 1 or 3 channels; got {n_channels}."
            )
        black, white = _ends_of(images)
        self.black_, self.white_ = black, np.where(white == black, black + 1, white)

    def _make_steps(self):
        """Return the steps of training, in their order; none if all changes are off."""
        settings = {field.name: getattr(self, field.name) for field in fields(AugmentationPolicy)}
        for name in ("horizontal_flip", "vertical_flip", "erasing"):
            settings[name] = _EVEN_ODDS if settings[name] is True else float(settings[name])
        policy = AugmentationPolicy(**settings)
        steps = []
        if self.trivial_augment:
            steps.append(TrivialAugment(self.black_, self.white_))
        if policy != AugmentationPolicy():
            steps.append(_Augment(policy, self.black_, self.white_))
        return steps

    def __setstate__(self, state):
        # Files of earlier versions have no such parameter.
        super().__setstate__({"trivial_augment": False, **state})


def _ends_of(images):
    """Return the values of black and white for each channel, in float64.

    Normalized files are read as well, although the values could be computed: the result must be the
    same as for an array of the same pixels.
    """
    if images.dtype == np.uint8:
        channels = images.image_shape[2]
        return np.zeros(channels), np.full(channels, 255.0)
    parts = images.evaluated(images.blocks(), keep=True)
    ends = [(part.min(axis=(0, 1, 2)), part.max(axis=(0, 1, 2))) for part in parts]
    low, high = (np.array(side, float) for side in zip(*ends, strict=True))
    return low.min(axis=0), high.max(axis=0)
