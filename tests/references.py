"""Comparison of displays with reference images, for the tests of each folder of displays.

The images in ``reference``, next to a test file, are small enough for a review. After an intended
change, redraw them with ``SKIMGCLS_DRAW_REFERENCE=1`` in the environment, and check them by eye.
"""

import os

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.testing.compare import compare_images
from PIL import Image

# Root mean square difference of pixels (0 to 255) that is allowed between machines.
TOLERANCE = 3
# Text rendering depends on the matplotlib version, which is stored in the file.
SOFTWARE = f"matplotlib {'.'.join(mpl.__version__.split('.')[:2])}"
IS_NEW = bool(os.environ.get("SKIMGCLS_DRAW_REFERENCE"))


def make_pictures(n, shape=(12, 16, 3)):
    """Return different images, each with a gradient towards one corner."""
    height, width = shape[:2]
    ramp = np.add.outer(np.linspace(0, 1, height), np.linspace(0, 1, width)) / 2
    tints = np.random.RandomState(0).rand(n, *shape[2:])
    return [
        np.uint8(255 * (ramp * tint if len(shape) == 2 else ramp[..., None] * tint))
        for tint in tints
    ]


def find_difference(draw, reference, tmp_path, redraw=IS_NEW):
    """Return how a display differs from its reference image, or None if they match.

    Skip the test if the reference was drawn with another version of matplotlib.

    Parameters
    ----------
    draw : callable
        Returns the display, without arguments.
    reference : Path
    tmp_path : Path
        Folder for the image of the display.
    redraw : bool
        Write the image of the display to the reference first.
    """
    path = reference if redraw else tmp_path / reference.name
    if not redraw:
        with Image.open(reference) as picture:
            drawn_with = picture.text["Software"]
        if drawn_with != SOFTWARE:
            pytest.skip(f"drawn with {drawn_with}")
    with mpl.rc_context(mpl.rcParamsDefault):
        mpl.use("Agg")
        draw().figure_.savefig(path, dpi=80, metadata={"Software": SOFTWARE})
    return compare_images(reference, path, TOLERANCE)
