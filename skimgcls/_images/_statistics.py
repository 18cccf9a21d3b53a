"""Pixel statistics."""

import numpy as np

from skimgcls._images._lazy_images import LazyImages

# Number of float64 values per block: 8 MiB, which fit in the cache of a CPU.
_STATISTICS_VALUES = 2**20
# Possible values of white: floats, 8 bits and 16 bits; and the number of images examined.
_WHITES = (1.0, 255.0, 65_535.0)
_N_ASKED = 64


def channel_statistics(
    images: LazyImages, weights: np.ndarray | None, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and standard deviation of each channel over the weighted rows.

    The standard deviation of a constant channel is 1. Each image is read once, in blocks and in
    float64: not all images are copied, and bytes and floats of the same value give the same
    statistics. Blocks are combined as in Chan, Golub and LeVeque, "Updating Formulae and a Pairwise
    Algorithm for Computing Sample Variances" (1979).

    >>> images = LazyImages(np.array([1.0, 3.0]).reshape(2, 1, 1, 1))
    >>> channel_statistics(images, None, np.arange(2))
    (array([2.]), array([1.]))
    """
    weights = np.ones(len(images)) if weights is None else weights
    size = max(1, _STATISTICS_VALUES // int(np.prod(images.image_shape)))
    blocks = [rows[start : start + size] for start in range(0, len(rows), size)]
    total, mean, spread = 0.0, np.zeros(images.image_shape[2]), np.zeros(images.image_shape[2])
    for block, pixels in zip(blocks, images.evaluated(blocks, keep=True), strict=True):
        # Channels first: summing over long rows is ten times faster than summing 3 values.
        by_channel = np.moveaxis(pixels.reshape(len(pixels), -1, pixels.shape[3]), 2, 0)
        values = np.ascontiguousarray(by_channel, dtype=np.float64)
        share = weights[block] / weights[block].sum()
        block_mean = values.mean(axis=2) @ share
        values -= block_mean[:, np.newaxis, np.newaxis]
        block_spread = np.square(values, out=values).mean(axis=2) @ share
        weight = weights[block].sum()
        total += weight
        away = block_mean - mean
        mean += away * (weight / total)
        spread += (block_spread - spread + away**2 * (1 - weight / total)) * (weight / total)
    deviation = np.sqrt(spread)
    # Treat deviations within rounding error as zero.
    is_constant = deviation <= 10 * np.finfo(np.float64).eps * np.abs(mean)
    return mean, np.where(is_constant, 1.0, deviation)


def white_of(images: LazyImages, rows: np.ndarray) -> float:
    """Return the value of a white pixel, inferred from some of the rows: 1, 255 or 65535.

    >>> images = LazyImages(np.array([0.5, 1, 200]).reshape(3, 1, 1, 1))
    >>> white_of(images, np.array([0, 1])), white_of(images, np.arange(3))
    (1.0, 255.0)
    """
    return white_for(_extremes(images, rows)[1])


def range_of(images: LazyImages, rows: np.ndarray) -> tuple[float, float]:
    """Return the values of black and white, inferred from some of the rows.

    Black is 0, and white as in `white_of`. Pixels with negative values are already standardized:
    their range is that of the values found.

    >>> range_of(LazyImages(np.array([0, 200]).reshape(2, 1, 1, 1)), np.arange(2))
    (0.0, 255.0)
    >>> range_of(LazyImages(np.array([-1.0, 0.5]).reshape(2, 1, 1, 1)), np.arange(2))
    (-1.0, 0.5)
    """
    least, largest = _extremes(images, rows)
    return (least, max(largest, 0.0)) if least < 0 else (0.0, white_for(largest))


def _extremes(images: LazyImages, rows: np.ndarray) -> tuple[float, float]:
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _N_ASKED)).astype(int)]
    found = [(p.min(), p.max()) for p in images.evaluated(images.blocks(rows), keep=True)]
    return float(min(least for least, _ in found)), float(max(largest for _, largest in found))


def white_for(largest: float) -> float:
    """Return the value of white for pixels of up to this value: 1, 255 or 65535."""
    return next((white for white in _WHITES if largest <= white), _WHITES[-1])
