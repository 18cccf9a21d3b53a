"""Pixels on a scale that nets and kernels like."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._lazy_images import LazyImages, apply_in_blocks, as_lazy, float_type
from skimgcls._images._statistics import channel_statistics
from skimgcls.preprocessing._base import BaseImageTransformer, restore_format
from skimgcls.utils._sklearn_compat import StrOptions

# Of pixels from 0 to 1, over the training images of ImageNet: those of torchvision's weights.
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
_IMAGENET_SCALE = np.array([0.229, 0.224, 0.225])


@dataclass(frozen=True, eq=False)
class _Normalize:
    """(batch - mean) / scale, or with `inverse` back."""

    mean: np.ndarray
    scale: np.ndarray
    inverse: bool = False

    is_random = False

    def output_shape(self, image_shape):
        return image_shape

    def __call__(self, batch, generator):
        mean, scale = (
            torch.from_numpy(figures).to(batch).view(-1, 1, 1)
            for figures in (self.mean, self.scale)
        )
        return batch * scale + mean if self.inverse else (batch - mean) / scale


class ImageNormalizer(BaseImageTransformer):
    """Shift and scale the pixels of each channel.

    Parameters
    ----------
    statistics : {"standard", "unit", "imagenet"} or tuple (mean, scale), default="standard"
        What is taken off and what is divided by.

        - "standard": mean and standard deviation of each channel over the images of `fit`.
        - "unit": what brings pixels between 0 and 1: bytes are divided by 255; of other numbers,
          the least and the greatest seen in `fit` become 0 and 1.
        - "imagenet": the statistics of ImageNet's training images, which pretrained networks
          expect. Three channels, of bytes, or of numbers from 0 to 1 or from 0 to 255.
        - two numbers, or two sequences of a number for each channel, in the units of the pixels.

    image_shape : tuple (height, width) or (height, width, channels), default=None
        Shape of one image where X holds rows of pixels. None takes rows for square grey images if
        their number of pixels is a square number, else for images one pixel high.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (channels,)
        Pixels become ``(pixels - mean_) / scale_``.
    image_shape_ : tuple (height, width, channels)
    n_features_in_ : int
        Numbers per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a DataFrame of pixels.

    See Also
    --------
    ImageAugmenter : May follow; it knows black and white after a normalisation.

    Notes
    -----
    Bytes become float32, and float64 stays. The classifiers standardize by themselves, in the
    net; a normaliser before them is for other statistics, and for other classifiers.

    Examples
    --------
    >>> import numpy as np
    >>> from skimgcls.preprocessing import ImageNormalizer
    >>> images = np.array([[[0, 255]]], dtype=np.uint8)
    >>> ImageNormalizer("unit").fit_transform(images)
    array([[[0., 1.]]], dtype=float32)
    >>> ImageNormalizer().fit_transform(images)
    array([[[-1.,  1.]]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "statistics": [StrOptions({"standard", "unit", "imagenet"}), tuple, list],
        "image_shape": [tuple, list, None],
    }
    _takes_any_size = True

    def __init__(self, statistics="standard", *, image_shape=None):
        self.statistics = statistics
        self.image_shape = image_shape

    def _learn(self, images):
        channels = self.image_shape_[2]
        if isinstance(self.statistics, str):
            learn = {"standard": _standard, "unit": _unit, "imagenet": _imagenet}
            mean, scale = learn[self.statistics](images)
        else:
            mean, scale = _check_statistics(self.statistics)
        try:
            self.mean_, self.scale_ = (
                np.broadcast_to(np.asarray(figures, float), channels).copy()
                for figures in (mean, scale)
            )
        except ValueError as error:
            raise ValueError(
                f"statistics={self.statistics!r} has not one number a channel: the images have "
                f"{channels} channel(s)."
            ) from error

    def _make_step(self, image_shape):
        return _Normalize(self.mean_, self.scale_)

    def inverse_transform(self, X):
        """Bring normalised images back to the pixels they were made of, as floats.

        Parameters
        ----------
        X : array-like of images
            As `transform` gives them.

        Returns
        -------
        X_original : ndarray or lazy images
            In the spelling of X.
        """
        check_is_fitted(self)
        images, ndim = self._as_images(X, reset=False)
        step = _Normalize(self.mean_, self.scale_, inverse=True)
        if isinstance(images, LazyImages):
            return images.then(step)
        return restore_format(apply_in_blocks(images, step, float_type(images.dtype)), ndim)


def _standard(images):
    return channel_statistics(images, None, np.arange(len(images)))


def _unit(images):
    low, high = _range_of(images)
    return low, high - low if high > low else 1.0


def _imagenet(images):
    channels = as_lazy(images).image_shape[2]
    if channels != len(_IMAGENET_MEAN):
        raise ValueError(
            f"statistics='imagenet' is for images of 3 channels; these have {channels}. Read them "
            "with ImageLoader(mode='RGB'), or repeat the channel."
        )
    low, high = _range_of(images)
    if low < 0 or high > 255:
        raise ValueError(
            "statistics='imagenet' takes bytes, or numbers from 0 to 1 or from 0 to 255; got "
            f"numbers from {low:g} to {high:g}."
        )
    white = 255 if high > 1 or images.dtype == np.uint8 else 1
    return _IMAGENET_MEAN * white, _IMAGENET_SCALE * white


def _range_of(images):
    """Return the least and the greatest number a pixel has; of bytes, that it can have."""
    if images.dtype == np.uint8:
        return 0.0, 255.0
    lazy = as_lazy(images)
    ranges = [(block.min(), block.max()) for block in lazy.evaluated(lazy.blocks())]
    return float(min(low for low, _ in ranges)), float(max(high for _, high in ranges))


def _check_statistics(statistics):
    try:
        mean, scale = (np.asarray(figures, float) for figures in statistics)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "statistics must be 'standard', 'unit', 'imagenet' or (mean, scale), each a number or "
            f"one for each channel; got {statistics!r}."
        ) from error
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError(f"statistics must be finite, and its scale positive; got {statistics!r}.")
    return mean, scale
