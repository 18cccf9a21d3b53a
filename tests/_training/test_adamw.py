"""AdamW gives bit-for-bit the steps of torch."""

import copy
import io
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skimgcls._training._adamw import AdamW

few = settings(deadline=None, max_examples=50)
SHAPES = [(5, 3), (5,), (2, 3, 2, 2), (1,)]
ALL = frozenset(range(len(SHAPES)))


def make_weights(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator, dtype=dtype)) for shape in SHAPES]


def make_groups(weights):
    """Two groups with different settings."""
    return [
        {"params": weights[:2], "lr": 0.05, "weight_decay": 0.3},
        {"params": weights[2:], "betas": (0.8, 0.95), "eps": 1e-6},
    ]


def make_pair(grouped=True, dtype=torch.float32):
    """Return our optimizer and that of torch, each with its own weights."""
    kwargs = {"lr": 0.1, "weight_decay": 0.01}
    make = make_groups if grouped else lambda weights: weights
    ours = AdamW(make(make_weights(dtype)), **kwargs)
    return ours, torch.optim.AdamW(make(make_weights(dtype)), fused=True, **kwargs)


def weights_of(optimizer):
    return [weights for group in optimizer.param_groups for weights in group["params"]]


def give_gradients(optimizer, seed, which=ALL):
    """Set gradients of some weights, and None for the others."""
    generator = torch.Generator().manual_seed(seed)
    for index, weights in enumerate(weights_of(optimizer)):
        gradient = torch.randn(weights.shape, generator=generator, dtype=weights.dtype)
        weights.grad = gradient if index in which else None


def take_steps(optimizer, seeds, which=ALL):
    for seed in seeds:
        give_gradients(optimizer, seed, which)
        optimizer.step()


def assert_equal(ours, theirs):
    """Check weights, moments and counts, bit for bit."""
    for one, other in zip(weights_of(ours), weights_of(theirs), strict=True):
        assert torch.equal(one, other)
    found, expected = ours.state_dict()["state"], theirs.state_dict()["state"]
    assert list(found) == list(expected)
    for index, state in expected.items():
        assert list(found[index]) == list(state)
        for name, value in state.items():
            assert found[index][name].dtype is value.dtype
            assert torch.equal(found[index][name], value), (index, name)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("grouped", [False, True])
def test_many_steps_are_those_of_torch(grouped, dtype):
    ours, theirs = make_pair(grouped, dtype)
    for seed in range(30):
        take_steps(ours, [seed])
        take_steps(theirs, [seed])
        assert all(map(torch.equal, weights_of(ours), weights_of(theirs)))
    assert_equal(ours, theirs)


def test_settings_may_change_between_steps():
    pair = make_pair()
    for seed in range(12):
        for optimizer in pair:
            first, second = optimizer.param_groups
            first["lr"], second["lr"] = 0.1 / (1 + seed), 0.01 * seed
            second["weight_decay"] = 0.1 * (seed % 3)
            take_steps(optimizer, [seed])
    assert_equal(*pair)


@few
@given(steps=st.lists(st.frozensets(st.sampled_from(sorted(ALL))), min_size=1, max_size=12))
def test_weights_may_lack_a_gradient_at_any_step(steps):
    pair = make_pair()
    for seed, which in enumerate(steps):
        for optimizer in pair:
            take_steps(optimizer, [seed], which)
    assert_equal(*pair)


@pytest.mark.parametrize("late", [{0}, {2, 3}, {1, 2}])
def test_weights_may_come_late(late):
    pair = make_pair()
    for optimizer in pair:
        take_steps(optimizer, range(4), ALL - late)
        take_steps(optimizer, range(4, 10))
    assert_equal(*pair)


@few
@given(steps=st.lists(st.frozensets(st.sampled_from(sorted(ALL))), min_size=1, max_size=12))
def test_weights_may_be_frozen_and_unfrozen_at_any_step(steps):
    pair = make_pair()
    for seed, frozen in enumerate(steps):
        for optimizer in pair:
            for index, weights in enumerate(weights_of(optimizer)):
                weights.requires_grad = index not in frozen
            take_steps(optimizer, [seed], ALL - frozen)
    assert_equal(*pair)


def test_one_weight_may_be_frozen_while_another_is_unfrozen():
    """The number of weights is the same, but not the weights."""
    pair = make_pair()
    for optimizer in pair:
        for frozen in (0, 1):
            for index, weights in enumerate(weights_of(optimizer)):
                weights.requires_grad = index != frozen
            take_steps(optimizer, range(3), ALL - {frozen})
    assert_equal(*pair)


def test_a_gradient_is_used_even_if_its_weights_were_frozen_later():
    pair = make_pair()
    for optimizer in pair:
        take_steps(optimizer, range(3))
        give_gradients(optimizer, 3)
        for weights in weights_of(optimizer)[1:3]:
            weights.requires_grad = False
        for _ in range(3):
            optimizer.step()
    assert_equal(*pair)


