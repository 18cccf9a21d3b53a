"""Batch normalization with sample weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skimgcls.nets import BatchNorm, sample_weights_in

few = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**31)
sides = st.integers(1, 4)
N, N_CHANNELS = 5, 3
counts = st.lists(st.integers(0, 3), min_size=N, max_size=N).filter(any).map(torch.tensor)


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def make_norm(dtype=torch.float64):
    """A layer with a non-zero bias."""
    norm = BatchNorm(N_CHANNELS).to(dtype)
    with torch.no_grad():
        norm.bias.copy_(torch.arange(N_CHANNELS) - 0.5)
    return norm


def outcome(norm, batch, times=None, weights=None):
    """Return values, gradients and statistics after one batch with repeated images.

    With weights, the loss is weighted like the images.
    """
    batch = batch.clone().requires_grad_()
    images = batch if times is None else batch.repeat_interleave(times, 0)
    with sample_weights_in(norm, weights):
        values = norm(images)
    # Not a plain sum: the sum of normalized values has zero gradient.
    losses = (values * values.cumsum(3).tanh()).sum(dim=(1, 2, 3))
    (losses if weights is None else losses * weights).sum().backward()
    return values.detach(), batch.grad, norm.bias.grad, norm.mean, norm.variance


def assert_same(found, expected, tolerance=1e-10):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_equal_those_of_torch_without_a_scale(dtype):
    norm, reference = make_norm(dtype), nn.BatchNorm2d(N_CHANNELS, affine=False, dtype=dtype)
    bias = norm.bias.detach().clone().requires_grad_()
    for seed in range(3):
        batch = 3 * random(N, N_CHANNELS, 4, 2, seed=seed, dtype=dtype) + 1
        ours, theirs = (batch.clone().requires_grad_() for _ in range(2))
        values = norm(ours)
        expected = reference(theirs) + bias[:, None, None]
        torch.testing.assert_close(values, expected)
        values.square().sum().backward()
        expected.square().sum().backward()
        torch.testing.assert_close(ours.grad, theirs.grad)
        torch.testing.assert_close(norm.bias.grad, bias.grad)
        torch.testing.assert_close(norm.mean, reference.running_mean)
    expected = reference.eval()(batch)
    torch.testing.assert_close(norm.bias.detach()[:, None, None], bias.detach()[:, None, None])
    # The running variance of torch is that of a sample, ours that of a population.
    n_values = N * 4 * 2
    start = 0.9**3
    sample = (reference.running_var - start) * (n_values - 1) / n_values + start
    torch.testing.assert_close(norm.variance, sample)


@few
@given(seed=seeds, height=sides, width=sides, times=counts)
def test_weights_are_equivalent_to_repeated_images(seed, height, width, times):
    batch = random(N, N_CHANNELS, height, width, seed=seed)
    weighted = outcome(make_norm(), batch, weights=times.double())
    repeated = outcome(make_norm(), batch, times=times)
    assert_same([weighted[0].repeat_interleave(times, 0), *weighted[1:]], repeated)


@few
@given(seed=seeds, height=sides, width=sides, weight=st.floats(0.1, 10))
def test_equal_weights_are_equivalent_to_no_weights(seed, height, width, weight):
    batch = random(N, N_CHANNELS, height, width, seed=seed)
    equal, none = make_norm(), make_norm()
    with sample_weights_in(equal, torch.full((N,), weight, dtype=torch.float64)):
        torch.testing.assert_close(equal(batch), none(batch), rtol=1e-9, atol=1e-9)
    assert_same([equal.mean, equal.variance], [none.mean, none.variance])


@pytest.mark.parametrize("weights", [None, torch.tensor([2.0], dtype=torch.float64)])
def test_single_value_per_channel_gives_the_bias(weights):
    norm = make_norm()
    values, *gradients, mean, variance = outcome(norm, random(1, N_CHANNELS, 1, 1), weights=weights)
    torch.testing.assert_close(values.flatten(), norm.bias.detach())
    assert all(gradient.isfinite().all() for gradient in gradients)
    torch.testing.assert_close(mean, 0.1 * random(1, N_CHANNELS).flatten())
    torch.testing.assert_close(variance, torch.full_like(variance, 0.9))


def test_batch_with_zero_weights_is_finite_and_does_not_change_the_state():
    batch = random(N, N_CHANNELS, 2, 2)
    norm = make_norm()
    norm(random(N, N_CHANNELS, 2, 2, seed=1))
    mean, variance = norm.mean.clone(), norm.variance.clone()
    weights = torch.zeros(N, dtype=torch.float64)
    values, to_batch, to_bias, *statistics = outcome(norm, batch, weights=weights)
    assert values.isfinite().all()
    assert not to_batch.any()
    assert not to_bias.any()
    assert_same(statistics, [mean, variance], tolerance=0)


@pytest.mark.parametrize("weighs", [False, True])
def test_evaluation_uses_the_running_statistics(weighs):
    norm = make_norm()
    for seed in range(4):
        norm(2 * random(N, N_CHANNELS, 3, 3, seed=seed) + 1)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    batch = random(N, N_CHANNELS, 3, 3, seed=9)
    with sample_weights_in(norm.eval(), torch.arange(N) + 1.0 if weighs else None):
        values = norm(batch)
    mean, variance, bias = (before[name][:, None, None] for name in ("mean", "variance", "bias"))
    torch.testing.assert_close(values, (batch - mean) / (variance + norm.eps).sqrt() + bias)
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())


def test_momentum_of_one_keeps_the_last_batch_only():
    norm = BatchNorm(N_CHANNELS, momentum=1.0).double()
    batch = random(N, N_CHANNELS, 3, 3)
    norm(batch)
    torch.testing.assert_close(norm.mean, batch.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(norm.variance, batch.var(dim=(0, 2, 3), correction=0))


def break_off(net, weights):
    with sample_weights_in(net, weights):
        raise RuntimeError("in the middle of a batch")


def test_weights_are_removed_after_the_context_even_after_an_error():
    net = nn.Sequential(make_norm(), nn.Sequential(make_norm()))
    fresh = nn.Sequential(make_norm(), nn.Sequential(make_norm()))
    weights = torch.arange(N, dtype=torch.float64)
    with sample_weights_in(net, weights):
        assert all(norm.weights is weights for norm in (net[0], net[1][0]))
    with pytest.raises(RuntimeError, match="in the middle"):
        break_off(net, weights)
    batch = random(N, N_CHANNELS, 2, 2)
    assert torch.equal(net(batch), fresh(batch))


def test_memory_layout_is_kept_and_does_not_change_the_values():
    batch = random(N, N_CHANNELS, 4, 3)
    last = batch.contiguous(memory_format=torch.channels_last)
    for weights in (None, torch.arange(N, dtype=torch.float64)):
        first, second = (outcome(make_norm(), each, weights=weights) for each in (batch, last))
        assert second[0].is_contiguous(memory_format=torch.channels_last)
        assert_same(second, first)


@pytest.mark.parametrize(
    "weights", [None, torch.ones(64), torch.linspace(0, 2, 64, dtype=torch.float64)]
)
def test_statistics_of_bfloat16_maps_are_computed_in_float32(weights):
    # Far from zero, where the spacing of bfloat16 values is large.
    maps = (random(64, N_CHANNELS, 5, 5, dtype=torch.float32) + 10).bfloat16()
    norm, exact = BatchNorm(N_CHANNELS, momentum=1.0), BatchNorm(N_CHANNELS, momentum=1.0)
    with sample_weights_in(norm, weights), torch.autocast("cpu", torch.bfloat16):
        values = norm(maps)
    with sample_weights_in(exact, weights):
        expected = exact(maps.float())
    assert values.dtype is torch.bfloat16
    torch.testing.assert_close(values.float(), expected, rtol=0.01, atol=1e-3)
    torch.testing.assert_close(norm.mean, exact.mean)
    torch.testing.assert_close(norm.variance, exact.variance)
    with torch.autocast("cpu", torch.bfloat16):
        evaluated = norm.eval()(maps)
    torch.testing.assert_close(evaluated.float(), exact.eval()(maps.float()), rtol=0.01, atol=1e-3)
