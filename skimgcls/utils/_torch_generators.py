"""Threads that share torch's process-wide generators, each with a sequence of its own.

Layers such as dropout draw from the generator of the process and accept no other. A seeded block
has a sequence of numbers of its own, the state of which is put into the generators while the block
draws. Blocks in other threads wait only for the draws, not for the whole block.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch


class _Sequence:
    """The state of the generators in one seeded block."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.generators = [torch.default_generator, *_generators_of(device)]
        self._seed = seed
        self._states: list[torch.Tensor] | None = None

    def save(self) -> None:
        self._states = [generator.get_state() for generator in self.generators]

    def restore(self) -> None:
        # torch.manual_seed would seed all GPUs, including those that are not restored.
        for index, generator in enumerate(self.generators):
            if self._states is None:
                generator.manual_seed(self._seed)
            else:
                generator.set_state(self._states[index])


class _CallersState(NamedTuple):
    generator: torch.Generator
    state: torch.Tensor


class _SharedGenerators:
    """Which block the state in the generators belongs to; `holder` None means the caller.

    All methods require the lock.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._holder: _Sequence | None = None
        self._callers: list[_CallersState] = []

    def give_to(self, sequence: _Sequence) -> None:
        if self._holder is sequence:
            return
        if self._holder is not None:
            self._holder.save()
            self._restore_callers()
        self._callers = [_CallersState(g, g.get_state()) for g in sequence.generators]
        sequence.restore()
        self._holder = sequence

    def give_back(self, sequence: _Sequence) -> None:
        """Restore the state of the caller, if the generators hold that of the sequence."""
        if self._holder is sequence:
            self._restore_callers()

    def _restore_callers(self) -> None:
        for generator, state in self._callers:
            generator.set_state(state)
        self._holder, self._callers = None, []


class _Stack(threading.local):
    """The nested seeded blocks of a thread."""

    def __init__(self) -> None:
        self.sequences: list[_Sequence] = []


_shared = _SharedGenerators()
_stack = _Stack()


@contextmanager
def torch_seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators of the CPU and of `device` inside the block.

    What the block draws inside `drawing` does not depend on other threads. On exit, also after an
    error, the state of the caller or of the enclosing block is restored.
    """
    sequence = _Sequence(seed, device)
    sequences = _stack.sequences
    sequences.append(sequence)
    try:
        with drawing():
            pass
        yield
    finally:
        sequences.pop()
        with _shared.lock:
            _shared.give_back(sequence)
            if sequences:
                _shared.give_to(sequences[-1])


@contextmanager
def drawing() -> Iterator[None]:
    """Use the generators alone; without effect outside a seeded block.

    >>> with torch_seeded(0, torch.device("cpu")), drawing():
    ...     first = torch.rand(3)
    >>> with torch_seeded(0, torch.device("cpu")), drawing():
    ...     torch.equal(first, torch.rand(3))
    True
    """
    if not _stack.sequences:
        yield
        return
    with _shared.lock:
        _shared.give_to(_stack.sequences[-1])
        yield


def _generators_of(device: torch.device) -> list[torch.Generator]:
    """Return the generators of a device other than the CPU."""
    if device.type != "cuda":
        return []
    # current_device also initializes CUDA, which has no generators before.
    current = torch.cuda.current_device()
    return [torch.cuda.default_generators[current if device.index is None else device.index]]
