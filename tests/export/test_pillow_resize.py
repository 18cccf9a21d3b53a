"""torch operations give the same bytes as Pillow."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from skimgcls._images._resize import Resize
from skimgcls.export._pillow_resize import PillowResize

SIDES = st.integers(1, 40)
METHODS = st.sampled_from(["fit", "crop", "pad"])
INTERPOLATIONS = st.sampled_from(["nearest", "bilinear", "bicubic"])


def draw_pixels(height, width, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def resize_by_pillow(pixels, resize):
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return np.asarray(resize(picture)).reshape(*resize.size, -1)


def resize_by_torch(pixels, resize):
    batch = torch.from_numpy(pixels[np.newaxis]).permute(0, 3, 1, 2)
    return PillowResize(resize)(batch)[0].permute(1, 2, 0).numpy()


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(SIDES, SIDES),
    st.tuples(SIDES, SIDES),
    st.sampled_from([1, 3]),
    METHODS,
    INTERPOLATIONS,
    st.integers(0, 99),
)
@example((36, 24), (8, 5), 1, "pad", "nearest", 0)
def test_every_byte_matches_pillow(old, new, channels, method, interpolation, seed):
    pixels = draw_pixels(*old, channels, seed)
    background = (10, 200, 33)[:channels]
    resize = Resize(new, method, interpolation, background)
    np.testing.assert_array_equal(resize_by_torch(pixels, resize), resize_by_pillow(pixels, resize))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("old", [(480, 333), (37, 1001), (1, 700)])
def test_large_images(old, interpolation):
    pixels = draw_pixels(*old, 3)
    resize = Resize((64, 96), "fit", interpolation)
    np.testing.assert_array_equal(resize_by_torch(pixels, resize), resize_by_pillow(pixels, resize))


def test_two_resizing_steps():
    resize = Resize((7, 9), before=Resize((20, 21), "crop", "bicubic"))
    pixels = draw_pixels(33, 50, 3)
    np.testing.assert_array_equal(resize_by_torch(pixels, resize), resize_by_pillow(pixels, resize))


def test_overshoot_is_clipped():
    """Cubic filters overshoot at edges."""
    pixels = np.zeros((9, 9, 1), np.uint8)
    pixels[:, 4:] = 255
    resize = Resize((31, 31), "fit", "bicubic")
    found = resize_by_torch(pixels, resize)
    assert (found.min(), found.max()) == (0, 255)
    np.testing.assert_array_equal(found, resize_by_pillow(pixels, resize))
