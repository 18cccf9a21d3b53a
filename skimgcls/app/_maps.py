"""Overlay a saliency map on an image."""

import numpy as np
from matplotlib import colormaps
from PIL import Image

_BYTE = 255.0
# Longer side in pixels to which a map is enlarged.
_MAP_SIDE = 384


def lay_map_over(picture: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Return a gray copy of an image with a map overlaid, as uint8 (height, width, 3).

    The image is uint8 or has values from 0 to 1. The map has values from 0 to 1.
    """
    gray = picture.mean(axis=2) if picture.ndim == 3 else picture.astype(np.float64)
    gray = gray if picture.dtype == np.uint8 else gray * _BYTE
    colors = _BYTE * colormaps["inferno"](strengths)[..., :3]
    # The square root makes small values visible: most maps are small nearly everywhere.
    alpha = 0.8 * np.sqrt(np.clip(strengths, 0, 1))[..., np.newaxis]
    mixed = (1 - alpha) * gray[..., np.newaxis] + alpha * colors
    return mixed.round().clip(0, 255).astype(np.uint8)


def enlarge(picture: np.ndarray, strengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an image and its map. Small ones are enlarged with smooth interpolation."""
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
