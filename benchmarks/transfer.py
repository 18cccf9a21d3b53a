"""Accuracy gain from pretraining on other classes, with few images of the new classes.

The residual network is pretrained on half of the classes and fine-tuned on a hundred images of each
class of the other half. It is compared with a network trained only on these images. Both use the
same recipe: label smoothing, mixing, horizontal flips and shifts, for 60 epochs.
"""

import numpy as np
from _data import load_cifar10
from _report import gain_row, show

from skimgcls import PretrainedImageClassifier, ResNetImageClassifier

SEEDS = (0, 1, 2)
N_EACH = 100
# The defaults of the residual network for so few images.
AS_RESNET = {
    "label_smoothing": 0.2,
    "mixup": 0.5,
    "max_iter": 60,
    "test_time_augmentation": True,
}


def halves_of(X, labels):
    """Return the images and labels of the first half of the classes, and of the second."""
    is_first = np.isin(labels, np.unique(labels)[:5])
    return (X[is_first], labels[is_first]), (X[~is_first], labels[~is_first])


def few_of_each(X, labels, seed):
    """Return some images of each class."""
    rng = np.random.RandomState(seed)
    rows = [
        rng.choice(np.flatnonzero(labels == c), N_EACH, replace=False) for c in np.unique(labels)
    ]
    rows = np.concatenate(rows)
    return X[rows], labels[rows]


def main():
    X_train, y_train, X_test, y_test = load_cifar10()
    known, new = halves_of(X_train, y_train)
    _, (X_new, y_new) = halves_of(X_test, y_test)
    source = ResNetImageClassifier(random_state=0).fit(*known)
    transferred, scratch = [], []
    for seed in SEEDS:
        X, y = few_of_each(*new, seed)
        clf = PretrainedImageClassifier(
            source, trainable="all", **AS_RESNET, random_state=seed
        ).fit(X, y)
        transferred.append(clf.score(X_new, y_new))
        scratch.append(ResNetImageClassifier(random_state=seed).fit(X, y).score(X_new, y_new))
    what = (
        f"{N_EACH} images of each of five classes of CIFAR-10: PretrainedImageClassifier on a "
        "ResNetImageClassifier of the other five, against ResNetImageClassifier()"
    )
    show([gain_row(what, transferred, scratch, at_least=0.05)])


if __name__ == "__main__":
    main()
