"""Seeding does not affect the caller's random generators."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skimgcls.utils._random import draw_seed, seeded, spawn_seed

few = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**32 - 1)


def states():
    numpy_state = np.random.get_state()  # noqa: NPY002 - tests the global generator
    return numpy_state[1].tolist(), numpy_state[2], torch.get_rng_state().tolist()


@few
@given(seed=seeds, step=st.integers(0, 10_000))
def test_seeds_are_deterministic(seed, step):
    assert draw_seed(seed) == draw_seed(seed)
    assert spawn_seed(seed, step) == spawn_seed(seed, step)
    assert spawn_seed(seed, step) != spawn_seed(seed, step + 1)


@few
@given(seed=seeds)
def test_every_seed_is_valid_for_numpy_and_torch(seed):
    for drawn in (draw_seed(seed), draw_seed(None), spawn_seed(seed, 0)):
        with seeded(drawn) as rng:
            first = rng.rand(), torch.rand(1)
        with seeded(drawn) as rng:
            assert (rng.rand(), torch.rand(1)) == first


def test_seed_of_none_is_random_and_leaves_the_global_generators_unchanged():
    before = states()
    assert len({draw_seed(None) for _ in range(20)}) == 20
    assert states() == before


def test_drawing_a_seed_advances_the_random_state():
    random_state = np.random.RandomState(0)
    first, second = draw_seed(random_state), draw_seed(random_state)
    assert first == draw_seed(np.random.RandomState(0))
    assert first != second


def test_global_generators_are_restored_even_after_an_error():
    before = states()

    def draw_and_fail():
        with seeded(3):
            raise ValueError(f"inside: {torch.rand(1)}")

    with pytest.raises(ValueError, match="inside"):
        draw_and_fail()
    assert states() == before


def test_seeded_blocks_do_not_depend_on_the_global_generators():
    with seeded(3):
        first = torch.rand(3)
    torch.rand(7)
    with seeded(3):
        assert torch.equal(torch.rand(3), first)
