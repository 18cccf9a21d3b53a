"""Conversion of images in any input format to arrays that matplotlib can show."""

import numpy as np
from sklearn.pipeline import Pipeline

from skimgcls._images._decode import decode
from skimgcls._images._image_files import find_items
from skimgcls._images._statistics import white_of
from skimgcls._images._validation import check_images
from skimgcls.utils._unwrap import find_pipeline

# Number of images from which the value range is estimated.
_FEWEST = 64


def count_images(X):
    """Return the number of images in X, in any input format, without reading them."""
    items = find_items(X)
    if items is not None:
        return len(items)
    return len(X) if hasattr(X, "__len__") else 0


def find_image_shape(estimator, X):
    """Return the image shape of the estimator if the rows of X are flattened images, or None."""
    if find_items(X) is not None or np.ndim(X) != 2:
        return None
    estimator = find_pipeline(estimator)
    while isinstance(estimator, Pipeline):
        estimator = find_pipeline(estimator[0])
    return getattr(estimator, "image_shape_", None)


def take_pictures(X, rows, image_shape=None):
    """Return some images of X as a list of arrays that matplotlib can show.

    Only the files selected are decoded, each in its original size.

    Parameters
    ----------
    X : array-like of images or of paths
        In any input format that a classifier accepts.
    rows : ndarray of int
    image_shape : tuple or None
        Shape of one image if the rows of X are flattened images.

    Returns
    -------
    pictures : list of ndarray of shape (height, width) or (height, width, 3)
        Images as uint8 or as floats from 0 to 1.

    Examples
    --------
    >>> take_pictures(np.array([[0, 4, 8, 16]]), [0])[0]
    array([[0.  , 0.25],
           [0.5 , 1.  ]])
    """
    items = find_items(X)
    if items is not None:
        return [decode(items[row]) for row in rows]
    checked = check_images(X, image_shape=image_shape, estimator_name="the display")
    return scale_pictures(checked.images, rows)


def read_images(images, rows=None):
    """Return some or all images as an array, without augmentation."""
    return np.concatenate(list(images.evaluated(images.blocks(rows))))


def scale_pictures(images, rows):
    """Return lazy images, of any value range, ready to be shown."""
    rows = np.asarray(rows, dtype=np.intp)
    pixels = read_images(images, rows) if len(rows) else []
    if len(rows) and pixels.dtype != np.uint8:
        # The range is estimated from more images than those shown, which may all be dark.
        asked = np.union1d(rows, np.linspace(0, len(images) - 1, _FEWEST).astype(np.intp))
        pixels = _to_unit(pixels, *_ends_of(images, asked))
    return [_as_picture(image) for image in pixels]


def _ends_of(images, rows):
    """Return the values of black and white in these images."""
    blocks = [(block.min(), block.max()) for block in images.evaluated(images.blocks(rows))]
    darkest, lightest = min(b[0] for b in blocks), max(b[1] for b in blocks)
    white = white_of(images, rows)
    # Unusual ranges, such as standardized pixels or digits up to 16, use minimum and maximum.
    is_usual = darkest >= 0 and lightest > white / 4
    return (0.0, white) if is_usual else (float(darkest), float(lightest))


def _to_unit(pixels, black, white):
    spread = white - black if white > black else 1.0
    return np.clip((pixels.astype(np.float64) - black) / spread, 0, 1)


def _as_picture(image):
    """Return an image as gray or color: of 2 or more than 4 channels, only the first."""
    channels = image.shape[2]
    if channels in (3, 4):
        return image[:, :, :3]
    return image[:, :, 0]
