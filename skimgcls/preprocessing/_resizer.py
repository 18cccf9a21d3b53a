"""Resize images."""

from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
from PIL import Image
from sklearn.utils.validation import check_is_fitted
from torch.nn import functional

from skimgcls._images._image_files import ImageFiles
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._resize import INTERPOLATIONS, Resize
from skimgcls.preprocessing._base import BaseImageTransformer
from skimgcls.utils._params import check_sizes
from skimgcls.utils._sklearn_compat import Interval, StrOptions

METHODS = ("fit", "crop", "pad")


class ImageResizer(BaseImageTransformer, auto_wrap_output_keys=None):
    """Resize images, with antialiasing when shrinking.

    Parameters
    ----------
    size : int or tuple (height, width), default=(64, 64)
        Size of the output images in pixels; an int gives square images.

    method : {"fit", "crop", "pad"}, default="fit"
        How to handle images of another aspect ratio. "fit" resizes without keeping it, "crop" takes
        the largest center crop of the target aspect ratio, and "pad" adds a `background` border.

    interpolation : {"nearest", "bilinear", "bicubic"}, default="bilinear"
        Interpolation method. "bilinear" and "bicubic" use antialiasing when shrinking.

    background : float or sequence of float, default=0
        Fill value of "pad": one number or one per channel, in the units of the pixels.

    image_shape : tuple (height, width) or (height, width, n_channels), default=None
        Shape of one image if X has shape (n_samples, n_features). If None, rows are square
        grayscale images if `n_features` is a square number, else images of height 1.

    Attributes
    ----------
    image_shape_ : tuple (height, width, n_channels)
        Shape of the training images. `transform` accepts images of any size, but rows must have the
        same length as in `fit`.
    n_features_in_ : int
        Number of values per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X is a DataFrame of pixels.

    See Also
    --------
    ImageLoader : Decodes and resizes files.

    Notes
    -----
    uint8 images are resized by Pillow and stay uint8, so that files and arrays of the same images
    give the same pixels. Other dtypes are resized by torch and become floats. After an ImageLoader
    with ``size=None``, files of any size are resized when they are decoded.

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
        """Return the `Resize` for images with as many channels as the training images."""
        background = np.ravel(np.asarray(self.background, float))
        if not np.isfinite(background).all():
            raise ValueError(f"background must be finite; got {self.background!r}.")
        if len(background) not in (1, self.image_shape_[2]):
            raise ValueError(
                f"background={self.background!r} has {len(background)} numbers, but the images "
                f"have {self.image_shape_[2]} channel(s). Expected one number, or one per channel."
            )
        return make_resize(self.size, self.method, self.interpolation, background.tolist())

    def transform(self, X):
        """Resize images.

        Parameters
        ----------
        X : array-like of images
            Images of any size, with as many channels as the training images.

        Returns
        -------
        X_new : ndarray or lazy images
            Resized images in the format of X; uint8 for uint8 images, else float.
        """
        check_is_fitted(self)
        checked = self._check_images(X, reset=False)
        return checked.give_back(resize_images(checked.images, self._make_resize()))

    def _find_resize(self):
        return self._make_resize()

    def _check_images(self, X, *, reset, check_names=True):
        if not is_unread(X):
            return super()._check_images(X, reset=reset, check_names=check_names)
        # The files may have different sizes: set the new size to check them.
        resize = make_resize(self.size, self.method, self.interpolation, (0,))
        sized = X.of_files(X.source.decoded(resize=resize))
        checked = super()._check_images(sized, reset=reset, check_names=check_names)
        images = checked.images
        return replace(checked, images=images.of_files(images.source.decoded(resize=None)))


def make_resize(size, method, interpolation, background):
    """Check the parameters and return the `Resize`."""
    size = check_sizes("size", size)
    if len(size) > 2:
        raise ValueError(f"size must be an integer or (height, width); got {size!r}.")
    height, width = size if len(size) == 2 else size * 2
    return Resize((height, width), method, interpolation, tuple(background))


def resize_images(images, resize):
    """Return resized images."""
    if images.steps:
        return images.then(_ResizeStep(resize))
    if isinstance(images.source, ImageFiles):
        # Pillow resizes the decoded bytes, after the resize of the decoder if it has one.
        both = replace(resize, before=images.source.decoding.resize)
        return images.of_files(images.source.decoded(resize=both))
    return replace(images, source=_resize_array(images.source, resize))


def _resize_array(images, resize):
    if images.dtype != np.uint8:
        return LazyImages(images, (_ResizeStep(resize),)).to_array()
    resized = np.empty((len(images), *resize.size, images.shape[3]), np.uint8)
    for place, image in zip(resized, images, strict=True):
        _resize_bytes(place, image, resize)
    return resized


def is_unread(X):
    """Return whether X is lazy images of files without resize or other steps."""
    if not isinstance(X, LazyImages) or not isinstance(X.source, ImageFiles):
        return False
    return not X.steps and X.source.decoding.resize is None


def _resize_bytes(place, image, resize):
    """Resize one uint8 image into `place`, in the same way as the file decoder."""
    if image.shape[2] == 3:
        place[:] = resize(Image.fromarray(image))
        return
    colors = resize.background * (image.shape[2] if len(resize.background) == 1 else 1)
    for channel, color in enumerate(colors):
        one = replace(resize, background=(color,))
        place[:, :, channel] = one(Image.fromarray(np.ascontiguousarray(image[:, :, channel])))


@dataclass(frozen=True)
class _ResizeStep:
    """Resize a batch with torch, in the same way as Pillow resizes each image."""

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
