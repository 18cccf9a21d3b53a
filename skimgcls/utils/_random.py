"""Seeding that does not affect the caller's random generators."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return an integer seed for `random_state`.

    None draws entropy from the operating system, not from NumPy's global generator. A RandomState
    instance is advanced, as in scikit-learn.

    >>> draw_seed(0) == draw_seed(0)
    True
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return int(check_random_state(random_state).randint(2**31 - 1))


def spawn_seed(seed: int, step: int) -> int:
    """Return the seed of step number `step` of a run that started with `seed`.

    Each step of a continued fit has its own seed, which does not change if the estimator is
    pickled in between.
    """
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])


@contextmanager
def seeded(seed: int, device: torch.device | str = "cpu") -> Iterator[np.random.RandomState]:
    """Seed torch inside the block, and yield a NumPy generator with the same seed.

    Inside the block gradients are enabled and the default dtype is float32, whatever the caller has
    set. On exit, also after an error, these settings and the generators of the CPU and of `device`
    are restored.

    >>> before = torch.get_rng_state()
    >>> with seeded(0) as rng:
    ...     _ = torch.rand(3), rng.rand(3)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """
    with (
        torch_seeded(seed, torch.device(device)),
        torch.inference_mode(False),
        torch.enable_grad(),
        _float32_by_default(),
    ):
        yield np.random.RandomState(seed)


@contextmanager
def torch_seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed only torch's generators of the CPU and of `device` inside the block."""
    generators = [torch.default_generator, *_generators_of(device)]
    states = [generator.get_state() for generator in generators]
    try:
        # torch.manual_seed would seed all GPUs, including those that are not restored.
        for generator in generators:
            generator.manual_seed(seed)
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)


def _generators_of(device: torch.device) -> list[torch.Generator]:
    """Return the generators of a device other than the CPU."""
    if device.type != "cuda":
        return []
    # current_device also initializes CUDA, which has no generators before.
    current = torch.cuda.current_device()
    return [torch.cuda.default_generators[current if device.index is None else device.index]]


@contextmanager
def _float32_by_default() -> Iterator[None]:
    callers = torch.get_default_dtype()
    if callers is torch.float32:
        # The setting is global to the process, so it is set only if it must change.
        yield
        return
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(callers)
