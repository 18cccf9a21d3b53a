"""MLPImageClassifier against scikit-learn's MLPClassifier, on color images as rows of floats.

Both have the same hidden layers, batch size and rows of float32 from 0 to 1. The whole call of
`fit` for one epoch is timed, including initialization, and the whole call of `predict`. The two
sides alternate in one process.
"""

import warnings
from functools import partial

import numpy as np
from _data import load_cifar10
from _peers import precision_of
from _report import show, speedup_row
from _timing import in_turn, seconds_of
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skimgcls import MLPImageClassifier

N_IMAGES, N_TEST_IMAGES, N_PAIRS = 20_000, 10_000, 5
# For the warm-up: the first steps import and initialize modules.
N_WARM_UP = 1_000
BATCH_SIZE, SIZES = 128, (512, 256)


def rows(images):
    return (images.reshape(len(images), -1) / 255).astype(np.float32)


def fit(cls, X, y):
    return cls(SIZES, batch_size=BATCH_SIZE, max_iter=1, random_state=0).fit(X, y)


def main():
    X_train, y_train, X_test, _ = load_cifar10()
    X, y, X_test = rows(X_train[:N_IMAGES]), y_train[:N_IMAGES], rows(X_test[:N_TEST_IMAGES])
    # scikit-learn warns that it has not converged after one epoch.
    warnings.simplefilter("ignore", ConvergenceWarning)
    sides = (MLPImageClassifier, MLPClassifier)
    fitted = [fit(side, X[:N_WARM_UP], y[:N_WARM_UP]) for side in sides]
    ours, theirs = in_turn(
        *(partial(seconds_of, fit, side, X, y) for side in sides), n_rounds=N_PAIRS
    )
    where = f"CIFAR-10 as rows, hidden layers {SIZES}"
    what = (
        f"Fit of MLPImageClassifier in {precision_of(fitted[0])} against scikit-learn's "
        f"MLPClassifier, one epoch of {len(X):,} images of {where}, batch {BATCH_SIZE}"
    )
    show([speedup_row(what, ours, theirs, at_least=2.5)])
    for clf in fitted:
        clf.predict(X_test)
    ours, theirs = in_turn(
        *(partial(seconds_of, clf.predict, X_test) for clf in fitted), n_rounds=3 * N_PAIRS
    )
    what = (
        f"predict of MLPImageClassifier, fitted in {precision_of(fitted[0])}, against "
        f"scikit-learn's MLPClassifier, {len(X_test):,} images of {where}"
    )
    show([speedup_row(what, ours, theirs, at_least=1.5)])


if __name__ == "__main__":
    main()
