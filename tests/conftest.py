"""What all tests share."""

import os

# scikit-learn leaves a check out unless SciPy heard this before its first import.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pandas as pd
import pytest
import torch


def make_stripes(n_images=36, shape=(8, 8), n_classes=3, seed=0):
    """Return uint8 images whose class is the row of a bright stripe, and the classes."""
    rng = np.random.RandomState(seed)
    codes = np.arange(n_images) % n_classes
    images = rng.randint(0, 60, size=(n_images, *shape)).astype(np.uint8)
    for image, code in zip(images, codes, strict=True):
        image[code % shape[0]] += 180
    return images, codes


@pytest.fixture
def stripes():
    """Grey uint8 images (36, 8, 8) of three classes that any net learns, and their labels."""
    return make_stripes()


@pytest.fixture
def colour_stripes():
    """Colour uint8 images (36, 6, 8, 3) of three classes, and their labels."""
    return make_stripes(shape=(6, 8, 3))


SPELLINGS = {
    "rows": lambda images: images.reshape(len(images), -1),
    "grey": lambda images: images,
    "with channels": lambda images: images[..., np.newaxis],
    "frame": lambda images: pd.DataFrame(
        images.reshape(len(images), -1), columns=[f"pixel{i}" for i in range(images[0].size)]
    ),
    "list": lambda images: images.tolist(),
    "list of arrays": lambda images: list(images),
    "series of arrays": lambda images: pd.Series(list(images)),
    "tensor": lambda images: torch.from_numpy(images.copy()),
}


@pytest.fixture(params=SPELLINGS)
def spell(request):
    """A way to write grey images (n, h, w) down."""
    return SPELLINGS[request.param]
