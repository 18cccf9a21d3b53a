"""Where a net computes, and in which precision."""

import numpy as np
import torch

from skimgcls._lazy import LazyImages, as_lazy


def check_device(device: str) -> torch.device:
    """Return the torch device that `device` names; "auto" is a CUDA GPU where there is one.

    Raises
    ------
    ValueError
        If the name is none of torch's, or the device is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        # Back and forth, which only devices that hold numbers can do.
        torch.empty(0, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        # Three ways of torch to refuse: a name, a build without the device, one without numbers.
        raise ValueError(
            f"device={device!r} cannot be used here: expected 'auto', 'cpu' or the name of a "
            f"device that torch sees ({_devices_seen()}). Pass device='auto' to take what is there."
        ) from error
    return found


def _devices_seen() -> str:
    names = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return ", ".join(names)


def choose_dtype(images: np.ndarray | LazyImages, *, n_images: int, batch_size: int) -> torch.dtype:
    """Return the floating-point type to compute in: float32, or float64 for small exact work.

    scikit-learn computes in float64 what comes in float64, and a few numbers deserve it. Pictures
    do not: a convolution in float64 is many times slower, and ``X / 255.0`` makes any array
    float64. So float64 is taken only where all images fit in one batch and hold numbers that
    float32 would round. It depends on the numbers alone, never on the type they come in.
    """
    if n_images > batch_size or np.can_cast(images.dtype, np.float32):
        return torch.float32
    with np.errstate(over="ignore"):
        pixels = next(as_lazy(images).evaluated([slice(None)]))
        is_exact = np.array_equal(pixels.astype(np.float32), pixels)
    return torch.float32 if is_exact else torch.float64
