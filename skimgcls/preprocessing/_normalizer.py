"""Per-channel scaling of images."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._statistics import channel_statistics
from skimgcls.preprocessing._base import BaseImageTransformer
from skimgcls.utils._sklearn_compat import StrOptions

# Statistics of ImageNet for pixels from 0 to 1, as used for torchvision's weights.
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
_IMAGENET_SCALE = np.array([0.229, 0.224, 0.225])


@dataclass(frozen=True, eq=False)
class _Normalize:
    """Compute (batch - mean) / scale, or its inverse."""

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


class ImageNormalizer(BaseImageTransformer, auto_wrap_output_keys=None):
    """Normalize each channel by subtracting `mean_` and dividing by `scale_`.

    Parameters
    ----------
    statistics : {"standard", "unit", "imagenet"} or tuple (mean, scale), default="standard"
        Mean and scale.

        - "standard": mean and standard deviation of each channel of the training images.
        - "unit": scales pixels to [0, 1]. uint8 images are divided by 255; for other dtypes, the
          minimum and maximum of the training images are mapped to 0 and 1.
        - "imagenet": statistics of the ImageNet training images, as expected by pretrained
          networks. Images must have three channels, and be uint8 or in [0, 1] or [0, 255].
        - tuple (mean, scale): two numbers, or two sequences with one number per channel, in the
          units of the pixels.

    image_shape : tuple (height, width) or (height, width, n_channels), default=None
        Shape of one image if X has shape (n_samples, n_features). If None, rows are square
        grayscale images if `n_features` is a square number, else images of height 1.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_channels,)
        The output is ``(pixels - mean_) / scale_``.
    image_shape_ : tuple (height, width, n_channels)
        Shape of the training images.
    n_features_in_ : int
        Number of values per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X is a DataFrame of pixels.

    See Also
    --------
    ImageAugmenter : Can follow; it learns the values of black and white after normalization.

    Notes
    -----
    Images are converted to float32; float64 is kept. The classifiers of skimgcls already
    standardize inside the network. Use a normalizer for other statistics or other classifiers.

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
                f"statistics={self.statistics!r} does not match the images, which have {channels} "
                "channel(s). Expected one number, or one per channel."
            ) from error

    def _make_step(self, image_shape):
        return _Normalize(self.mean_, self.scale_)

    def inverse_transform(self, X):
        """Undo the normalization.

        Parameters
        ----------
        X : array-like of images
            Normalized images, as returned by `transform`.

        Returns
        -------
        X_original : ndarray or lazy images
            Images as floats, in the format of X.
        """
        check_is_fitted(self)
        checked = self._check_images(X, reset=False, check_names=False)
        step = _Normalize(self.mean_, self.scale_, inverse=True)
        return checked.give_back(checked.images.then(step))


def _standard(images):
    return channel_statistics(images, None, np.arange(len(images)))


def _unit(images):
    low, high = _range_of(images)
    return low, high - low if high > low else 1.0


def _imagenet(images):
    channels = images.image_shape[2]
    if channels != len(_IMAGENET_MEAN):
        raise ValueError(
            f"statistics='imagenet' expects images of 3 channels; got {channels}. Read files with "
            "ImageLoader(mode='RGB'), or repeat the channel."
        )
    low, high = _range_of(images)
    if low < 0 or high > 255:
        raise ValueError(
            "statistics='imagenet' expects uint8, or values from 0 to 1 or from 0 to 255; got "
            f"values from {low:g} to {high:g}."
        )
    white = 255 if high > 1 or images.dtype == np.uint8 else 1
    return _IMAGENET_MEAN * white, _IMAGENET_SCALE * white


def _range_of(images):
    """Return the minimum and maximum of the pixels; for uint8, 0 and 255."""
    if images.dtype == np.uint8:
        return 0.0, 255.0
    ranges = [(block.min(), block.max()) for block in images.evaluated(images.blocks(), keep=True)]
    return float(min(low for low, _ in ranges)), float(max(high for _, high in ranges))


def _check_statistics(statistics):
    try:
        mean, scale = (np.asarray(figures, float) for figures in statistics)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "statistics must be 'standard', 'unit', 'imagenet' or (mean, scale), each one number "
            f"or one per channel; got {statistics!r}."
        ) from error
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError(f"statistics must be finite with a positive scale; got {statistics!r}.")
    return mean, scale
