"""Default augmentation of training images: horizontal flips and translations."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skimgcls._augmentation._flip_translate import FlipTranslate

few = settings(deadline=None, max_examples=40)
sides = st.integers(1, 6)
reaches = st.integers(0, 4)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make_batch(n, channels, height, width, dtype=torch.float32):
    """Images whose pixels all differ."""
    numbers = torch.arange(n * channels * height * width, dtype=dtype)
    batch = numbers.view(n, channels, height, width)
    return batch.contiguous(memory_format=torch.channels_last)


def all_views(image, translation, is_mirrored):
    """Return all possible views of an image (c, h, w): their bytes and their shifts."""
    image = image[..., ::-1] if is_mirrored else image
    height, width = image.shape[1:]
    border = (translation, translation)
    padded = np.pad(image, ((0, 0), border, border), mode="reflect")
    return {
        padded[:, top : top + height, left : left + width].tobytes(): (top, left)
        for top in range(2 * translation + 1)
        for left in range(2 * translation + 1)
    }


@few
@given(
    channels=st.integers(1, 3),
    height=sides,
    width=sides,
    translation=reaches,
    mirror=st.booleans(),
    seed=st.integers(0, 2**31),
    is_mirrored=st.lists(st.booleans(), min_size=1, max_size=6).map(np.array),
)
def test_views_are_flipped_and_shifted_by_whole_pixels(
    channels, height, width, translation, mirror, seed, is_mirrored
):
    batch = make_batch(len(is_mirrored), channels, height, width)
    before = batch.clone()
    views = FlipTranslate(mirror, translation)(batch, is_mirrored, seeded(seed))
    assert views.shape == batch.shape
    assert torch.equal(batch, before)
    for image, view, flip in zip(batch.numpy(), views.numpy(), is_mirrored, strict=True):
        assert view.tobytes() in all_views(image, translation, mirror and flip)


@few
@given(height=sides, width=sides, is_mirrored=st.lists(st.booleans(), min_size=1, max_size=6))
def test_views_without_flip_and_translation_are_the_images(height, width, is_mirrored):
    batch = make_batch(len(is_mirrored), 3, height, width)
    assert torch.equal(FlipTranslate(False, 0)(batch, np.array(is_mirrored), seeded()), batch)


def test_every_shift_occurs_independently_per_image():
    batch = make_batch(400, 1, 6, 7)
    views = FlipTranslate(False, 2)(batch, np.zeros(400, dtype=bool), seeded())
    moves = [
        all_views(image, 2, False)[view.tobytes()]
        for image, view in zip(batch.numpy(), views.numpy(), strict=True)
    ]
    counts = np.unique(moves, axis=0, return_counts=True)[1]
    assert len(counts) == 25
    # The expected count of each is 16.
    assert counts.max() < 40


def test_equal_seeds_draw_equal_views_and_the_generator_advances():
    batch, is_mirrored = make_batch(50, 1, 6, 6), np.arange(50) % 2 == 0
    views = FlipTranslate(True, 2)
    generator = seeded(1)
    first, second = (views(batch, is_mirrored, generator) for _ in range(2))
    assert torch.equal(first, views(batch, is_mirrored, seeded(1)))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_views_keep_the_dtype_and_are_channels_last(dtype):
    views = FlipTranslate(True, 1)(make_batch(2, 3, 4, 5, dtype), np.array([True, False]), seeded())
    assert views.dtype is dtype
    assert views.is_contiguous(memory_format=torch.channels_last)
