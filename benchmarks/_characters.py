"""Synthetic written characters: many classes with few images each, in black and white."""

import numpy as np
from PIL import Image, ImageDraw

# Images are drawn larger by this factor.
_OVERSAMPLING = 3
_STROKES = 3
_POINTS = 20
# Random displacement as a fraction of the side: of the end of a stroke, and of the character.
_STRAY, _SHIFT = 0.04, 0.06
# Random change of size and slant.
_SCALE, _SLANT = 0.15, 0.2


def make_characters(n_classes, n_each, side, rng):
    """Draw `n_each` images (side, side, 1) of 0 and 255 for each of `n_classes` characters."""
    alphabet = rng.uniform(0.15, 0.85, (n_classes, _STROKES, 3, 2))
    labels = np.repeat(np.arange(n_classes), n_each)
    images = [_write(alphabet[label], side, rng) for label in labels]
    return np.stack(images)[..., None], labels


def _write(strokes, side, rng):
    """Draw one character. Each of its strokes (n, 3, 2) is a curve through three points."""
    strokes = strokes + rng.normal(0, _STRAY, strokes.shape)
    shape = np.eye(2) * rng.uniform(1 - _SCALE, 1 + _SCALE, 2)
    shape[0, 1] = rng.uniform(-_SLANT, _SLANT)
    strokes = (strokes - 0.5) @ shape.T + 0.5 + rng.uniform(-_SHIFT, _SHIFT, 2)
    large = _OVERSAMPLING * side
    picture = Image.new("L", (large, large))
    t = np.linspace(0, 1, _POINTS)[:, None]
    for start, by, end in strokes * large:
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * by + t**2 * end
        ImageDraw.Draw(picture).line([tuple(p) for p in curve], fill=255, width=large // 12)
    small = picture.resize((side, side), Image.Resampling.BOX)
    return np.where(np.asarray(small) > 127, 255, 0).astype(np.uint8)
