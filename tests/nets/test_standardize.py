"""Standardization of pixels as the first layer of a network."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._statistics import channel_statistics
from skimgcls.nets import Standardize


@settings(deadline=None, max_examples=50)
@given(images=arrays(np.uint8, (4, 3, 2, 3)))
def test_each_channel_has_mean_0_and_standard_deviation_1(images):
    statistics = channel_statistics(LazyImages(images), None, np.arange(4))
    layer = Standardize(*map(torch.from_numpy, statistics))
    pixels = layer(torch.from_numpy(images.astype(float)).permute(0, 3, 1, 2))
    is_constant = np.ptp(images, axis=(0, 1, 2)) == 0
    np.testing.assert_allclose(pixels.mean(dim=(0, 2, 3)), 0, atol=1e-9)
    np.testing.assert_allclose(pixels.std(dim=(0, 2, 3), correction=0), np.where(is_constant, 0, 1))


def test_statistics_are_buffers_in_the_state_dict():
    layer = Standardize(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    assert list(layer.parameters()) == []
    other = Standardize(torch.zeros(2), torch.ones(2))
    other.load_state_dict(layer.state_dict())
    batch = torch.rand(2, 2, 3, 3)
    assert torch.equal(other(batch), layer(batch))


def test_statistics_are_copied():
    mean = torch.zeros(1)
    layer = Standardize(mean, torch.ones(1))
    mean += 5
    assert layer(torch.ones(1, 1, 1, 1)).item() == 1
