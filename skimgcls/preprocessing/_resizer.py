"""Images of one size."""

from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
from PIL import Image
from sklearn.utils.validation import check_is_fitted
from torch.nn import functional

from skimgcls._images._image_files import ImageFiles
from skimgcls._images._lazy_images import LazyImages, apply_in_blocks, float_type
from skimgcls._images._resize import INTERPOLATIONS, Resize
from skimgcls.preprocessing._base import BaseImageTransformer, restore_format
from skimgcls.utils._params import check_sizes
from skimgcls.utils._sklearn_compat import Interval, StrOptions

METHODS = ("fit", "crop", "pad")


class ImageResizer(BaseImageTransformer):
    """Bring images to one size, smoothed where they shrink.

    Parameters
    ----------
    size : int or tuple (height, width), default=(64, 64)
        Size of the images that come out, in pixels; one number is a square.

    method : {"fit", "crop", "pad"}, default="fit"
        What becomes of another shape: "fit" stretches each side on its own, "crop" keeps the
        largest middle part of the right shape, and "pad" keeps all and puts `background` beside it.

    interpolation : {"nearest", "bilinear", "bicubic"}, default="bilinear"
        How pixels are made of pixels. The last two take the mean over as many as fall together when
        an image shrinks (antialiasing).

    background : float or sequence of float, default=0
        What "pad" puts beside an image: one number, or one for each channel, in units of pixels.

    image_shape : tuple (height, width) or (height, width, channels), default=None
        Shape of one image where X holds rows of pixels. None takes rows for square grey images if
        their number of pixels is a square number, else for images one pixel high.

    Attributes
    ----------
    image_shape_ : tuple (height, width, channels)
        Of the images seen in `fit`. `transform` takes images of any size; rows must be as long as
        those of `fit`.
    n_features_in_ : int
        Numbers per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a DataFrame of pixels.

    See Also
    --------
    ImageLoader : Resizes while it decodes.

    Notes
    -----
    Bytes are resized by Pillow and stay bytes, so that files and arrays of the same pictures give
    the same pixels. Other numbers are resized by torch, and become floats. After an ImageLoader
    without a size, files of any size are resized as they are decoded.

    Examples
    --------
    >>> import numpy as np
    >>> from skimgcls.preprocessing import ImageResizer
    >>> images = np.zeros((5, 32, 48, 3), dtype=np.uint8)
    >>> ImageResizer(24).fit_transform(images).shape
    (5, 24, 24, 3)
    """

    _parameter_constraints: dict = {
        "size": ["array-like", Interval(Integral, 1, None, closed="left")],
        "method": [StrOptions(set(METHODS))],
        "interpolation": [StrOptions(set(INTERPOLATIONS))],
        "background": [Real, "array-like"],
        "image_shape": [tuple, list, None],
    }
    _takes_any_size = True

    def __init__(
        self,
        size=(64, 64),
        *,
        method="fit",
        interpolation="bilinear",
        background=0,
        image_shape=None,
    ):
        self.size = size
        self.method = method
        self.interpolation = interpolation
        self.background = background
        self.image_shape = image_shape

    def _learn(self, images):
        self._make_resize()

    def _make_resize(self):
        """Return the way to the size, for images of as many channels as those of `fit`."""
        background = np.ravel(np.asarray(self.background, float))
        if not np.isfinite(background).all():
            raise ValueError(f"background must be finite; got {self.background!r}.")
        if len(background) not in (1, self.image_shape_[2]):
            raise ValueError(
                f"background={self.background!r} has {len(background)} numbers, but the images "
                f"have {self.image_shape_[2]} channel(s). Expected one number, or one each."
            )
        return make_resize(self.size, self.method, self.interpolation, background.tolist())

    def transform(self, X):
        """Resize images.

        Parameters
        ----------
        X : array-like of images
            Images of any size, of as many channels as those of `fit`.

        Returns
        -------
        X_new : ndarray or lazy images
            In the spelling of X; bytes for bytes, else floats.
        """
        check_is_fitted(self)
        images, ndim = self._check_images(X, reset=False)
        return resize_images(images, ndim, self._make_resize())

    def _as_images(self, X, *, reset):
        if isinstance(X, LazyImages) and is_unread(X):
            # Files may still be of any size: they are read in the new one.
            resize = make_resize(self.size, self.method, self.interpolation, (0,))
            sized = X.of_files(X.source.decoded(resize=resize))
            images, ndim = super()._as_images(sized, reset=reset)
            return images.of_files(images.source.decoded(resize=None)), ndim
        return super()._as_images(X, reset=reset)


def make_resize(size, method, interpolation, background):
    """Return the way to a size that these parameters mean, or raise."""
    size = check_sizes("size", size)
    if len(size) > 2:
        raise ValueError(f"size must be an integer or (height, width); got {size!r}.")
    height, width = size if len(size) == 2 else size * 2
    return Resize((height, width), method, interpolation, tuple(background))


def resize_images(images, ndim, resize):
    """Return images, lazy or as an array (n, height, width, channels), in another size."""
    if not isinstance(images, LazyImages):
        return restore_format(_resize_array(images, resize), ndim)
    if images.steps:
        return images.then(_ResizeStep(resize))
    if isinstance(images.source, ImageFiles):
        # Still bytes: Pillow resizes them, and after the decoder has, if it does so too.
        both = replace(resize, before=images.source.decoding.resize)
        return images.of_files(images.source.decoded(resize=both))
    return replace(images, source=_resize_array(images.source, resize))


def _resize_array(images, resize):
    if images.dtype != np.uint8:
        return apply_in_blocks(images, _ResizeStep(resize), float_type(images.dtype))
    resized = np.empty((len(images), *resize.size, images.shape[3]), np.uint8)
    for place, image in zip(resized, images, strict=True):
        _resize_bytes(place, image, resize)
    return resized


def is_unread(images):
    """Tell whether these are files nothing is to be done with yet but to decode them."""
    is_files = isinstance(images.source, ImageFiles)
    return is_files and not images.steps and images.source.decoding.resize is None


def _resize_bytes(place, image, resize):
    """Write one resized image of bytes to its place, as the decoder of files would."""
    if image.shape[2] == 3:
        place[:] = resize(Image.fromarray(image))
        return
    colours = resize.background * (image.shape[2] if len(resize.background) == 1 else 1)
    for channel, colour in enumerate(colours):
        one = replace(resize, background=(colour,))
        place[:, :, channel] = one(Image.fromarray(np.ascontiguousarray(image[:, :, channel])))


@dataclass(frozen=True)
class _ResizeStep:
    """A batch resized by torch, as Pillow would each image."""

    resize: Resize

    is_random = False

    def output_shape(self, image_shape):
        return (*self.resize.size, image_shape[2])

    def __call__(self, batch, generator):
        (top, left, height, width), inner = self.resize.plan(*batch.shape[2:])
        batch = batch[:, :, top : top + height, left : left + width]
        if batch.shape[2:] != inner:
            batch = _interpolate(batch, inner, self.resize.interpolation)
        if inner == self.resize.size:
            return batch
        background = batch.new_tensor(self.resize.background).view(-1, 1, 1)
        whole = batch.new_empty((*batch.shape[:2], *self.resize.size))
        whole[:] = background
        down, right = self.resize.corner(*inner)
        whole[:, :, down : down + inner[0], right : right + inner[1]] = batch
        return whole


def _interpolate(batch, size, interpolation):
    if interpolation == "nearest":
        return functional.interpolate(batch, size, mode="nearest-exact")
    return functional.interpolate(batch, size, mode=interpolation, antialias=True)
