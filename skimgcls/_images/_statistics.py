"""Pixel statistics."""

import numpy as np

from skimgcls._images._lazy_images import LazyImages

# Number of float64 values per block: 8 MiB, which fit in the cache of a CPU.
_STATISTICS_VALUES = 2**20


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
