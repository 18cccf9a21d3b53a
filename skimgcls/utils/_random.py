"""One seed in, the caller's generators untouched."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return the seed that `random_state` stands for.

    None draws fresh entropy from the operating system, not from NumPy's global generator, which is
    the caller's. A RandomState instance is advanced, as everywhere in scikit-learn.

    >>> draw_seed(0) == draw_seed(0)
    True
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return int(check_random_state(random_state).randint(2**31 - 1))


def spawn_seed(seed: int, step: int) -> int:
    """Return the seed of the `step`-th piece of work of a run that began with `seed`.

    A continued fit draws anew at each step, and alike whether or not it was pickled in between.
    """
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])


@contextmanager
def seeded(seed: int, device: torch.device | str = "cpu") -> Iterator[np.random.RandomState]:
    """Seed torch inside the block, and give a NumPy generator of the same seed.

    Inside, torch is as in a fresh process, whatever the caller has set: gradients are on and new
    tensors are float32. On the way out the generators of the processor and of `device` and those
    settings are put back, whatever happened.

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
    """Seed torch's generators of the processor and of `device` inside the block, and no more."""
    generators = [torch.default_generator, *_generators_of(device)]
    states = [generator.get_state() for generator in generators]
    try:
        # Not torch.manual_seed: it would seed all GPUs, also those not put back.
        for generator in generators:
            generator.manual_seed(seed)
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)


def _generators_of(device: torch.device) -> list[torch.Generator]:
    """Return the generators of a device beside the processor's."""
    if device.type != "cuda":
        return []
    # Asking for the current device also readies CUDA, which has no generators before.
    current = torch.cuda.current_device()
    return [torch.cuda.default_generators[current if device.index is None else device.index]]


@contextmanager
def _float32_by_default() -> Iterator[None]:
    callers = torch.get_default_dtype()
    if callers is torch.float32:
        # The setting is the whole process's: where nothing is to be changed nothing is.
        yield
        return
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(callers)
