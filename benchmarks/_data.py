"""Public sets of images to measure on."""

import os
from pathlib import Path

import numpy as np


def load_fashion_mnist():
    """Return X_train, y_train, X_test, y_test of Fashion-MNIST (Xiao et al., 2017) as arrays.

    They are read from ``fashion_mnist.npz`` in the folder that SKIMGCLS_BENCHMARK_DATA names, with
    arrays of those four names, or else fetched by torchvision into ``~/.cache/skimgcls``.
    """
    folder = os.environ.get("SKIMGCLS_BENCHMARK_DATA")
    if folder:
        with np.load(Path(folder) / "fashion_mnist.npz") as arrays:
            return tuple(arrays[name] for name in ("X_train", "y_train", "X_test", "y_test"))
    from torchvision.datasets import FashionMNIST

    parts = []
    for train in (True, False):
        part = FashionMNIST(Path.home() / ".cache" / "skimgcls", train=train, download=True)
        parts += [part.data.numpy(), part.targets.numpy()]
    return tuple(parts)
