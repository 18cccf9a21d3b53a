"""The residual network on Fashion-MNIST: with all training images, and with 20 of each class."""

import time

import numpy as np
from _data import load_fashion_mnist
from _fits import SEEDS, residual_net_row
from _report import fit_row, show

from skimgcls import ResNetImageClassifier


def rows():
    data = load_fashion_mnist()
    yield few_images_row(data)
    yield residual_net_row(
        "ResNetImageClassifier on Fashion-MNIST, 24 epochs",
        data,
        at_least=0.945,
        within=480,
        max_iter=24,
    )


def few_images_row(data):
    """Draw different images for each seed."""
    X_train, y_train, X_test, y_test = data
    accuracies, seconds = [], []
    for seed in SEEDS:
        few = pick(y_train, 20, np.random.RandomState(seed))
        start = time.perf_counter()
        clf = ResNetImageClassifier(random_state=seed).fit(X_train[few], y_train[few])
        seconds.append(time.perf_counter() - start)
        accuracies.append(clf.score(X_test, y_test))
    what = "ResNetImageClassifier() on 20 images a class of Fashion-MNIST, defaults"
    return fit_row(what, accuracies, seconds, at_least=0.805, within=60)


def pick(labels, n, rng):
    """Return the indices of `n` images of each class."""
    classes = np.unique(labels)
    return np.concatenate([rng.choice(np.flatnonzero(labels == k), n, False) for k in classes])


if __name__ == "__main__":
    show(rows())
