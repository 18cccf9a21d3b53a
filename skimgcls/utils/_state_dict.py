"""The state of a trained net as arrays and plain values, and back."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch

# Key of what stands for weights that are kept elsewhere.
_ELSEWHERE = "weights_elsewhere"


class ExternalWeights:
    """Weights that are written and read beside the state of what they belong to.

    Parameters
    ----------
    arrays : dict of {str: ndarray}, default=None
        Those read; None to put some in.
    with_optimizer : bool, default=False
        Whether the optimizer is kept: moments are twice as much as the weights themselves.
    """

    def __init__(
        self, arrays: dict[str, np.ndarray] | None = None, *, with_optimizer: bool = False
    ) -> None:
        self.arrays = {} if arrays is None else arrays
        self.with_optimizer = with_optimizer

    def put(self, array: np.ndarray) -> dict[str, str]:
        """Take an array in, and return what stands for it.

        Its name is a digest of its content, for a state may be asked for more than once.
        """
        looks = f"{array.dtype.str}{array.shape}".encode()
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        name = hashlib.blake2b(looks + content.tobytes(), digest_size=16).hexdigest()
        self.arrays[name] = array
        return {_ELSEWHERE: name}

    def take(self, name: Any) -> np.ndarray:
        """Return the array of a name."""
        if name not in self.arrays:
            raise ValueError(f"weights {name!r} are not there")
        return self.arrays[name]


_apart: ContextVar[ExternalWeights | None] = ContextVar("external_weights", default=None)


@contextmanager
def external_weights(store: ExternalWeights) -> Iterator[ExternalWeights]:
    """States that are taken or restored in this block have their weights in `store`."""
    token = _apart.set(store)
    try:
        yield store
    finally:
        _apart.reset(token)


def dump_net(net: Any) -> dict[str, Any]:
    """Return the weights and the state of the optimizer as arrays, lists and numbers."""
    store = _apart.get()
    kept = {"module": net.module_.state_dict()}
    if store is None or store.with_optimizer:
        kept["optimizer"] = net.optimizer_.state_dict()
    return to_arrays(kept)


# A net from elsewhere is made with a last layer that is then replaced: what it may have for that,
# of the numbers in weights and of their names.
_SPARE_NUMBERS, _SPARE_NAMES = 2**26, 2**10


class _OtherNetError(ValueError):
    """A net has more weights than there are for it."""


def check_net(make: Callable[[], torch.nn.Module], dumped: Mapping[str, Any]) -> None:
    """Raise, before memory is taken, if a net to be made has more weights than were kept of it.

    Parameters that someone has altered could ask for a net of any size. Asked for without storage,
    it is given up at the first weight that is too much. What cannot be made without storage is a
    net from elsewhere, whose size is that of its name.
    """
    store = _apart.get()
    if store is None:
        return
    arrays = [store.take(value[_ELSEWHERE]) for value in dumped["module"].values()]
    left = [sum(array.size for array in arrays) + _SPARE_NUMBERS, len(arrays) + _SPARE_NAMES]
    thread = threading.get_ident()

    def count(module: torch.nn.Module, name: str, weights: torch.nn.Parameter | None) -> None:
        if threading.get_ident() != thread or weights is None:
            return
        left[0] -= weights.numel()
        left[1] -= 1
        if min(left) < 0:
            raise _OtherNetError("its parameters ask for a larger net than it has weights for")

    hook = torch.nn.modules.module.register_module_parameter_registration_hook(count)
    try:
        with torch.device("meta"):
            make()
    except _OtherNetError:
        raise
    except Exception:
        return
    finally:
        hook.remove()


def restore_net(net: Any, dumped: dict[str, Any]) -> None:
    """Bring a net of the same architecture back to a dumped state."""
    load_state(net.module_, to_tensors(dumped["module"]))
    if "optimizer" not in dumped:
        return
    net.optimizer_.load_state_dict(to_tensors(dumped["optimizer"]))
    # A fused optimizer goes through the memory of weights and moments side by side, so that both
    # must be laid out alike, and arrays have lost the channels-last layout.
    for weights, moments in net.optimizer_.state.items():
        for name, value in moments.items():
            if value.shape == weights.shape:
                moments[name] = torch.empty_like(weights).copy_(value)


def load_state(
    module: torch.nn.Module, state: Mapping[str, torch.Tensor], *, strict: bool = True
) -> None:
    """Put weights by name into a module.

    Some layers ask for their version, which torch keeps beside the names and a plain dictionary
    lacks: it is taken to be the module's own.
    """
    versioned = OrderedDict(state)
    versioned._metadata = module.state_dict()._metadata  # type: ignore[attr-defined]
    module.load_state_dict(versioned, strict=strict)


def to_tensors(value: Any) -> Any:
    """Return the same with tensors for arrays."""
    if isinstance(value, dict):
        store = _apart.get()
        if store is not None and _ELSEWHERE in value:
            return torch.from_numpy(store.take(value[_ELSEWHERE]).copy())
        return {key: to_tensors(item) for key, item in value.items()}
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def to_arrays(value: Any) -> Any:
    """Return dictionaries, lists and tensors with arrays for the tensors."""
    if isinstance(value, dict):
        return {key: to_arrays(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_arrays(item) for item in value]
    if isinstance(value, torch.Tensor):
        array = value.detach().cpu().numpy().copy()
        store = _apart.get()
        return array if store is None else store.put(array)
    return value
