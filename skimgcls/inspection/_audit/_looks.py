"""Inspection of one image: its defect, or its size, mode and fingerprint."""

import os
from typing import Any, NamedTuple

import numpy as np

from skimgcls._images._decode import FAINT, Header, decode, is_16_bit, read_header
from skimgcls.exceptions import ImageFileError
from skimgcls.inspection._audit._duplicates import Fingerprint, make_fingerprint
from skimgcls.inspection._audit._quality import Quality, measure

_MODES = {1: "L", 3: "RGB"}


class Look(NamedTuple):
    """Result for one image: its defect as `issue` and `details`, or its properties."""

    issue: str | None = None
    details: str = ""
    height: int = 0
    width: int = 0
    mode: str = ""
    quality: Quality | None = None
    fingerprint: Fingerprint | None = None


def look_at(item: Any, perceptual: bool) -> Look:
    """Inspect a file or an array (height, width, channels); a bad file does not raise.

    `perceptual` adds the perceptual hash and the thumbnail to the fingerprint.

    >>> look_at("no such file.png", perceptual=False).issue
    'missing'
    """
    if isinstance(item, np.ndarray):
        height, width, channels = item.shape
        told = Header(height, width, _MODES[channels], "array")
        return _look_at_pixels(np.broadcast_to(item, (height, width, 3)), told, perceptual)
    if not isinstance(item, str | os.PathLike | bytes):
        return Look("not a path", f"Expected a path; got {type(item).__name__} {item!r}.")
    header: Header | None = None
    try:
        header = read_header(item)
        pixels = decode(item)
    except FileNotFoundError as error:
        return Look("missing", str(error))
    except (PermissionError, ImageFileError) as error:
        return Look(_name_defect(item, header, error), str(error))
    return _look_at_pixels(pixels, header, perceptual)


def _name_defect(item: Any, header: Header | None, error: Exception) -> str:
    if header is not None:
        # An error raised by Pillow is chained as the cause: the header was valid.
        return "unreadable" if error.__cause__ is None else "truncated"
    try:
        size = len(item) if isinstance(item, bytes) else os.stat(item).st_size
    except (OSError, ValueError):
        return "unreadable"
    return "empty file" if size == 0 else "unreadable"


def _look_at_pixels(pixels: np.ndarray, header: Header, perceptual: bool) -> Look:
    """Inspect pixels (height, width, 3)."""
    look = Look(height=header.height, width=header.width, mode=header.mode, quality=measure(pixels))
    if is_16_bit(header) and pixels.max() < FAINT >> 8:
        return look._replace(
            issue="small values",
            details="The values of this 16-bit image are below an eighth of white, so that it is "
            "dark. Set white_level of ImageLoader.",
        )
    first = pixels[0, 0]
    if (pixels == first).all():
        color = tuple(first.tolist())
        return look._replace(issue="blank", details=f"Every pixel has the color {color}.")
    return look._replace(fingerprint=make_fingerprint(pixels, perceptual))
