"""Image datasets for benchmarks.

They are read from the folder in SKIMGCLS_BENCHMARK_DATA, or downloaded if it is not set. The folder
contains ``fashion_mnist.npz`` and ``cifar10.npz``, with the arrays X_train, y_train, X_test and
y_test; ``photos`` and ``photos_test``, with one folder of photographs per class; and ``sets``, with
a folder for each dataset, which has the folders ``train`` and ``test``.
"""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from skimgcls import ImageLoader
from skimgcls.datasets import fetch_cifar10, fetch_fashion_mnist, load_image_folder, make_shapes


def load_fashion_mnist():
    """Return X_train, y_train, X_test, y_test of Fashion-MNIST (Xiao et al., 2017) as arrays."""
    return _load("fashion_mnist", fetch_fashion_mnist)


def load_cifar10():
    """Return X_train, y_train, X_test, y_test of CIFAR-10 (Krizhevsky, 2009) as arrays."""
    return _load("cifar10", fetch_cifar10)


def load_photos(folder):
    """Return a DataFrame of paths, and labels: photographs, or shapes drawn as JPEG in `folder`."""
    given = _folder()
    if given is not None and (given / "photos").is_dir():
        return load_image_folder(given / "photos", return_X_y=True)
    images, labels = make_shapes(2400, image_size=(240, 320), n_classes=5, random_state=0)
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = Path(folder, label, f"{index}.jpg")
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path, quality=90)
    return load_image_folder(folder, return_X_y=True)


def load_photo_sets(folder):
    """Return photographs by dataset, X_train, y_train, X_test, y_test with DataFrames of paths.

    Without a folder of datasets, shapes are drawn as JPEG in `folder`.
    """
    given = _folder()
    found = sorted((given / "sets").iterdir()) if given and (given / "sets").is_dir() else []
    if not found:
        frame, labels = load_photos(folder)
        rows = np.random.RandomState(0).permutation(len(frame))
        train, test = rows[:600], rows[600:800]
        return {
            "shapes": (
                *(v.iloc[train] for v in (frame, labels)),
                *(v.iloc[test] for v in (frame, labels)),
            )
        }
    return {
        path.name: (
            *load_image_folder(path / "train", return_X_y=True),
            *load_image_folder(path / "test", return_X_y=True),
        )
        for path in found
    }


def load_photo_arrays(side):
    """Return X_train, y_train, X_test, y_test of square photographs, or of shapes, as arrays."""
    given = _folder()
    if given is None or not (given / "photos_test").is_dir():
        images, labels = make_shapes(3000, image_size=side, n_classes=5, random_state=0)
        return images[:2400], labels[:2400], images[2400:], labels[2400:]
    parts = []
    for name in ("photos", "photos_test"):
        frame, labels = load_image_folder(given / name, return_X_y=True)
        parts += [np.asarray(ImageLoader(size=side, mode="RGB").fit_transform(frame)), labels]
    return tuple(parts)


def _load(name, fetch):
    folder = _folder()
    if folder is not None and (folder / f"{name}.npz").is_file():
        with np.load(folder / f"{name}.npz") as arrays:
            return tuple(arrays[part] for part in ("X_train", "y_train", "X_test", "y_test"))
    return *fetch(subset="train", return_X_y=True), *fetch(subset="test", return_X_y=True)


def _folder():
    named = os.environ.get("SKIMGCLS_BENCHMARK_DATA")
    return Path(named) if named else None
