"""Results that do not depend on the caller's settings of torch."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def default_settings() -> Iterator[None]:
    """Run the block with torch's own defaults, as in a new process.

    Gradients are enabled, autocast is disabled, the default device is the CPU and the default dtype
    float32. On exit the settings of the caller are restored.

    >>> with torch.autocast("cpu", torch.bfloat16), default_settings():
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.float32
    """
    if _are_default():
        yield
        return
    with torch.inference_mode(False), torch.enable_grad(), ExitStack() as stack:
        for device_type in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device_type):
                stack.enter_context(torch.autocast(device_type, enabled=False))
        # A device context slows every call of torch down, so it is entered only if it is needed.
        if torch.empty(0).device.type != "cpu":
            stack.enter_context(torch.device("cpu"))
        if torch.get_default_dtype() is not torch.float32:
            stack.enter_context(_float32_by_default())
        yield


def _are_default() -> bool:
    return (
        torch.is_grad_enabled()
        and not torch.is_inference_mode_enabled()
        and not torch.is_autocast_enabled("cpu")
        and not torch.is_autocast_enabled("cuda")
        and torch.get_default_dtype() is torch.float32
        # Slower than the others, and the only way to see a device context.
        and torch.empty(0).device.type == "cpu"
    )


@contextmanager
def _float32_by_default() -> Iterator[None]:
    callers = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(callers)
