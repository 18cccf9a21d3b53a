"""Whitening of patches, a first layer that is computed instead of trained."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from skimgcls.nets import _whitening
from skimgcls.nets._whitening import Whitening

# Channels, window and stride.
GEOMETRIES = [
    (1, (2, 2), 1),
    (3, (2, 2), 1),
    (3, (3, 3), 3),
    (2, (1, 3), 1),
    (2, (3, 1), 2),
    (1, (1, 1), 1),
]
each_geometry = pytest.mark.parametrize("geometry", GEOMETRIES)


def make_batch(n, n_channels, size=(7, 6), seed=0):
    """Images with correlated pixels and channels, like photographs."""
    generator = torch.Generator().manual_seed(seed)
    height, width = size
    noise = torch.randn(n, n_channels, height + 1, width + 1, generator=generator)
    smooth = noise[..., 1:, 1:] + 0.7 * noise[..., :-1, 1:] + 0.4 * noise[..., 1:, :-1]
    return smooth + 0.5 * smooth.sum(dim=1, keepdim=True) + 2


def learn(batch, geometry, weights=None):
    whitening = Whitening(*geometry).double()
    whitening.learn(batch, weights)
    return whitening


def patches_of(batch, geometry):
    """Return the patches as rows, with ``torch.nn.functional.unfold``."""
    _, window, stride = geometry
    patches = functional.unfold(batch.double(), window, stride=stride)
    return patches.transpose(1, 2).flatten(0, 1).numpy()


def responses(whitening, batch):
    """Return the responses of the filters, without their negatives, to each patch as rows."""
    maps = whitening(batch.double()).detach()
    return maps[:, : maps.shape[1] // 2].permute(0, 2, 3, 1).flatten(0, 2).numpy()


@each_geometry
def test_filtered_patches_are_uncorrelated_with_unit_variance(geometry):
    # More images than are processed at once.
    batch = make_batch(150, geometry[0])
    whitening = learn(batch, geometry)
    covariance = np.cov(responses(whitening, batch).T, ddof=0)
    variances = np.cov(patches_of(batch, geometry).T, ddof=0)
    variances = np.linalg.eigvalsh(np.atleast_2d(variances))[::-1]
    expected = np.diag(variances / (variances + whitening.eps))
    np.testing.assert_allclose(np.atleast_2d(covariance), expected, atol=1e-9)
    np.testing.assert_allclose(np.diag(expected), 1, atol=0.02)


@each_geometry
def test_each_filter_is_followed_by_its_negative(geometry):
    whitening = learn(make_batch(20, geometry[0]), geometry)
    n_values = geometry[0] * geometry[1][0] * geometry[1][1]
    assert whitening.weight.shape == (2 * n_values, geometry[0], *geometry[1])
    filters, negatives = whitening.weight.split(n_values)
    assert torch.equal(negatives, -filters)


@settings(deadline=None, max_examples=20)
@given(
    geometry=st.sampled_from(GEOMETRIES),
    times=st.lists(st.integers(0, 3), min_size=70, max_size=70).filter(lambda t: sum(t) > 20),
    share=st.floats(0.1, 10),
)
def test_weights_are_equivalent_to_repeated_images(geometry, times, share):
    batch, times = make_batch(70, geometry[0]), torch.tensor(times)
    weighted = learn(batch, geometry, times * share)
    repeated = learn(batch.repeat_interleave(times, 0), geometry)
    torch.testing.assert_close(weighted.weight, repeated.weight, rtol=1e-6, atol=1e-6)


def test_weights_of_one_are_equivalent_to_no_weights():
    batch, geometry = make_batch(70, 3), (3, (2, 2), 1)
    weighted = learn(batch, geometry, torch.ones(70, dtype=torch.float64))
    torch.testing.assert_close(weighted.weight, learn(batch, geometry).weight)


def test_result_does_not_depend_on_the_block_size(monkeypatch):
    batch, geometry = make_batch(70, 3), (3, (2, 2), 1)
    weights = torch.arange(70.0)
    expected = learn(batch, geometry, weights).weight
    for n_at_once in (1, 7, 70, 1000):
        monkeypatch.setattr(_whitening, "_AT_ONCE", n_at_once)
        torch.testing.assert_close(learn(batch, geometry, weights).weight, expected)


@each_geometry
def test_result_does_not_depend_on_the_order_of_the_images(geometry):
    batch = make_batch(100, geometry[0])
    shuffled = batch[torch.randperm(100, generator=torch.Generator().manual_seed(0))]
    found, expected = learn(shuffled, geometry).weight, learn(batch, geometry).weight
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("tilt", [-1e-6, 0, 1e-6])
def test_sign_of_a_component_with_zero_mean_is_stable(tilt):
    # Images of one patch: four patterns, the last of which has no slope except for the tilt.
    patterns = torch.tensor([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1.0]])
    scales = torch.tensor([8.0, 4, 2, 1])
    images = patterns.double() * scales[:, None]
    images[3, 3] += tilt
    batch = torch.cat([images, -images]).view(8, 1, 2, 2)
    whitening = learn(batch, (1, (2, 2), 1))
    # Each pattern occurs in two of eight images.
    lengths = 1 / (scales.square() + whitening.eps).sqrt()
    signs = torch.tensor([1, -1, -1, 1])
    expected = patterns * (signs * lengths / 2)[:, None]
    found = whitening.weight[:4].flatten(1).float()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, 255.0])
def test_filters_of_constant_images_are_finite_with_equal_norms(value):
    whitening = learn(torch.full((9, 3, 5, 5), value), (3, (2, 2), 1))
    lengths = whitening.weight.flatten(1).norm(dim=1)
    expected = torch.full_like(lengths, whitening.eps**-0.5)
    torch.testing.assert_close(lengths, expected, rtol=1e-3, atol=0)


def test_filters_are_zero_before_learn_and_not_trained():
    whitening = Whitening(3, (2, 2), 1)
    assert not whitening.weight.any()
    whitening.learn(make_batch(9, 3).requires_grad_())
    assert whitening.weight.any()
    assert not whitening.weight.requires_grad
    assert whitening.weight.dtype is torch.float32
    assert whitening(make_batch(1, 3)).grad_fn is None
