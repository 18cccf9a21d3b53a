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
def test_seeds_are_a_function_of_what_they_come_from(seed, step):
    assert draw_seed(seed) == draw_seed(seed)
    assert spawn_seed(seed, step) == spawn_seed(seed, step)
    assert spawn_seed(seed, step) != spawn_seed(seed, step + 1)


@few
@given(seed=seeds)
def test_every_seed_drawn_seeds_both_generators(seed):
    for drawn in (draw_seed(seed), draw_seed(None), spawn_seed(seed, 0)):
        with seeded(drawn) as rng:
            first = rng.rand(), torch.rand(1)
        with seeded(drawn) as rng:
            assert (rng.rand(), torch.rand(1)) == first


def test_no_seed_is_a_fresh_one_each_time_and_not_the_callers():
    before = states()
    assert len({draw_seed(None) for _ in range(20)}) == 20
    assert states() == before


def test_a_random_state_is_advanced():
    random_state = np.random.RandomState(0)
    first, second = draw_seed(random_state), draw_seed(random_state)
    assert first == draw_seed(np.random.RandomState(0))
    assert first != second


def test_the_generators_of_the_caller_come_back_even_from_an_error():
    before = states()

    def draw_and_fail():
        with seeded(3):
            raise ValueError(f"inside: {torch.rand(1)}")

    with pytest.raises(ValueError, match="inside"):
        draw_and_fail()
    assert states() == before


def test_seeded_blocks_do_not_hear_of_what_the_caller_has_drawn():
    with seeded(3):
        first = torch.rand(3)
    torch.rand(7)
    with seeded(3):
        assert torch.equal(torch.rand(3), first)
