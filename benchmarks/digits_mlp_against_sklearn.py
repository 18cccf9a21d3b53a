"""MLPImageClassifier against scikit-learn's MLPClassifier with short training steps, on digits.

Both have the same hidden layer, batch size and rows, as returned by `load_digits`. The time of an
epoch is the difference between fitting for many epochs and fitting for one. Neither side stops
early, and the two sides alternate in one process.
"""

import warnings
from functools import partial

from _report import show, speedup_row
from _timing import in_turn, seconds_of
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skimgcls import MLPImageClassifier

N_EPOCHS, N_PAIRS, BATCH_SIZE = 30, 21, 32


def fit(cls, X, y, n_epochs):
    clf = cls(
        (100,),
        batch_size=BATCH_SIZE,
        max_iter=n_epochs,
        n_iter_no_change=10_000,
        tol=0,
        random_state=0,
    )
    return clf.fit(X, y)


def seconds_of_epoch(cls, X, y):
    """Return the mean seconds of one epoch."""
    one, many = (seconds_of(fit, cls, X, y, n) for n in (1, 1 + N_EPOCHS))
    return (many - one) / N_EPOCHS


def main():
    X, y = load_digits(return_X_y=True)
    # scikit-learn warns that it has not converged.
    warnings.simplefilter("ignore", ConvergenceWarning)
    sides = (MLPImageClassifier, MLPClassifier)
    for side in sides:
        fit(side, X, y, 1)
    ours, theirs = in_turn(
        *(partial(seconds_of_epoch, side, X, y) for side in sides), n_rounds=N_PAIRS
    )
    what = (
        "Epoch of MLPImageClassifier against scikit-learn's MLPClassifier, digits, 100 hidden "
        f"units, batch {BATCH_SIZE}"
    )
    show([speedup_row(what, ours, theirs, at_least=1.5)])


if __name__ == "__main__":
    main()
