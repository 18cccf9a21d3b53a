"""Epochs from files against epochs from an array of the same pixels.

Photographs are read at 64 by 64 pixels by two threads. With a cache each is decoded once, before
the first epoch is over; without, in every epoch, while the net trains. The sides alternate in one
process. The sum it is held against is what an epoch would take that decodes first and trains then.
"""

import tempfile
import time

import numpy as np
from _data import load_photos
from _report import ratio_row, show

from skimgcls import CNNImageClassifier, ImageLoader

SIZE, N_JOBS, N_EPOCHS, N_PAIRS = (64, 64), 2, 4, 5


def later_epochs(X, y):
    """Return the mean seconds of the epochs after the first."""
    clf = CNNImageClassifier(max_iter=N_EPOCHS, random_state=0).fit(X, y)
    return float(clf.history_["seconds"].iloc[1:].mean())


def seconds_of(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths, y = load_photos(folder)
        cached = ImageLoader(SIZE, cache=f"{folder}/.cache", n_jobs=N_JOBS).fit_transform(paths)
        direct = ImageLoader(SIZE, n_jobs=N_JOBS).fit_transform(paths)
        arrays = np.asarray(cached)
        sides = [
            (
                later_epochs(cached, y),
                later_epochs(direct, y),
                later_epochs(arrays, y),
                seconds_of(lambda: np.asarray(direct)),
            )
            for _ in range(N_PAIRS)
        ]
    with_cache, without, array, decoding = zip(*sides, strict=True)
    where = f"{len(y)} photographs at {SIZE[0]}x{SIZE[1]}, CNN, {N_JOBS} threads"
    what = f"Epoch from files with a cache against one from an array: {where}"
    rows = [ratio_row(what, with_cache, array, at_most=1.3)]
    one_after_the_other = [a + b for a, b in zip(array, decoding, strict=True)]
    what = f"Epoch from files without a cache against decoding first and training then: {where}"
    rows.append(ratio_row(what, without, one_after_the_other, at_most=1.1))
    show(rows)


if __name__ == "__main__":
    main()
