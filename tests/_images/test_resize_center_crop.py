"""Resizing and cropping of images to the input size of a network."""

import numpy as np
import pytest
import torch
from torchvision.transforms._presets import ImageClassification

from skimgcls._images._resize_center_crop import (
    ResizeCenterCrop,
    resize_crop_square,
    resize_to_at_least,
)


@pytest.mark.parametrize("size", [(28, 28), (28, 33), (40, 40), (60, 40), (31, 77)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_square_is_cropped_as_by_the_presets_of_torchvision(size, interpolation):
    batch = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    preset = ImageClassification(
        crop_size=24,
        resize_size=28,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        interpolation=__import__("torchvision").transforms.InterpolationMode(interpolation),
    )
    framing = resize_crop_square((*size, 3), 28, 24, interpolation)
    torch.testing.assert_close(framing(batch), preset(batch), rtol=0, atol=0)


def test_the_output_has_the_stated_shape():
    framing = resize_crop_square((50, 70, 3), 28, 24, "bilinear")
    assert framing.output_shape((50, 70, 3)) == (24, 24, 3)
    assert framing(torch.zeros(2, 3, 50, 70)).shape == (2, 3, 24, 24)


def test_short_sides_are_stretched_and_long_sides_kept():
    assert resize_to_at_least((8, 100, 1), 32) == ResizeCenterCrop((32, 100), (32, 100))
    assert resize_to_at_least((32, 32, 1), 32) is None


def test_resizing_keeps_the_brightness():
    framing = ResizeCenterCrop((5, 9), (5, 9))
    np.testing.assert_allclose(framing(torch.full((1, 1, 20, 20), 7.0)).numpy(), 7.0)
