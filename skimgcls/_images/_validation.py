"""Convert any input to lazy images, in one place."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skimgcls._images._containers import unpack_container
from skimgcls._images._image_files import ImageFiles, find_items
from skimgcls._images._lazy_images import ImageShape, LazyImages
from skimgcls._images._pixel_array import is_plain, to_array
from skimgcls.utils._params import is_size

# Axis lengths that are interpreted as color channels.
_COLOR_CHANNELS = (1, 3, 4)
# An array (n, height, width) of at least this many images and rows, whose width is 3 or 4, is
# taken for one color image.
_SMALLEST_PHOTO = 8
# Not a Python float, which NumPy would round to float16 in a comparison.
_LARGEST = np.float64(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class CheckedImages:
    """Checked images, and the format of X.

    Attributes
    ----------
    images : LazyImages
        For an array, the array itself without steps. Their `ndim` is that of X.
    is_lazy : bool
        Whether X held files or lazy images.
    """

    images: LazyImages
    is_lazy: bool

    @property
    def is_rows(self) -> bool:
        """Whether X was an array of flattened images."""
        return self.images.ndim == 2 and not self.is_lazy

    def give_back(self, images: LazyImages) -> LazyImages | np.ndarray:
        """Return transformed images in the format of X: lazy, or an array of its dimensions."""
        return images if self.is_lazy else images.to_array()


def check_images(
    X: Any,
    *,
    image_shape: tuple[int, ...] | None = None,
    fitted_shape: ImageShape | None = None,
    any_spelling: bool = False,
    any_size: bool = False,
    estimator_name: str = "the estimator",
) -> CheckedImages:
    """Return X as lazy images, with the format of X, or raise.

    Pixels are copied only if necessary. Files are not decoded.

    Parameters
    ----------
    X : array-like of numbers, of paths, or lazy images
        (n, pixels), (n, height, width) or (n, height, width, channels); or one path per image.
    image_shape : tuple (height, width) or (height, width, channels), default=None
        The shape of one image, for rows. If None, it is inferred from X: rows are square gray
        images if their number of pixels is a square number, else images of height 1.
    fitted_shape : tuple (height, width, channels), default=None
        The shape the estimator was fitted on. X must have the same shape.
    any_spelling : bool, default=False
        Whether to accept any X with as many values per image as `fitted_shape`. Used if that shape
        was inferred.
    any_size : bool, default=False
        Whether to accept images of another size than `fitted_shape`, with as many channels. Rows
        must still have its number of values.
    estimator_name : str
        Used in messages.

    Examples
    --------
    >>> check_images([[1, 2, 3, 4]]).images.image_shape
    (2, 2, 1)
    >>> check_images([[1, 2, 3, 4]], image_shape=(1, 4)).images.image_shape
    (1, 4, 1)
    >>> check_images(np.zeros((2, 3, 8, 8)))
    Traceback (most recent call last):
    ...
    ValueError: X has shape (2, 3, 8, 8), which looks like channels first. ...
    """
    X = unpack_container(X)
    lazy = _find_lazy(X, estimator_name)
    if lazy is not None:
        images = _check_lazy(lazy, image_shape, fitted_shape, any_size, estimator_name)
        return CheckedImages(images, is_lazy=True)
    pixels = to_array(X, estimator_name)
    if fitted_shape is None:
        shape = _find_shape(pixels, image_shape)
    elif any_size and pixels.ndim > 2:
        shape = _find_shape(pixels, None)
        _check_channels(shape[2], fitted_shape[2], estimator_name)
    else:
        _check_fitted_shape(pixels, fitted_shape, any_spelling, estimator_name)
        shape = fitted_shape
    array = pixels.reshape(len(pixels), *shape)
    _check_finite(array)
    return CheckedImages(LazyImages(array, ndim=pixels.ndim), is_lazy=False)


def check_image_shape(image_shape: Any) -> ImageShape:
    """Return `image_shape` as (height, width, channels), or raise.

    >>> check_image_shape((28, 28))
    (28, 28, 1)
    """
    is_shape = (
        isinstance(image_shape, tuple | list)
        and len(image_shape) in (2, 3)
        and all(is_size(size) for size in image_shape)
    )
    if not is_shape:
        raise ValueError(
            "image_shape must be (height, width) or (height, width, channels), each a positive "
            f"integer; got {image_shape!r}."
        )
    height, width, *channels = (int(size) for size in image_shape)
    return height, width, channels[0] if channels else 1


def _check_lazy(
    images: LazyImages,
    image_shape: tuple[int, ...] | None,
    fitted_shape: ImageShape | None,
    any_size: bool,
    estimator_name: str,
) -> LazyImages:
    """Return lazy images if they have the expected shape, or raise."""
    wanted = fitted_shape
    if wanted is None and image_shape is not None:
        wanted = check_image_shape(image_shape)
    if isinstance(images.source, ImageFiles):
        if wanted is not None and wanted[2] == 1 and not images.steps:
            # Files can be read in color or gray; one channel means gray.
            images = images.of_files(images.source.decoded(mode="L"))
    else:
        _check_finite(images.source)
    if wanted is None:
        return images
    if fitted_shape is not None and any_size:
        _check_channels(images.image_shape[2], fitted_shape[2], estimator_name)
        return images
    found = np.broadcast_to(np.uint8(0), (len(images), *images.image_shape))
    if fitted_shape is not None:
        _check_fitted_shape(found, fitted_shape, False, estimator_name)
    else:
        _match_shape(found, wanted)
    return images


def _check_channels(found: int, expected: int, estimator_name: str) -> None:
    if found != expected:
        raise ValueError(
            f"X has images of {found} channel(s), but {estimator_name} was fitted on images of "
            f"{expected} channel(s). Convert the images, or fit again."
        )


def _find_lazy(X: Any, estimator_name: str) -> LazyImages | None:
    """Return X as lazy images, never empty; None if X does not hold files or lazy images."""
    if is_plain(X):
        return None
    if isinstance(X, LazyImages):
        return _check_some(X, estimator_name)
    items = find_items(X)
    if items is None:
        return None
    return _check_some(LazyImages(ImageFiles.from_items(items)), estimator_name)


def _check_some(images: LazyImages, estimator_name: str) -> LazyImages:
    if len(images) == 0:
        # The same message as in scikit-learn.
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required by {estimator_name}."
        )
    return images


def _find_shape(array: np.ndarray, image_shape: tuple[int, ...] | None) -> ImageShape:
    """Return the (height, width, channels) of the images in `array`."""
    if image_shape is not None:
        return _match_shape(array, check_image_shape(image_shape))
    if array.ndim == 4:
        if array.shape[1] in _COLOR_CHANNELS and array.shape[3] > max(_COLOR_CHANNELS):
            raise _channels_first_error(array.shape)
        return array.shape[1:]
    if array.ndim == 3:
        if array.shape[2] in _COLOR_CHANNELS[1:] and min(array.shape[:2]) >= _SMALLEST_PHOTO:
            raise _single_image_error(array.shape, "X", array.shape[1:])
        return *array.shape[1:], 1
    side = int(np.sqrt(array.shape[1]))
    if side * side == array.shape[1]:
        return side, side, 1
    return 1, array.shape[1], 1


def _match_shape(array: np.ndarray, shape: ImageShape) -> ImageShape:
    """Return `shape` if the images of `array` have it, or raise."""
    if _spells(array.shape, shape) or (array.ndim == 2 and array.shape[1] == np.prod(shape)):
        return shape
    if array.ndim == 2:
        raise ValueError(
            f"image_shape={shape} makes {np.prod(shape)} pixels, but the rows of X hold "
            f"{array.shape[1]}."
        )
    raise ValueError(
        f"image_shape={shape} was asked for, but X has shape {array.shape}: its images have shape "
        f"{array.shape[1:]}. Drop image_shape, or resize the images."
    )


def _spells(shape: tuple[int, ...], image_shape: ImageShape) -> bool:
    """Return whether a 3D or 4D array of `shape` contains images of `image_shape`."""
    return shape[1:] == image_shape or (len(shape) == 3 and (*shape[1:], 1) == image_shape)


def _channels_first_error(shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"X has shape {shape}, which looks like channels first. Expected (n, height, width, "
        "channels): use X.transpose(0, 2, 3, 1), or X.permute(0, 2, 3, 1) for a tensor. If the "
        f"images really are {shape[1]} pixel(s) high, set image_shape={shape[1:]}."
    )


def _single_image_error(
    shape: tuple[int, ...], name: str, gray_shape: tuple[int, ...] | None = None
) -> ValueError:
    otherwise = (
        ""
        if gray_shape is None
        else f" If X holds gray images of this width, set image_shape={gray_shape}."
    )
    return ValueError(
        f"X has shape {shape}: that looks like one image. Expected a batch of images: pass "
        f"{name}[np.newaxis], or a list.{otherwise}"
    )


def _check_fitted_shape(
    array: np.ndarray, fitted_shape: ImageShape, any_spelling: bool, estimator_name: str
) -> None:
    """Raise if the images of `array` do not have the shape the estimator was fitted on."""
    n_features = int(np.prod(fitted_shape))
    n_given = int(np.prod(array.shape[1:]))
    if _spells(array.shape, fitted_shape):
        return
    if n_given == n_features and (array.ndim == 2 or any_spelling):
        return
    if _is_single(array.shape, fitted_shape):
        raise _single_image_error(array.shape, "X")
    if array.ndim == 2:
        # scikit-learn's checks match this message.
        raise ValueError(
            f"X has {n_given} features, but {estimator_name} is expecting {n_features} features as "
            f"input: the pixels of images of shape {fitted_shape}."
        )
    height, width, channels = fitted_shape
    if array.shape[1:] == (channels, height, width):
        raise _channels_first_error(array.shape)
    raise ValueError(
        f"X holds images of shape {array.shape[1:]}, but {estimator_name} was fitted on images of "
        f"shape {fitted_shape} (height, width, channels). Resize or convert them to this shape."
    )


def _is_single(shape: tuple[int, ...], fitted_shape: ImageShape) -> bool:
    """Return whether X looks like one image: of the fitted shape, or of another size in color."""
    if shape == fitted_shape or (*shape, 1) == fitted_shape:
        return True
    is_color = len(shape) == 3 and fitted_shape[2] > 1 and fitted_shape[2] in (shape[0], shape[2])
    return is_color and fitted_shape[1] != shape[2]


def _check_finite(images: np.ndarray) -> None:
    """Raise on NaN, infinity and values too large for float32, naming the first image."""
    # NaN fails every comparison, so these two passes detect it as well.
    if images.dtype.kind != "f" or (images.min() >= -_LARGEST and images.max() <= _LARGEST):
        return
    bad = np.flatnonzero(~(np.abs(images) <= _LARGEST).all(axis=(1, 2, 3)))
    first = images[bad[0]]
    if np.isnan(first).any():
        what = "NaN"
    else:
        what = "infinity" if np.isinf(first).any() else "numbers too large for float32"
    raise ValueError(
        f"Input X contains {what}: {len(bad)} of {len(images)} images do, the first is image "
        f"{bad[0]}. Remove or repair them."
    )
