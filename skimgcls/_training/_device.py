"""Device and precision of the computation."""

import math

import numpy as np
import torch

from skimgcls._images._lazy_images import LazyImages
from skimgcls.utils._torch_compat import cpu_has_bfloat16


def check_device(device: str) -> torch.device:
    """Return the torch device of a name; "auto" is a CUDA GPU if there is one, else the CPU.

    Raises
    ------
    ValueError
        If the name is not a torch device, or the device is not available.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        # Copy to the device and back, which fails for devices without data, such as "meta".
        torch.empty(0, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        # Raised for an unknown name, a build without the device, and a device without data.
        raise ValueError(
            f"device={device!r} cannot be used here: expected 'auto', 'cpu' or the name of a "
            f"device that torch sees ({_devices_seen()}). Pass device='auto' to use what is there."
        ) from error
    return found


def _devices_seen() -> str:
    names = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return ", ".join(names)


# For images of fewer values, the conversion to and from bfloat16 takes longer than it saves.
_SMALLEST_FOR_BFLOAT16 = 256


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the device has hardware support for bfloat16 products."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and cpu_has_bfloat16()


def choose_precision(
    precision: str,
    images: LazyImages,
    device: torch.device,
    *,
    n_images: int,
    batch_size: int,
) -> str:
    """Return the precision of the computation: "float32", "bfloat16" or "float64".

    "auto" is float64 if all images fit in one batch and have values that float32 would round.
    Otherwise it is bfloat16 if the device supports it in hardware and images are large enough, else
    float32. The choice depends on the values and not on the dtype: scikit-learn computes in float64
    for float64 input, but ``X / 255.0`` makes any array float64, and a convolution in float64 is
    many times slower.
    """
    if precision != "auto":
        return precision
    if n_images <= batch_size and not _fits_float32(images):
        return "float64"
    is_large = math.prod(images.image_shape) >= _SMALLEST_FOR_BFLOAT16
    return "bfloat16" if is_large and has_bfloat16(device) else "float32"


def _fits_float32(images: LazyImages) -> bool:
    # The images as given: float64 images are resized in float64, whose results are not float32.
    pixels = images.source
    if np.can_cast(pixels.dtype, np.float32):
        return True
    with np.errstate(over="ignore"):
        given = np.asarray(pixels)
        return np.array_equal(given.astype(np.float32), given)
