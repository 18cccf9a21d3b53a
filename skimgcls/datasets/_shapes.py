"""Synthetic images of colored shapes on a noisy background."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from skimgcls.datasets._arguments import check_flags
from skimgcls.utils._params import is_size
from skimgcls.utils._random import draw_seed

# Shapes are drawn at this multiple of the size and averaged, for smooth edges.
_OVERSAMPLING = 4
# In smaller images, triangles and circles have the same pixels.
_SMALLEST_IMAGE = 8
# In each channel of 256 levels, shapes are brighter than the background by at least this contrast.
_BRIGHTEST_GROUND, _LEAST_CONTRAST = 100, 50
# In radians, in both directions. Upside-down triangles would be harder to classify.
_LARGEST_TILT = np.pi / 12


def _corners(n_corners: int, inner: float = 1.0, first: float = 0.0) -> np.ndarray:
    """Return corners (n_corners, 2) on the unit circle, every other one at radius `inner`.

    `first` is the angle of the first corner in radians; 0 points up.
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
# Outlines of the polygons inside the unit circle, of shape (n_corners, 2).
_OUTLINES = {
    "square": _corners(4, first=np.pi / 4),
    "triangle": _corners(3),
    "cross": _cross(),
    "star": _corners(10, inner=0.4),
}
# Shapes are drawn with similar areas, so that the brightness of an image is not a feature.
_UNIT_AREAS = {
    "circle": np.pi,
    "square": _area(_OUTLINES["square"]),
    "triangle": _area(_OUTLINES["triangle"]),
    "cross": _area(_OUTLINES["cross"]),
    "ring": np.pi * (1 - _HOLE_OF_THE_RING**2),
    "star": _area(_OUTLINES["star"]),
}
_NAMES = list(_UNIT_AREAS)
# Fractions of the enclosing square; even the star, with the smallest area, then fits.
_SMALLEST_AREA, _LARGEST_AREA = 0.1, 0.25


class _Shape(NamedTuple):
    """One shape to draw, with center and radius in pixels and angle in radians."""

    name: str
    row: float
    column: float
    radius: float
    angle: float
    color: np.ndarray


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
    """Generate images of geometric shapes for classification.

    The class is the shape. Each shape has a random position, size, angle and color, on a noisy
    background of random color. So neither single pixels nor the mean color determine the class, in
    contrast to simpler synthetic datasets.

    Parameters
    ----------
    n_samples : int, default=100
        Number of images.
    image_size : int or tuple (height, width), default=(32, 32)
        Image size in pixels, at least 8. An int gives square images.
    n_classes : int, default=3
        Number of classes, from 2 to 6. They are the first `n_classes` of "circle", "square",
        "triangle", "cross", "ring" and "star".
    color : bool, default=True
        If True, images are RGB, else grayscale.
    multilabel : bool, default=False
        If True, an image may contain several shapes, which do not overlap, or none.
    weights : array-like of shape (n_classes,) or (n_classes - 1,), default=None
        Fraction of samples of each class, in the order above. The last weight may be omitted and is
        inferred. None gives balanced classes. With `multilabel=True`, the fraction of images that
        contain each shape, of shape (n_classes,); None is 0.5 each.
    noise : float, default=0.1
        Standard deviation of the noise, as a fraction of the range from black to white.
    random_state : int, RandomState instance or None, default=None
        Seed of the images. Pass an int for reproducible output. None gives different images in each
        call and does not use NumPy's global generator.

    Returns
    -------
    images : ndarray of shape (n_samples, height, width, 3) or (n_samples, height, width)
        Color or grayscale images of dtype uint8.
    y : ndarray of shape (n_samples,), or DataFrame of shape (n_samples, n_classes)
        Names of the shapes. With `multilabel=True`, an indicator whose columns are these names.

    Raises
    ------
    ValueError
        If a parameter has an invalid value.

    Notes
    -----
    Class sizes are exact, up to rounding: of 100 images with ``weights=[0.9, 0.1]``, ten are of the
    second class, for any seed.

    Examples
    --------
    >>> from skimgcls.datasets import make_shapes
    >>> images, y = make_shapes(6, random_state=0)
    >>> images.shape, images.dtype
    ((6, 32, 32, 3), dtype('uint8'))
    >>> sorted(y.tolist())
    ['circle', 'circle', 'square', 'square', 'triangle', 'triangle']

    Imbalanced classes, and images with several shapes:

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
            f"n_classes must be an integer from 2 to {len(_NAMES)}, the number of available "
            f"shapes; got {n_classes!r}."
        )
    return _NAMES[:n_classes]


def _check_noise(noise: Any) -> float:
    is_number = isinstance(noise, Real) and not isinstance(noise, bool)
    if not is_number or not 0 <= noise <= 1:
        raise ValueError(f"noise must be a number from 0 to 1; got {noise!r}.")
    return float(noise)


def _check_weights(weights: Any, n_classes: int, multilabel: bool) -> np.ndarray:
    """Return the fraction of each class (n_classes,)."""
    if weights is None:
        return np.full(n_classes, 0.5 if multilabel else 1 / n_classes)
    shares: np.ndarray = np.asarray(weights)
    if shares.ndim != 1 or shares.dtype.kind not in "iuf":
        raise ValueError(f"weights must be numbers, one per class; got {weights!r}.")
    if not multilabel and len(shares) == n_classes - 1:
        shares = np.append(shares, 1 - shares.sum())
    if len(shares) != n_classes:
        expected = f"{n_classes}" if multilabel else f"{n_classes} or {n_classes - 1}"
        raise ValueError(
            f"weights must hold {expected} numbers for {n_classes} classes; got {len(shares)}."
        )
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"weights must be from 0 to 1, also the last one; got {weights!r}.")
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
    # A class ends at each rounded cumulative sum, so the counts sum to n_samples.
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
    """Draw position, size, angle and color of the shapes, each in a separate cell."""
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
        color = ground + rng.randint(_LEAST_CONTRAST, 256 - _BRIGHTEST_GROUND, size=channels)
        shapes.append(_Shape(name, row, column, radius, angle, color))
    return shapes


def _paint(shapes: list[_Shape], ground: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return an image (height, width, channels) of shapes on a plain background, as floats."""
    picture = np.broadcast_to(ground, (*size, len(ground))).astype(np.float64)
    for shape in shapes:
        cover = _cover(shape, size)[..., np.newaxis]
        picture += cover * (shape.color - ground)
    return picture


def _cover(shape: _Shape, size: tuple[int, int]) -> np.ndarray:
    """Return the fraction of each pixel (height, width) that a shape covers."""
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
