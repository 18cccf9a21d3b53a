"""Imbalanced classes: CIFAR-10 reduced so that the largest class is 100 times the smallest.

Class sizes decrease by a constant factor, as in Cui et al., "Class-Balanced Loss Based on Effective
Number of Samples" (2019). The test set is balanced.

All sides train for ten epochs, the best number for the unweighted side, chosen on training images
that are in no set. After the default of 26 epochs, a network has memorized its images, and weights
have no effect because the loss is nearly zero (Byrd and Lipton, "What Is the Effect of Importance
Weighting in Deep Learning?", 2019).
"""

import numpy as np
from _data import load_cifar10
from _report import gain_row, show
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score

from skimgcls import CNNImageClassifier, ImageAugmenter, ImageOverSampler

SEEDS = (0, 1, 2)
LARGEST, RATIO = 2_000, 100
N_EPOCHS = 10


def cut(X, y, seed):
    """Return images with class sizes from `LARGEST` down to a hundredth of it."""
    rng = np.random.RandomState(seed)
    classes = np.unique(y)
    sizes = LARGEST * RATIO ** -np.linspace(0, 1, len(classes))
    rows = [
        rng.permutation(np.flatnonzero(y == label))[: round(size)]
        for label, size in zip(classes, sizes, strict=True)
    ]
    rows = np.concatenate(rows)
    return X[rows], y[rows]


def main():
    X_train, y_train, X_test, y_test = load_cifar10()
    scores = {"plain": [], "weights": [], "copies": []}
    for seed in SEEDS:
        X, y = cut(X_train, y_train, seed)
        plain = CNNImageClassifier(max_iter=N_EPOCHS, random_state=seed)
        sides = {
            "plain": plain,
            "weights": clone(plain).set_params(class_weight="balanced"),
            "copies": make_pipeline(
                ImageOverSampler(minority_augmentation=True),
                ImageAugmenter(horizontal_flip=True, shift=0.1),
                clone(plain),
            ),
        }
        for name, side in sides.items():
            labels = side.fit(X, y).predict(X_test)
            scores[name].append(balanced_accuracy_score(y_test, labels))
    where = f"CIFAR-10 cut to {RATIO}:1, balanced accuracy"
    for name, said in {"weights": "class_weight", "copies": "augmented copies"}.items():
        what = f"{where} with {said} against without"
        show([gain_row(what, scores[name], scores["plain"], at_least=0)])


if __name__ == "__main__":
    main()
