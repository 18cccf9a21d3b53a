"""MLPImageClassifier against scikit-learn's MLPClassifier where steps are small: the digits.

Same hidden layer, batch size and rows, as `load_digits` gives them. What counts is the whole call
of `fit`, over as many epochs: neither side stops early. The two sides alternate in one process.
"""

import warnings
from functools import partial

from _report import show, speedup_row
from _timing import in_turn, seconds_of
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skimgcls import MLPImageClassifier

N_EPOCHS, N_PAIRS, BATCH_SIZE = 30, 9, 32


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


def main():
    X, y = load_digits(return_X_y=True)
    # scikit-learn warns that it has not converged.
    warnings.simplefilter("ignore", ConvergenceWarning)
    sides = (MLPImageClassifier, MLPClassifier)
    for side in sides:
        fit(side, X, y, 1)
    ours, theirs = in_turn(
        *(partial(seconds_of, fit, side, X, y, N_EPOCHS) for side in sides), n_rounds=N_PAIRS
    )
    what = (
        f"Fit of MLPImageClassifier against scikit-learn's MLPClassifier, {N_EPOCHS} epochs of the "
        f"digits, 100 hidden units, batch {BATCH_SIZE}"
    )
    show([speedup_row(what, ours, theirs, at_least=1.5)])


if __name__ == "__main__":
    main()