@pytest.mark.parametrize("is_frozen", [False, True])
@pytest.mark.parametrize("missing", [{0, 1}, {2, 3}, ALL])
def test_whole_groups_may_be_skipped(missing, is_frozen):
    pair = make_pair()
    for optimizer in pair:
        for index in missing:
            weights_of(optimizer)[index].requires_grad = not is_frozen
        take_steps(optimizer, range(4), ALL - missing)
    assert_equal(*pair)


def test_a_group_may_be_added():
    pair = make_pair()
    for optimizer in pair:
        take_steps(optimizer, range(3))
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(4))], "lr": 0.3})
        for seed in range(3, 8):
            take_steps(optimizer, [seed], {*ALL, len(ALL)})
    assert_equal(*pair)


def test_the_memory_layout_of_the_weights_is_kept():
    pair = make_pair()
    for optimizer in pair:
        for weights in weights_of(optimizer):
            if weights.ndim == 4:
                weights.data = weights.data.to(memory_format=torch.channels_last)
        take_steps(optimizer, range(5))
    assert_equal(*pair)


# The state


def by_deepcopy(state):
    return copy.deepcopy(state)


def by_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file)


def as_it_is(state):
    return state


@pytest.mark.parametrize("carry", [as_it_is, by_deepcopy, by_file])
@pytest.mark.parametrize("n_before", [0, 1, 7])
def test_training_continues_bit_for_bit_from_a_loaded_state(carry, n_before):
    ours, theirs = make_pair()
    for optimizer in (ours, theirs):
        take_steps(optimizer, range(n_before))
    loaded, _ = make_pair()
    # These steps are overwritten by the loaded state.
    take_steps(loaded, range(50, 53))
    loaded.load_state_dict(carry(ours.state_dict()))
    for one, other in zip(weights_of(loaded), weights_of(ours), strict=True):
        one.data.copy_(other.data)
    for optimizer in (loaded, theirs):
        take_steps(optimizer, range(n_before, n_before + 5))
    assert_equal(loaded, theirs)


def test_the_state_can_be_exchanged_with_torch():
    ours, reference = make_pair()
    _, other = make_pair()
    take_steps(ours, range(4))
    other.load_state_dict(copy.deepcopy(ours.state_dict()))
    for one, mine in zip(weights_of(other), weights_of(ours), strict=True):
        one.data.copy_(mine.data)
    take_steps(other, range(4, 8))
    ours.load_state_dict(copy.deepcopy(other.state_dict()))
    for one, mine in zip(weights_of(other), weights_of(ours), strict=True):
        mine.data.copy_(one.data)
    take_steps(ours, range(8, 12))
    take_steps(reference, range(12))
    assert_equal(ours, reference)


@pytest.mark.parametrize("n_steps", [1, 2, 40])
def test_the_step_count_in_the_state_is_always_current(n_steps):
    ours, _ = make_pair()
    for n_done in (n_steps, 2 * n_steps):
        take_steps(ours, range(n_steps))
        counts = [float(state["step"]) for state in ours.state_dict()["state"].values()]
        assert counts == [n_done] * len(SHAPES)
        assert [float(ours.state[weights]["step"]) for weights in weights_of(ours)] == counts


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_continues_bit_for_bit_and_independently(copied):
    ours, theirs = make_pair()
    for optimizer in (ours, theirs):
        take_steps(optimizer, range(5))
    again = copied(ours)
    before = [weights.detach().clone() for weights in weights_of(ours)]
    take_steps(again, range(5, 9))
    assert all(map(torch.equal, weights_of(ours), before))
    for optimizer in (ours, theirs):
        take_steps(optimizer, range(5, 9))
    assert_equal(again, theirs)
    assert_equal(ours, theirs)


# A step


def test_a_closure_computes_the_gradients_and_step_returns_its_loss():
    ours, theirs = make_pair()

    def closure_of(optimizer):
        def closure():
            assert torch.is_grad_enabled()
            optimizer.zero_grad()
            loss = sum(weights.square().sum() for weights in weights_of(optimizer))
            loss.backward()
            return loss

        return closure

    with torch.no_grad():
        for _ in range(5):
            losses = [optimizer.step(closure_of(optimizer)) for optimizer in (ours, theirs)]
            assert torch.equal(*losses)
    assert_equal(ours, theirs)
    assert ours.step() is None


def test_an_update_is_a_step_that_keeps_the_gradients():
    ours, theirs = make_pair()
    for seed in range(5):
        give_gradients(ours, seed)
        ours.update()
        take_steps(theirs, [seed])
        assert all(
            torch.equal(one.grad, other.grad)
            for one, other in zip(weights_of(ours), weights_of(theirs), strict=True)
        )
    assert_equal(ours, theirs)
    assert all(weights.requires_grad for weights in weights_of(ours))
