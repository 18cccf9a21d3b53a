"""Coloured shapes on a noisy ground: images that need no file and no network."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from skimgcls.datasets._arguments import check_flags
from skimgcls.utils._params import is_size
from skimgcls.utils._random import draw_seed

# Shapes are drawn this many times larger and averaged down, for smooth edges.
_OVERSAMPLING = 4
# Below this a triangle and a circle are the same few pixels.
_SMALLEST_IMAGE = 8
# Of 256 levels in each channel: shapes are brighter than their ground, by this at least.
_BRIGHTEST_GROUND, _LEAST_CONTRAST = 100, 50
# Radians either way. Upside down a triangle would be half as easy to tell.
_LARGEST_TILT = np.pi / 12


def _corners(n_corners: int, inner: float = 1.0, first: float = 0.0) -> np.ndarray:
    """Return corners (n_corners, 2) round the unit circle, every other one at radius `inner`.

    The first points up where `first`, in radians, is zero.
    """
    angles = first + np.arange(n_corners) * (2 * np.pi / n_corners)
    radii = np.where(np.arange(n_corners) % 2, inner, 1.0)
    return np.column_stack([radii * np.sin(angles), -radii * np.cos(angles)])


def _cross(arm: float = 0.3) -> np.ndarray:
    """Return the twelve corners (12, 2) of a plus sign inside the unit circle."""
    reach = np.sqrt(1 - arm**2)
    quarter = np.array([[arm, -arm], [reach, -arm], [reach, arm]])
    turn = np.array([[0, 1], [-1, 0]])
    return np.concatenate([quarter @ np.linalg.matrix_power(turn, k) for k in range(4)])


def _area(corners: np.ndarray) -> float:
    x, y = corners.T
    return abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2


_HOLE_OF_THE_RING = 0.55
# The outlines in the unit circle, (n_corners, 2), of the shapes that have corners.
_OUTLINES = {
    "square": _corners(4, first=np.pi / 4),
    "triangle": _corners(3),
    "cross": _cross(),
    "star": _corners(10, inner=0.4),
}
# Shapes are drawn of like area, lest the brightness of an image tells its class.
_UNIT_AREAS = {
    "circle": np.pi,
    "square": _area(_OUTLINES["square"]),
    "triangle": _area(_OUTLINES["triangle"]),
    "cross": _area(_OUTLINES["cross"]),
    "ring": np.pi * (1 - _HOLE_OF_THE_RING**2),
    "star": _area(_OUTLINES["star"]),
}
_NAMES = list(_UNIT_AREAS)
# Shares of the square it is drawn in; even the star, of least area, then fits.
_SMALLEST_AREA, _LARGEST_AREA = 0.1, 0.25


class _Shape(NamedTuple):
    """One shape to draw: its centre and radius are pixels, its angle is radians."""

    name: str
    row: float
    column: float
    radius: float
    angle: float
    colour: np.ndarray


def make_shapes(
    n_samples=100,
    *,
    image_size=(32, 32),
    n_classes=3,
    color=True,
    multilabel=False,
    weights=None,
    noise=0.1,
    random_state=None,
):
    """Draw images of shapes whose class is the shape.

    Each shape has a random place, size, angle and colour, on a ground of random colour with noise.
    So neither a single pixel nor the mean colour tells the class, as they do in simpler synthetic
    sets.

    Parameters
    ----------
    n_samples : int, default=100
        Number of images.
    image_size : int or tuple (height, width), default=(32, 32)
        In pixels, at least 8. An integer stands for a square.
    n_classes : int, default=3
        From 2 to 6: the first so many of "circle", "square", "triangle", "cross", "ring" and
        "star".
    color : bool, default=True
        Whether images have three channels, red, green and blue, or are grey.
    multilabel : bool, default=False
        Whether an image may hold several shapes, or none, side by side.
    weights : array-like of shape (n_classes,) or (n_classes - 1,), default=None
        The share of each class, in the order above; the last one may be left to be what the others
        leave. None gives all the same share. With `multilabel`, the share of the images that hold
        each shape, of shape (n_classes,), one half each where None.
    noise : float, default=0.1
        Standard deviation of the noise, where 1 is the whole range from black to white.
    random_state : int, RandomState instance or None, default=None
        Equal seeds draw equal images. None draws others each time, and leaves NumPy's global
        generator as it is.

    Returns
    -------
    images : ndarray of shape (n_samples, height, width, 3) or (n_samples, height, width), uint8
        Colour images, or grey ones.
    y : ndarray of shape (n_samples,), or DataFrame of shape (n_samples, n_classes)
        The names of the shapes; with `multilabel` an indicator whose columns bear the names.

    Raises
    ------
    ValueError
        If a parameter is outside what is said above.

    Notes
    -----
    The shares are kept to the image: of 100 images with ``weights=[0.9, 0.1]`` ten are of the
    second class, whatever the seed.

    Examples
    --------
    >>> from skimgcls.datasets import make_shapes
    >>> images, y = make_shapes(6, random_state=0)
    >>> images.shape, images.dtype
    ((6, 32, 32, 3), dtype('uint8'))
    >>> sorted(y.tolist())
    ['circle', 'circle', 'square', 'square', 'triangle', 'triangle']

    One class in ten images, and images with several shapes:

    >>> _, y = make_shapes(100, n_classes=2, weights=[0.9], random_state=0)
    >>> int((y == "square").sum())
    10
    >>> _, y = make_shapes(4, multilabel=True, random_state=0)
    >>> y.sum().to_dict()
    {'circle': 2, 'square': 2, 'triangle': 2}
    """
    check_flags("make_shapes", color=color, multilabel=multilabel)
    if not is_size(n_samples):
        raise ValueError(f"n_samples must be a positive integer; got {n_samples!r}.")
    height, width = _check_image_size(image_size)
    names = _check_names(n_classes)
    noise = _check_noise(noise)
    shares = _check_weights(weights, len(names), multilabel)

    rng = np.random.RandomState(draw_seed(random_state))
    present = _draw_presence(n_samples, shares, multilabel, rng)
    cells_a_side = int(np.ceil(np.sqrt(len(names)))) if multilabel else 1
    images = np.empty((n_samples, height, width, 3 if color else 1), dtype=np.uint8)
    for image, here in zip(images, present, strict=True):
        ground = rng.randint(_BRIGHTEST_GROUND, size=image.shape[2])
        inside = [name for name, is_here in zip(names, here, strict=True) if is_here]
        shapes = _draw_shapes(inside, image.shape, cells_a_side, ground, rng)
        picture = _paint(shapes, ground, (height, width))
        picture += rng.normal(scale=255 * noise, size=picture.shape)
        image[:] = picture.round().clip(0, 255)
    images = images if color else images[..., 0]
    if multilabel:
        return images, pd.DataFrame(present.astype(np.int64), columns=names)
    return images, np.array(names)[present.argmax(axis=1)]


def _check_image_size(image_size: Any) -> tuple[int, int]:
    sizes = (image_size, image_size) if is_size(image_size) else image_size
    is_right = (
        isinstance(sizes, tuple | list)
        and len(sizes) == 2
        and all(is_size(size) and size >= _SMALLEST_IMAGE for size in sizes)
    )
    if not is_right:
        raise ValueError(
            f"image_size must be (height, width) or one number for both, of {_SMALLEST_IMAGE} "
            f"pixels or more; got {image_size!r}."
        )
    return int(sizes[0]), int(sizes[1])


def _check_names(n_classes: Any) -> list[str]:
    if not is_size(n_classes) or not 2 <= n_classes <= len(_NAMES):
        raise ValueError(
            f"n_classes must be an integer from 2 to {len(_NAMES)}, the number of shapes there "
            f"are; got {n_classes!r}."
        )
    return _NAMES[:n_classes]


def _check_noise(noise: Any) -> float:
    is_number = isinstance(noise, Real) and not isinstance(noise, bool)
    if not is_number or not 0 <= noise <= 1:
        raise ValueError(f"noise must be a number from 0 to 1; got {noise!r}.")
    return float(noise)


def _check_weights(weights: Any, n_classes: int, multilabel: bool) -> np.ndarray:
    """Return the share of each class (n_classes,)."""
    if weights is None:
        return np.full(n_classes, 0.5 if multilabel else 1 / n_classes)
    shares: np.ndarray = np.asarray(weights)
    if shares.ndim != 1 or shares.dtype.kind not in "iuf":
        raise ValueError(f"weights must be numbers, one a class; got {weights!r}.")
    if not multilabel and len(shares) == n_classes - 1:
        shares = np.append(shares, 1 - shares.sum())
    if len(shares) != n_classes:
        expected = f"{n_classes}" if multilabel else f"{n_classes} or {n_classes - 1}"
        raise ValueError(
            f"weights must hold {expected} numbers for {n_classes} classes; got {len(shares)}."
        )
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"weights must be shares from 0 to 1, the last too; got {weights!r}.")
    if not multilabel and not np.isclose(shares.sum(), 1):
        raise ValueError(f"weights must sum to 1; {weights!r} sum to {shares.sum():g}.")
    return shares


def _draw_presence(
    n_samples: int, shares: np.ndarray, multilabel: bool, rng: np.random.RandomState
) -> np.ndarray:
    """Return which shapes each image holds, (n_samples, n_classes) booleans."""
    if multilabel:
        counts = np.round(shares * n_samples)
        return np.column_stack([rng.permutation(n_samples) < count for count in counts])
    # Where the rounded sums of shares step up, a class ends: the counts sum to n_samples.
    ends = np.round(np.cumsum(shares)[:-1] * n_samples)
    codes = np.searchsorted(ends, np.arange(n_samples), side="right")
    present: np.ndarray = rng.permutation(codes)[:, np.newaxis] == np.arange(len(shares))
    return present


def _draw_shapes(
    names: list[str],
    image_shape: tuple[int, ...],
    cells_a_side: int,
    ground: np.ndarray,
    rng: np.random.RandomState,
) -> list[_Shape]:
    """Draw place, size, angle and colour of shapes, each in a cell of its own."""
    height, width, channels = image_shape
    cell_height, cell_width = height / cells_a_side, width / cells_a_side
    cells = rng.permutation(cells_a_side**2)[: len(names)]
    shapes = []
    for name, cell in zip(names, cells, strict=True):
        area = rng.uniform(_SMALLEST_AREA, _LARGEST_AREA) * min(cell_height, cell_width) ** 2
        radius = np.sqrt(area / _UNIT_AREAS[name])
        row = (cell // cells_a_side) * cell_height + rng.uniform(radius, cell_height - radius)
        column = (cell % cells_a_side) * cell_width + rng.uniform(radius, cell_width - radius)
        angle = rng.uniform(-_LARGEST_TILT, _LARGEST_TILT)
        colour = ground + rng.randint(_LEAST_CONTRAST, 256 - _BRIGHTEST_GROUND, size=channels)
        shapes.append(_Shape(name, row, column, radius, angle, colour))
    return shapes


def _paint(shapes: list[_Shape], ground: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the picture (height, width, channels) of shapes on a plain ground, in floats."""
    picture = np.broadcast_to(ground, (*size, len(ground))).astype(np.float64)
    for shape in shapes:
        cover = _cover(shape, size)[..., np.newaxis]
        picture += cover * (shape.colour - ground)
    return picture


def _cover(shape: _Shape, size: tuple[int, int]) -> np.ndarray:
    """Return how much of each pixel (height, width) a shape covers, from 0 to 1."""
    height, width = size
    mask = Image.new("L", (width * _OVERSAMPLING, height * _OVERSAMPLING))
    draw = ImageDraw.Draw(mask)
    x, y, radius = (_OVERSAMPLING * v for v in (shape.column, shape.row, shape.radius))
    if shape.name in _OUTLINES:
        cosine, sine = np.cos(shape.angle), np.sin(shape.angle)
        turned = _OUTLINES[shape.name] @ np.array([[cosine, sine], [-sine, cosine]])
        draw.polygon([(x + radius * u, y + radius * v) for u, v in turned], fill=255)
    else:
        draw.ellipse(_box(x, y, radius), fill=255)
    if shape.name == "ring":
        draw.ellipse(_box(x, y, radius * _HOLE_OF_THE_RING), fill=0)
    return np.asarray(mask.reduce(_OVERSAMPLING)) / 255


def _box(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius
