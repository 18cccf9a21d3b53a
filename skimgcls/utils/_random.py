"""Seeding that does not affect the caller's random generators."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state

from skimgcls.utils._torch_generators import torch_seeded
from skimgcls.utils._torch_settings import default_settings


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

    Inside the block gradients are enabled, autocast is disabled, and the default device and dtype
    are the CPU and float32, whatever the caller has set. On exit, also after an error, these
    settings and the generators of the CPU and of `device` are restored.

    Fits in several threads share torch's generators: draw inside `drawing` what must not depend on
    other threads.

    >>> before = torch.get_rng_state()
    >>> with seeded(0) as rng:
    ...     _ = torch.rand(3), rng.rand(3)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """
    with (
        torch_seeded(seed, torch.device(device)),
        default_settings(),
    ):
        yield np.random.RandomState(seed)
