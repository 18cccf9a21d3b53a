"""Images of any spelling, as pictures that can be shown."""

import numpy as np

from skimgcls._images._decode import decode
from skimgcls._images._image_files import find_items
from skimgcls._images._lazy_images import as_lazy
from skimgcls._images._validation import check_images, white_of

# Rows whose largest value tells what white is.
_FEWEST = 64


def count_images(X):
    """Return how many images there are in X, of any spelling, and read none of them."""
    items = find_items(X)
    if items is not None:
        return len(items)
    return len(X) if hasattr(X, "__len__") else 0


def take_pictures(X, rows, image_shape=None):
    """Return some images of X as a list of arrays that matplotlib shows as they are.

    Files are decoded one by one, each in its own size, and no other than those asked for.

    Parameters
    ----------
    X : array-like of images or of paths
        In any spelling that a classifier takes.
    rows : ndarray of int
    image_shape : tuple or None
        Shape of one image where X holds rows of pixels.

    Returns
    -------
    pictures : list of ndarray of shape (height, width) or (height, width, 3)
        uint8, or floats from 0 to 1.

    Examples
    --------
    >>> take_pictures(np.array([[0, 4, 8, 16]]), [0])[0]
    array([[0.  , 0.25],
           [0.5 , 1.  ]])
    """
    items = find_items(X)
    if items is not None:
        return [decode(items[row]) for row in rows]
    images = check_images(X, image_shape=image_shape, estimator_name="the display")
    return scale_pictures(images, rows)


def read_images(images, rows=None):
    """Return some images, or all, as an array, without the random changes of training."""
    lazy = as_lazy(images)
    rows = np.arange(len(lazy)) if rows is None else rows
    return np.concatenate(list(lazy.evaluated(lazy.blocks(rows))))


def scale_pictures(images, rows):
    """Return images (n, height, width, channels), of any numbers, as they are to be shown."""
    lazy = as_lazy(images)
    rows = np.asarray(rows, dtype=np.intp)
    pixels = read_images(lazy, rows) if len(rows) else []
    if len(rows) and pixels.dtype != np.uint8:
        # Asked of more than those shown, which may be dark ones all.
        asked = np.union1d(rows, np.linspace(0, len(lazy) - 1, _FEWEST).astype(np.intp))
        pixels = _to_unit(pixels, *_ends_of(lazy, asked))
    return [_as_picture(image) for image in pixels]


def _ends_of(lazy, rows):
    """Return what is black and what is white in these images."""
    blocks = [(block.min(), block.max()) for block in lazy.evaluated(lazy.blocks(rows))]
    darkest, lightest = min(b[0] for b in blocks), max(b[1] for b in blocks)
    white = white_of(lazy, rows)
    # Pixels of no usual range, such as standardised ones or digits up to 16, fill it.
    is_usual = darkest >= 0 and lightest > white / 4
    return (0.0, white) if is_usual else (float(darkest), float(lightest))


def _to_unit(pixels, black, white):
    spread = white - black if white > black else 1.0
    return np.clip((pixels.astype(np.float64) - black) / spread, 0, 1)


def _as_picture(image):
    """Return an image of any number of channels as grey or colour; of many, the first tells."""
    channels = image.shape[2]
    if channels in (3, 4):
        return image[:, :, :3]
    return image[:, :, 0]
