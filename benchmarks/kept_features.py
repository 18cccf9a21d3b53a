"""Training only the head on photographs: with stored features, and with features of each epoch.

The probabilities of both are compared and must agree.
"""

from functools import partial

import numpy as np
from _data import load_photo_arrays
from _report import Row, show, speedup_row
from _timing import in_turn, seconds_of

from skimgcls import PretrainedImageClassifier

SIDE, N_EPOCHS, N_PAIRS = 96, 10, 3
BACKBONE = "mobilenet_v3_small"
AGREEMENT = 1e-5


def make_classifier(keep_features):
    # Random weights take as long as trained ones.
    return PretrainedImageClassifier(
        BACKBONE,
        weights=None,
        head_solver="adamw",
        keep_features=keep_features,
        max_iter=N_EPOCHS,
        random_state=0,
    )


def main():
    X, y, X_test, _ = load_photo_arrays(SIDE)
    kept, computed = (make_classifier(keep) for keep in (True, False))
    some = np.random.RandomState(0).permutation(len(X))[:200]
    for clf in (kept, computed):
        clf.set_params(max_iter=1).fit(X[some], y[some]).set_params(max_iter=N_EPOCHS)
    ours, theirs = in_turn(
        partial(seconds_of, kept.fit, X, y),
        partial(seconds_of, computed.fit, X, y),
        n_rounds=N_PAIRS,
    )
    difference = np.abs(kept.predict_proba(X_test) - computed.predict_proba(X_test)).max()
    what = (
        f'Fit of PretrainedImageClassifier("{BACKBONE}", trainable="head") on {len(X):,} '
        f"photographs, {SIDE}x{SIDE}, {N_EPOCHS} epochs: features kept, against computed again"
    )
    show(
        [
            speedup_row(what, ours, theirs, at_least=6.0),
            Row(
                "The same: the largest difference of a probability",
                f"at most {AGREEMENT:.0e}",
                f"{difference:.1e}",
                bool(difference <= AGREEMENT),
            ),
        ]
    )


if __name__ == "__main__":
    main()
