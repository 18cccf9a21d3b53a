"""The residual network on datasets that are unlike CIFAR-10, for which it was designed.

The 20 datasets have many classes with few images each, pure black and white images, or batches of
four. The plain convolutional network is trained on each for the same number of epochs.
"""

import numpy as np
from _characters import make_characters
from _data import load_photo_arrays
from _report import Row, show

from skimgcls import CNNImageClassifier, ResNetImageClassifier
from skimgcls.datasets import make_shapes

SEEDS = range(5)


def characters(n_classes, n_each, side):
    """Classify characters, with as many test images as training images of each."""

    def draw(rng):
        images, labels = make_characters(n_classes, 2 * n_each, side, rng)
        is_train = np.arange(len(labels)) % (2 * n_each) < n_each
        return images[is_train], labels[is_train], images[~is_train], labels[~is_train]

    return draw


def pieces(rng):
    """Classify from which of a hundred photographs a patch is cut."""
    photos = load_photo_arrays(96)[0]
    photos = photos[rng.choice(len(photos), 100, replace=False)]
    corners = rng.integers(0, 96 - 32, (100, 24, 2))
    cut = np.array(
        [
            [photo[r : r + 32, c : c + 32] for r, c in of_photo]
            for photo, of_photo in zip(photos, corners, strict=True)
        ]
    )
    labels = np.arange(100)
    train, test = cut[:, :8], cut[:, 8:]
    return _joined(train), labels.repeat(8), _joined(test), labels.repeat(16)


def _joined(images):
    return images.reshape(-1, *images.shape[2:])


def silhouettes(rng):
    """Classify six shapes in black and white, with eight images of each."""
    images, labels = make_shapes(
        1000, image_size=24, n_classes=6, random_state=int(rng.integers(99))
    )
    images = np.where(images.max(axis=-1, keepdims=True) > 125, 255, 0).astype(np.uint8)
    train = np.concatenate([np.flatnonzero(labels == name)[:8] for name in np.unique(labels)])
    test = np.setdiff1d(np.arange(len(labels)), train)
    return images[train], labels[train], images[test], labels[test]


KINDS = [
    ("100 characters, 8 images each, 28x28, black and white", characters(100, 8, 28), {}),
    ("40 characters, 16 images each, 48x48, black and white", characters(40, 16, 48), {}),
    ("pieces of 100 photographs, 8 each, 32x32", pieces, {}),
    ("6 silhouettes, 8 images each, batches of 4", silhouettes, {"batch_size": 4}),
]


def rows():
    for what, draw, parameters in KINDS:
        ours, theirs = [], []
        for seed in SEEDS:
            X_train, y_train, X_test, y_test = draw(np.random.default_rng(seed))
            net = ResNetImageClassifier(**parameters, random_state=seed).fit(X_train, y_train)
            plain = CNNImageClassifier(max_iter=net.n_iter_, **parameters, random_state=seed)
            ours.append(net.score(X_test, y_test))
            theirs.append(plain.fit(X_train, y_train).score(X_test, y_test))
        yield few_images_row(what, ours, theirs)


def few_images_row(what, ours, theirs):
    """Require the accuracy of the plain network minus 0.01 on the worst dataset of a kind."""
    gains = [a - b for a, b in zip(ours, theirs, strict=True)]
    figure = (
        f"{np.mean(ours):.4f} against {np.mean(theirs):.4f} ({100 * min(gains):+.1f} to "
        f"{100 * max(gains):+.1f} points, {len(ours)} sets; worst {min(ours):.4f})"
    )
    return Row(
        f"ResNetImageClassifier against CNNImageClassifier, {what}",
        "at least as accurate on every set",
        figure,
        bool(min(gains) >= -0.01),
    )


if __name__ == "__main__":
    show(rows())
