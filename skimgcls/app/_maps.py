"""A map of where a model looked, laid over what it saw."""

import numpy as np
from matplotlib import colormaps
from PIL import Image

_BYTE = 255.0
# Pixels of the longer side that a map is enlarged to.
_MAP_SIDE = 384


def lay_map_over(picture: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Return a grey copy of a picture, uint8 or from 0 to 1, with a map (0 to 1) over it.

    The result is (height, width, 3) of uint8.
    """
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture.astype(np.float64)
    grey = grey if picture.dtype == np.uint8 else grey * _BYTE
    colours = _BYTE * colormaps["inferno"](strengths)[..., :3]
    # The root fades out later: most maps are small nearly everywhere.
    alpha = 0.8 * np.sqrt(np.clip(strengths, 0, 1))[..., np.newaxis]
    mixed = (1 - alpha) * grey[..., np.newaxis] + alpha * colours
    return mixed.round().clip(0, 255).astype(np.uint8)


def enlarge(picture: np.ndarray, strengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture and its map, small ones some times larger and smooth."""
    height, width = strengths.shape
    times = _MAP_SIDE // max(height, width)
    if times < 2:
        return picture, strengths
    if picture.dtype != np.uint8:
        picture = (picture * _BYTE).round().astype(np.uint8)
    size = (width * times, height * times)
    enlarged = Image.fromarray(np.float32(strengths)).resize(size, Image.Resampling.BILINEAR)
    return (
        np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)),
        np.asarray(enlarged).clip(0, 1),
    )
