"""The versions and the hardware that a bug report needs."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "skimgcls",
    "numpy",
    "pandas",
    "scikit-learn",
    "skorch",
    "torch",
    "torchvision",
    "pillow",
    "safetensors",
    "skops",
    "matplotlib",
    "imbalanced-learn",
    "timm",
    "segmentation-models-pytorch",
    "captum",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "streamlit",
)


def show_versions() -> None:
    """Print the versions of Python, skimgcls and its dependencies, and the hardware.

    Add the output to a bug report. Packages that are not installed are listed as "not installed".

    Examples
    --------
    >>> from skimgcls import show_versions
    >>> show_versions()  # doctest: +SKIP
    """
    facts = {
        "python": sys.version.replace("\n", " "),
        "platform": platform.platform(),
        **{name: _version_of(name) for name in _PACKAGES},
        **_hardware(),
    }
    width = max(map(len, facts))
    sys.stdout.write("".join(f"{name:>{width}}: {fact}\n" for name, fact in facts.items()))


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _hardware() -> dict[str, str]:
    # Not at the top: `import skimgcls` is light, and this module is part of it.
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "CPU cores": str(os.cpu_count()),
        "torch threads": str(torch.get_num_threads()),
        "CPU capability": torch.backends.cpu.get_cpu_capability(),
        "GPUs": ", ".join(gpus) or "none",
    }
