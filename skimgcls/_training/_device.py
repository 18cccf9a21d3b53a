"""Where a net computes, and in which precision."""

import math

import numpy as np
import torch

from skimgcls._images._lazy_images import LazyImages, as_lazy
from skimgcls.utils._torch_compat import cpu_has_bfloat16


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


# An image of fewer values leaves a net so little to compute that rounding its numbers, and rounding
# them back, takes longer than is won.
_SMALLEST_FOR_BFLOAT16 = 256


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 numbers in hardware, and so faster."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and cpu_has_bfloat16()


def choose_precision(
    precision: str,
    images: np.ndarray | LazyImages,
    device: torch.device,
    *,
    n_images: int,
    batch_size: int,
) -> str:
    """Return what to compute in: "float32", "bfloat16" or "float64".

    "auto" is bfloat16 where the device has it in hardware and an image is large enough for it to
    pay; but float64 for small exact work. scikit-learn computes in float64 what comes in float64,
    and a few numbers deserve it. Pictures do not: a convolution in float64 is many times slower,
    and ``X / 255.0`` makes any array float64. So float64 is taken only where all images fit in one
    batch and hold numbers that float32 would round. It depends on the numbers alone, never on the
    type they come in.
    """
    if precision != "auto":
        return precision
    if n_images <= batch_size and not _fits_float32(images):
        return "float64"
    is_large = math.prod(as_lazy(images).image_shape) >= _SMALLEST_FOR_BFLOAT16
    return "bfloat16" if is_large and has_bfloat16(device) else "float32"


def _fits_float32(images: np.ndarray | LazyImages) -> bool:
    if np.can_cast(images.dtype, np.float32):
        return True
    with np.errstate(over="ignore"):
        pixels = next(as_lazy(images).evaluated([slice(None)]))
        return np.array_equal(pixels.astype(np.float32), pixels)
