"""Time to load a saved search, against skops alone, and the size of its file."""

import tempfile
from pathlib import Path

import skops.io
from _report import Row, ratio_row, show
from _timing import in_turn, seconds_of
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skimgcls import MLPImageClassifier, get_trusted_types, load, save

N_ROUNDS = 9
N_CANDIDATES = 40


def main():
    X, y = load_digits(return_X_y=True)
    clf = MLPImageClassifier((512, 512), max_iter=1, random_state=0)
    grid = {"alpha": [0.001 * number for number in range(1, N_CANDIDATES + 1)]}
    search = GridSearchCV(clf, grid, cv=2).fit(X[:300], y[:300])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "search.skimgcls")
        save(search, path)
        data, trusted = skops.io.dumps(search), get_trusted_types()
        ours, theirs = in_turn(
            lambda: seconds_of(load, path),
            lambda: seconds_of(lambda: skops.io.loads(data, trusted=trusted)),
            n_rounds=N_ROUNDS,
        )
        sizes = path.stat().st_size, len(data)
    what = f"load of a GridSearchCV of {N_CANDIDATES} candidates against skops.io.loads"
    ratio = sizes[0] / sizes[1]
    show(
        [
            ratio_row(what, ours, theirs, at_most=2.0),
            Row("The same: size of the file", "at most 1.00x", f"{ratio:.2f}x", ratio <= 1),
        ]
    )


if __name__ == "__main__":
    main()
