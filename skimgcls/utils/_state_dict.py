"""Convert the state of a trained network to arrays and plain values, and back."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral
from typing import Any

import numpy as np
import torch

# Key of the reference that replaces weights stored separately.
_ELSEWHERE = "weights_elsewhere"
# Memory of all copies of the stored weights, relative to the weights, and in addition.
_MOST_COPIES, _SPARE_BYTES = 4, 2**24


class ExternalWeights:
    """Weights that are stored separately from the state they belong to.

    Parameters
    ----------
    arrays : dict of {str: ndarray}, default=None
        Arrays that were read; None to start empty.
    with_optimizer : bool, default=False
        Whether to store the state of the optimizer, which is twice as large as the weights.
    """

    def __init__(
        self, arrays: dict[str, np.ndarray] | None = None, *, with_optimizer: bool = False
    ) -> None:
        self.arrays = {} if arrays is None else arrays
        self.with_optimizer = with_optimizer
        n_bytes = sum(array.nbytes for array in self.arrays.values())
        self._left = _MOST_COPIES * n_bytes + _SPARE_BYTES

    def put(self, array: np.ndarray) -> dict[str, str]:
        """Store an array and return a reference to it.

        Its name is a digest of its content, since a state may be requested more than once.
        """
        looks = f"{array.dtype.str}{array.shape}".encode()
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        name = hashlib.blake2b(looks + content.tobytes(), digest_size=16).hexdigest()
        self.arrays[name] = array
        return {_ELSEWHERE: name}

    def take(self, name: Any) -> np.ndarray:
        """Return the array with the given name."""
        if name not in self.arrays:
            raise ValueError(f"weights {name!r} are missing")
        return self.arrays[name]

    def copy(self, name: Any) -> np.ndarray:
        """Return a copy of an array; raise if copies take many times the memory of all arrays.

        Networks may share weights, such as zeros, but a file could name its largest weight
        thousands of times.
        """
        array = self.take(name)
        self._left -= array.nbytes
        if self._left < 0:
            raise ValueError("its weights are used more often than they are stored")
        return array.copy()


_apart: ContextVar[ExternalWeights | None] = ContextVar("external_weights", default=None)


@contextmanager
def external_weights(store: ExternalWeights) -> Iterator[ExternalWeights]:
    """Store the weights of states dumped or restored inside the block in `store`."""
    token = _apart.set(store)
    try:
        yield store
    finally:
        _apart.reset(token)


def dump_net(net: Any) -> dict[str, Any]:
    """Return the weights and the optimizer state as arrays, lists and numbers."""
    store = _apart.get()
    kept = {"module": net.module_.state_dict()}
    if store is None or store.with_optimizer:
        kept["optimizer"] = net.optimizer_.state_dict()
    return to_arrays(kept)


# A network of another library is built with a last layer that is then replaced. These are the
# number of values and of names that it may have in addition.
_LONGEST_SIDE = 2**16
_SPARE_NUMBERS, _SPARE_NAMES = 2**26, 2**10


class _OtherNetError(ValueError):
    """A network has more weights than were stored."""


def check_shape(image_shape: Any) -> None:
    """Raise if the shape of an image in a file is not that of an image.

    >>> check_shape((1, 1, 2 * 10**8))
    Traceback (most recent call last):
    ...
    ValueError: the image shape (1, 1, 200000000) is not three sides from 1 to 65536
    """
    is_shape = isinstance(image_shape, list | tuple) and len(image_shape) == len("hwc")
    if not is_shape or not all(
        isinstance(side, Integral) and 1 <= int(side) <= _LONGEST_SIDE for side in image_shape
    ):
        raise ValueError(
            f"the image shape {str(image_shape)[:80]} is not three sides from 1 to {_LONGEST_SIDE}"
        )


def build_net(make: Callable[[], torch.nn.Module], module: Mapping[str, Any]) -> torch.nn.Module:
    """Return a new network; raise if it has more weights than were stored in `module`.

    Altered parameters could request a network of any size. It is therefore built on the meta device
    first, which allocates no memory. A network that cannot be built there comes from another
    library. In both cases construction stops when the weights exceed the limit.
    """
    store = _apart.get()
    if store is None:
        return make()
    arrays = [store.take(value[_ELSEWHERE]) for value in module.values()]
    limits = sum(array.size for array in arrays) + _SPARE_NUMBERS, len(arrays) + _SPARE_NAMES
    try:
        with torch.device("meta"), _at_most(*limits):
            make()
    except _OtherNetError:
        raise
    except Exception:
        pass
    with _at_most(*limits):
        return make()


@contextmanager
def _at_most(n_numbers: int, n_names: int) -> Iterator[None]:
    """Raise if the modules built inside the block have more numbers or weights than this."""
    left = [n_numbers, n_names]
    thread = threading.get_ident()

    def count(module: torch.nn.Module, name: str, weights: torch.Tensor | None) -> None:
        if threading.get_ident() != thread or weights is None:
            return
        left[0] -= weights.numel()
        left[1] -= 1
        if min(left) < 0:
            raise _OtherNetError("its parameters define a larger network than it has weights for")

    modules = torch.nn.modules.module
    hooks = [
        modules.register_module_parameter_registration_hook(count),
        modules.register_module_buffer_registration_hook(count),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def restore_net(net: Any, dumped: dict[str, Any]) -> None:
    """Restore the dumped state of a network with the same architecture."""
    load_state(net.module_, to_tensors(dumped["module"]))
    if "optimizer" not in dumped:
        return
    net.optimizer_.load_state_dict(to_tensors(dumped["optimizer"]))
    # A fused optimizer needs weights and moments in the same memory layout, and arrays have lost
    # the channels-last layout.
    for weights, moments in net.optimizer_.state.items():
        for name, value in moments.items():
            if value.shape == weights.shape:
                moments[name] = torch.empty_like(weights).copy_(value)


def load_state(
    module: torch.nn.Module, state: Mapping[str, torch.Tensor], *, strict: bool = True
) -> None:
    """Load weights by name into a module.

    Some layers need their version, which a state dict of torch has as metadata and a plain
    dictionary lacks. The version of the module is used.
    """
    versioned = OrderedDict(state)
    versioned._metadata = module.state_dict()._metadata  # type: ignore[attr-defined]
    module.load_state_dict(versioned, strict=strict)


def to_tensors(value: Any) -> Any:
    """Convert the arrays in nested dictionaries to tensors."""
    if isinstance(value, dict):
        store = _apart.get()
        if store is not None and _ELSEWHERE in value:
            return torch.from_numpy(store.copy(value[_ELSEWHERE]))
        return {key: to_tensors(item) for key, item in value.items()}
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def to_arrays(value: Any) -> Any:
    """Convert the tensors in nested dictionaries and lists to arrays."""
    if isinstance(value, dict):
        return {key: to_arrays(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_arrays(item) for item in value]
    if isinstance(value, torch.Tensor):
        array = value.detach().cpu().numpy().copy()
        store = _apart.get()
        return array if store is None else store.put(array)
    return value
