"""Epochs on files against epochs on an array of the same pixels, and the waiting time for pixels.

Two threads read photographs at 64 by 64 pixels. With a cache, each is decoded once, in the first
epoch. Without a cache, each is decoded in every epoch, while the network trains. The sides
alternate in one process. Decoding alone takes less time than training alone, so only the first
batch should wait. Any other waiting time is caused by the reader.
"""

import tempfile
import time
from statistics import median

import numpy as np
from _data import load_photos
from _report import Row, ratio_row, show

from skimgcls import CNNImageClassifier, ImageLoader
from skimgcls._images import _lazy_images

SIZE, N_JOBS, N_EPOCHS, N_PAIRS = (64, 64), 2, 4, 5
WAITING = 0.05


def later_epochs(X, y):
    """Return the mean seconds of the epochs after the first."""
    clf = CNNImageClassifier(max_iter=N_EPOCHS, random_state=0).fit(X, y)
    return float(clf.history_["seconds"].iloc[1:].mean())


def share_waited(lazy, y):
    """Return the fraction of the training time in which the network waits for pixels."""
    read_ahead, waited = _lazy_images._read_ahead, []

    def timed(*arguments):
        batches = read_ahead(*arguments)
        start = time.perf_counter()
        for pixels in batches:
            waited.append(time.perf_counter() - start)
            yield pixels
            start = time.perf_counter()

    _lazy_images._read_ahead = timed
    try:
        clf = CNNImageClassifier(max_iter=N_EPOCHS, standardize=False, random_state=0).fit(lazy, y)
    finally:
        _lazy_images._read_ahead = read_ahead
    return float(sum(waited) / clf.history_["seconds"].sum())


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths, y = load_photos(folder)
        cached = ImageLoader(SIZE, cache=f"{folder}/.cache", n_jobs=N_JOBS).fit_transform(paths)
        direct = ImageLoader(SIZE, n_jobs=N_JOBS).fit_transform(paths)
        arrays = np.asarray(cached)
        pairs = [(later_epochs(cached, y), later_epochs(arrays, y)) for _ in range(N_PAIRS)]
        shares = [share_waited(direct, y) for _ in range(N_PAIRS)]
    with_cache, array = zip(*pairs, strict=True)
    where = f"{len(y)} photographs at {SIZE[0]}x{SIZE[1]}, CNN, {N_JOBS} threads"
    what = f"Epoch from files with a cache against one from an array: {where}"
    rows = [ratio_row(what, with_cache, array, at_most=1.3)]
    what = f"Fraction of an epoch without a cache in which the network waits for pixels: {where}"
    figure = f"{median(shares):.1%} ({min(shares):.1%} to {max(shares):.1%}, {N_PAIRS} runs)"
    rows.append(Row(what, f"at most {WAITING:.0%}", figure, median(shares) <= WAITING))
    show(rows)


if __name__ == "__main__":
    main()
