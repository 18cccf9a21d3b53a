"""The state of a trained net as arrays and plain values, and back."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def dump_net(net: Any) -> dict[str, Any]:
    """Return the weights and the state of the optimizer as arrays, lists and numbers."""
    return to_arrays({"module": net.module_.state_dict(), "optimizer": net.optimizer_.state_dict()})


def restore_net(net: Any, dumped: dict[str, Any]) -> None:
    """Bring a net of the same architecture back to a dumped state."""
    load_state(net.module_, to_tensors(dumped["module"]))
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
        return {key: to_tensors(item) for key, item in value.items()}
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def to_arrays(value: Any) -> Any:
    """Return dictionaries, lists and tensors with arrays for the tensors."""
    if isinstance(value, dict):
        return {key: to_arrays(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_arrays(item) for item in value]
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    return value
