"""Mean and standard deviation of each channel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import few, pixels

from skimgcls._images import _statistics
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._statistics import channel_statistics


@few
@given(images=pixels, data=st.data())
def test_channel_statistics_are_the_weighted_mean_and_standard_deviation(images, data):
    n = len(images)
    weights = data.draw(arrays(np.float64, n, elements=st.floats(0.125, 8)))
    rows = data.draw(st.lists(st.sampled_from(range(n)), min_size=1, unique=True).map(np.array))
    mean, deviation = channel_statistics(LazyImages(images), weights, rows)
    values = images[rows].astype(float)
    every = np.broadcast_to(weights[rows, None, None, None], values.shape)
    expected = np.average(values, axis=(0, 1, 2), weights=every)
    variance = np.average((values - expected) ** 2, axis=(0, 1, 2), weights=every)
    is_constant = np.ptp(values, axis=(0, 1, 2)) == 0
    np.testing.assert_allclose(mean, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        deviation, np.where(is_constant, 1, np.sqrt(variance)), rtol=1e-9, atol=1e-9
    )


@few
@given(images=pixels, data=st.data())
def test_a_weight_of_two_is_equivalent_to_repeating_an_image(images, data):
    n = len(images)
    times = data.draw(arrays(np.int64, n, elements=st.integers(0, 3)).filter(np.any))
    weighted = channel_statistics(LazyImages(images), times.astype(float), np.flatnonzero(times))
    repeated = channel_statistics(
        LazyImages(np.repeat(images, times, axis=0)), None, np.arange(times.sum())
    )
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_values", [1, 100, 2**22])
def test_channel_statistics_do_not_depend_on_the_blocks(monkeypatch, n_values):
    monkeypatch.setattr(_statistics, "_STATISTICS_VALUES", n_values)
    images = np.random.RandomState(0).randint(0, 256, size=(9, 4, 4, 3)).astype(np.uint8)
    mean, deviation = channel_statistics(LazyImages(images), None, np.arange(9))
    np.testing.assert_allclose(mean, images.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(deviation, images.std(axis=(0, 1, 2)))
