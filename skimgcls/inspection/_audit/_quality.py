"""Photographs that are too dark, too light, blurry, plain, or of an unusual size."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

# An image is dark if 99 % of its pixels are darker than this, and light if 95 % are lighter.
_DARK, _LIGHT = 0.32, 0.95
# Bits of information in the histogram of gray values; a photograph has about 7.
_FEWEST_BITS = 2.5
# Edges are measured at one size, so that a large image is not blurry because of its size.
_SIDE_OF_EDGES = 64
# Standard deviation of the edges, relative to that of the gray values, below which an image is
# blurry. In photographs it is about 1.2, and 0.15 if they are blurred by a 25th of their width.
_FAINTEST_EDGES = 0.3
# Standard deviation of gray values, below which edges are noise.
_FLATTEST = 2.0
# Images with sides shorter than this have too few pixels to be blurry.
_SHORTEST = 32
# Ratio of the shorter to the longer side.
_NARROWEST = 0.35
# Distance from the middle sizes, in interquartile ranges, and least ratio to the median.
_FARTHEST, _LEAST_RATIO = 10.0, 2.0


class Quality(NamedTuple):
    """Measures of the pixels of one image."""

    brightness_5: float
    brightness_99: float
    entropy: float
    sharpness: float


def measure(pixels: np.ndarray) -> Quality:
    """Return the measures of an image (height, width, 3) of uint8.

    >>> measure(np.full((8, 8, 3), 51, np.uint8))
    Quality(brightness_5=0.2, brightness_99=0.2, entropy=0.0, sharpness=nan)
    """
    gray = Image.fromarray(pixels).convert("L")
    counts = np.array(gray.histogram())
    shares = counts / counts.sum()
    darkest, lightest = np.searchsorted(np.cumsum(shares), (0.05, 0.99)) / 255
    present = shares[shares > 0]
    return Quality(
        float(darkest),
        float(lightest),
        float(-(present * np.log2(present)).sum()) + 0.0,
        _measure_sharpness(gray),
    )


def _measure_sharpness(gray: Image.Image) -> float:
    # reducing_gap makes this fast for large images.
    gray.thumbnail((_SIDE_OF_EDGES, _SIDE_OF_EDGES), reducing_gap=2.0)
    spread = float(np.asarray(gray, np.float32).std())
    # Pillow does not filter the border.
    edges = np.asarray(gray.filter(ImageFilter.FIND_EDGES), np.float32)[1:-1, 1:-1]
    return float(edges.std() / spread) if edges.size and spread > _FLATTEST else np.nan


def name_problems(quality: Quality, height: int, width: int) -> list[str]:
    """Return what a person would want to look at, from the pixels and the aspect ratio."""
    is_blurry = min(height, width) >= _SHORTEST and quality.sharpness < _FAINTEST_EDGES
    is_narrow = min(height, width) / max(height, width) < _NARROWEST
    found = {
        "dark": quality.brightness_99 < _DARK,
        "light": quality.brightness_5 > _LIGHT,
        "blurry": is_blurry,
        "low information": quality.entropy < _FEWEST_BITS,
        "odd aspect ratio": is_narrow,
    }
    return [name for name, is_found in found.items() if is_found]


def tabulate_quality(rows: Sequence[tuple[dict[str, Any], Quality, int, int]]) -> pd.DataFrame:
    """Return a table of the measures of images, and of what is unusual about each.

    Each row is its first columns, its measures, its height and its width. Sizes are compared
    within one set.
    """
    table = pd.DataFrame(
        [first | quality._asdict() for first, quality, _, _ in rows],
        columns=["set", "image", "path", *Quality._fields],
        # Not as text of pandas, which refuses names that are not UTF-8.
        dtype=object,
    ).astype({"image": np.int64} | dict.fromkeys(Quality._fields, np.float64))
    names = [name_problems(*row[1:]) for row in rows]
    for places in table.groupby("set", sort=False).indices.values():
        for place in places[find_odd_sizes([rows[place][2:] for place in places])]:
            names[place].append("odd size")
    return table.assign(problems=[", ".join(found) for found in names])


def find_odd_sizes(sizes: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return which images are much larger or smaller than most: bool (n,).

    >>> find_odd_sizes([(60, 60), (64, 64), (60, 70), (64, 60), (900, 900)]).tolist()
    [False, False, False, False, True]
    """
    sides = np.sqrt(np.prod(np.asarray(sizes, np.float64).reshape(-1, 2), axis=1))
    if len(sides) == 0:
        return np.zeros(0, bool)
    low, middle, high = np.percentile(sides, [25, 50, 75])
    reach = _FARTHEST * (high - low)
    ratio = np.maximum(sides / middle, middle / sides)
    is_far: np.ndarray = (np.abs(sides - middle) > reach) & (ratio >= _LEAST_RATIO)
    return is_far
