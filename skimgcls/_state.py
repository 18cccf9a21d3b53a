"""The state of a trained net as arrays and plain values, and back."""

from typing import Any

import numpy as np
import torch


def dump_net(net: Any) -> dict[str, Any]:
    """Return the weights and the state of the optimizer as arrays, lists and numbers."""
    return _to_arrays(
        {"module": net.module_.state_dict(), "optimizer": net.optimizer_.state_dict()}
    )


def restore_net(net: Any, dumped: dict[str, Any]) -> None:
    """Bring a net of the same architecture back to a dumped state."""
    net.module_.load_state_dict(_to_tensors(dumped["module"]))
    net.optimizer_.load_state_dict(_to_tensors(dumped["optimizer"]))
    # A fused optimizer goes through the memory of weights and moments side by side, so that both
    # must be laid out alike, and arrays have lost the channels-last layout.
    for weights, moments in net.optimizer_.state.items():
        for name, value in moments.items():
            if value.shape == weights.shape:
                moments[name] = torch.empty_like(weights).copy_(value)


def _to_tensors(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_tensors(item) for key, item in value.items()}
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def _to_arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_arrays(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_arrays(item) for item in value]
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    return value
