"""Muon, an optimizer for convolutional networks."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skimgcls._training._muon import Muon, orthogonalized
from skimgcls.utils._random import seeded

few = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**31)


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def make_net(dtype=torch.float64, channels_last=False):
    with seeded(0):
        filters = [nn.Conv2d(2, 6, 3), nn.Tanh(), nn.Conv2d(6, 4, 2), nn.Tanh()]
        net = nn.Sequential(*filters, nn.Flatten(), nn.Linear(16, 3)).to(dtype)
    return net.to(memory_format=torch.channels_last) if channels_last else net


def make_optimizer(net, lr=0.1, **settings):
    return Muon([{"params": list(net.parameters())}], lr=lr, **settings)


def take_steps(net, optimizer, seeds):
    for seed in seeds:
        batch = random(8, 2, 5, 5, seed=seed, dtype=net[0].weight.dtype)
        optimizer.zero_grad()
        net(batch).square().mean().backward()
        optimizer.step()


def filters_of(net):
    return [weights for weights in net.parameters() if weights.ndim == 4]


def others_of(net):
    return [weights for weights in net.parameters() if weights.ndim != 4]


def normalized(weights):
    """Return a filter bank scaled so that the root mean square of the row norms is 1."""
    rows = weights.detach().flatten(1)
    return weights.detach() / rows.square().sum(dim=1).mean().sqrt()


# Orthogonalization


@few
@given(seed=seeds, height=st.integers(1, 9), width=st.integers(1, 9))
def test_singular_vectors_are_kept_and_singular_values_become_one(seed, height, width):
    matrix = random(height, width, seed=seed)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    values = values / (values.norm() + 1e-7)
    for _ in range(3):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    torch.testing.assert_close(orthogonalized(matrix), left @ values.diag() @ right)
    assert values.max() < 1.21


@few
@given(seed=seeds, scale=st.floats(1e-3, 1e3))
def test_the_norm_of_a_matrix_does_not_matter(seed, scale):
    matrix = random(4, 7, seed=seed)
    found, expected = orthogonalized(scale * matrix), orthogonalized(matrix)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(8, 40), (40, 8), (16, 16)])
def test_equal_singular_values_become_about_one(height, width):
    matrix = torch.linalg.svd(random(height, width), full_matrices=False)
    values = torch.linalg.svdvals(orthogonalized(matrix.U @ matrix.Vh))
    assert values.min() > 0.65
    assert values.max() < 1.21


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(2, 5), (5, 2), (1, 1)])
def test_a_matrix_of_zeros_stays_one(shape, dtype):
    assert torch.equal(
        orthogonalized(torch.zeros(shape, dtype=dtype)), torch.zeros(shape, dtype=dtype)
    )


def test_a_tall_matrix_gives_the_transpose_of_a_wide_one():
    matrix = random(9, 4)
    torch.testing.assert_close(orthogonalized(matrix), orthogonalized(matrix.T).T)


# Filters


@few
@given(seed=seeds, lr=st.floats(1e-4, 1), momentum=st.sampled_from([0.0, 0.6, 0.9]))
def test_a_step_of_filters_is_the_orthogonalized_momentum(seed, lr, momentum):
    weights = nn.Parameter(random(4, 2, 3, 3, seed=seed))
    optimizer = Muon([{"params": [weights]}], lr=lr, momentum=momentum)
    mean = torch.zeros_like(weights)
    for step in range(3):
        before = normalized(weights)
        gradient = random(4, 2, 3, 3, seed=seed + step + 1)
        weights.grad = gradient.clone()
        optimizer.step()
        mean = momentum * mean + gradient
        nesterov = (gradient + momentum * mean).flatten(1)
        expected = before.flatten(1) - lr * orthogonalized(nesterov)
        torch.testing.assert_close(weights.detach().flatten(1), expected)


@pytest.mark.parametrize("shape", [(4, 8, 3, 3), (32, 2, 2, 2), (5, 1, 1, 1)])
def test_a_step_has_singular_values_of_about_the_learning_rate(shape):
    weights = nn.Parameter(random(*shape))
    before = normalized(weights)
    weights.grad = random(*shape, seed=1)
    Muon([{"params": [weights]}], lr=0.01).step()
    values = torch.linalg.svdvals((weights.detach() - before).flatten(1)) / 0.01
    assert values.min() > 0.5
    assert values.max() < 1.21


def test_the_norm_of_filters_and_gradients_does_not_matter():
    results = []
    for scale in (1, 1000):
        weights = nn.Parameter(scale * random(4, 2, 3, 3))
        weights.grad = scale * random(4, 2, 3, 3, seed=1)
        Muon([{"params": [weights]}], lr=0.1).step()
        results.append(weights.detach())
    torch.testing.assert_close(*results)


def test_products_of_bfloat16_change_the_direction_a_little():
    steps = {}
    for autocast in (False, True):
        weights = nn.Parameter(random(4, 2, 3, 3, dtype=torch.float32))
        before = normalized(weights)
        weights.grad = random(4, 2, 3, 3, seed=1, dtype=torch.float32)
        Muon([{"params": [weights]}], lr=0.1, autocast=autocast).step()
        assert weights.dtype is torch.float32
        steps[autocast] = weights.detach() - before
    assert not torch.equal(steps[True], steps[False])
    torch.testing.assert_close(steps[True], steps[False], rtol=0, atol=0.1 * 0.05)


# All other weights


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_other_weights_are_updated_by_adamw_at_a_twentieth_of_the_learning_rate(dtype):
    shapes = [(5, 3), (5,), (2, 3, 4)]
    ours, theirs = (
        [nn.Parameter(random(*shape, dtype=dtype)) for shape in shapes] for _ in range(2)
    )
    # The filter bank does not affect the other weights.
    filters = nn.Parameter(random(2, 2, 2, 2, dtype=dtype))
    muon = Muon([{"params": [filters, *ours]}], lr=0.2, weight_decay=0.3)
    adamw = torch.optim.AdamW(theirs, lr=0.2 * 0.05, weight_decay=0.3, fused=True)
    for seed in range(4):
        filters.grad = random(2, 2, 2, 2, seed=seed, dtype=dtype)
        for i, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            one.grad = random(*one.shape, seed=10 * seed + i, dtype=dtype)
            other.grad = one.grad.clone()
        muon.step()
        adamw.step()
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_weight_decay_does_not_change_filters():
    nets = [make_net() for _ in range(2)]
    for net, weight_decay in zip(nets, (0.0, 5.0), strict=True):
        take_steps(net, make_optimizer(net, weight_decay=weight_decay), seeds=[0])
    assert all(map(torch.equal, *map(filters_of, nets)))
    assert not any(map(torch.equal, *map(others_of, nets)))


# Groups of weights


def test_filters_are_recognized_by_their_shape():
    net = make_net()
    filters, others = make_optimizer(net, lr=0.4).param_groups
    assert [id(weights) for weights in filters["params"]] == [id(w) for w in filters_of(net)]
    assert [id(weights) for weights in others["params"]] == [id(w) for w in others_of(net)]
    assert (filters["lr"], filters["lr_scale"]) == (0.4, 1.0)
    assert (others["lr"], others["lr_scale"]) == (0.4 * 0.05, 0.05)


def test_all_groups_are_updated():
    net = make_net()
    optimizer = Muon([{"params": filters_of(net)}, {"params": others_of(net)}], lr=0.1)
    before = copy.deepcopy(net)
    take_steps(net, optimizer, seeds=[0])
    assert not any(map(torch.equal, net.parameters(), before.parameters()))


def test_frozen_weights_do_not_change():
    net = make_net()
    frozen = (net[0].weight, net[5].weight)
    for weights in frozen:
        weights.requires_grad = False
    before = copy.deepcopy(net)
    take_steps(net, make_optimizer(net, weight_decay=0.1), seeds=range(3))
    assert torch.equal(net[0].weight, before[0].weight)
    assert torch.equal(net[5].weight, before[5].weight)
    assert not torch.equal(net[2].weight, before[2].weight)
    assert not torch.equal(net[5].bias, before[5].bias)


def test_a_network_may_have_no_filters_or_only_filters():
    net = make_net()
    for weights in (filters_of(net), others_of(net)):
        before = [each.detach().clone() for each in weights]
        optimizer = Muon([{"params": weights}], lr=0.1)
        take_steps(net, optimizer, seeds=[0, 1])
        assert not any(map(torch.equal, weights, before))


# Steps


@pytest.mark.parametrize("channels_last", [False, True])
def test_training_continues_bit_for_bit_from_a_loaded_state(channels_last):
    net = make_net(torch.float32, channels_last)
    optimizer = make_optimizer(net, momentum=0.9)
    take_steps(net, optimizer, seeds=range(3))
    other = copy.deepcopy(net)
    loaded = make_optimizer(other, lr=9.0)
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one, its_optimizer in ((net, optimizer), (other, loaded)):
        take_steps(one, its_optimizer, seeds=range(3, 6))
    assert all(map(torch.equal, net.parameters(), other.parameters()))


def test_the_memory_layout_changes_nothing():
    nets = [make_net(channels_last=channels_last) for channels_last in (False, True)]
    for net in nets:
        take_steps(net, make_optimizer(net), seeds=range(3))
    for one, other in zip(*(net.parameters() for net in nets), strict=True):
        torch.testing.assert_close(one, other)
    assert nets[1][2].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_closure_computes_the_gradients_and_step_returns_its_loss():
    nets = [make_net() for _ in range(2)]
    plain, with_closure = map(make_optimizer, nets)
    assert plain.step() is None
    take_steps(nets[0], plain, seeds=[3])

    def closure():
        assert torch.is_grad_enabled()
        loss = nets[1](random(8, 2, 5, 5, seed=3)).square().mean()
        loss.backward()
        return loss

    expected = make_net()(random(8, 2, 5, 5, seed=3)).square().mean()
    torch.testing.assert_close(with_closure.step(closure), expected)
    assert all(map(torch.equal, *(net.parameters() for net in nets)))


def test_it_learns_what_can_be_learned():
    net = make_net(torch.float32)
    targets = np.arange(30) % 3
    batch = random(30, 2, 5, 5, dtype=torch.float32)
    batch[targets == 1] += 1
    batch[targets == 2, :, :, ::2] += 2
    optimizer = make_optimizer(net, lr=0.1)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(batch), torch.from_numpy(targets)).backward()
        optimizer.step()
    assert (net(batch).argmax(dim=1).numpy() == targets).all()
