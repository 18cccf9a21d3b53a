"""The pretrained classifier on folders of photographs, against features and logistic regression.

Each subfolder of ``sets`` in SKIMGCLS_BENCHMARK_DATA is a dataset, with the folders ``train`` and
``test`` of one folder per class. Without them, the images are drawn shapes.
"""

import tempfile
import time
from itertools import product

import numpy as np
from _data import load_photo_sets
from _report import Row, gain_row, show
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimgcls import ImageEmbedder, ImageLoader, PretrainedImageClassifier
from skimgcls._training._logistic import fit_logistic

SEEDS = (0, 1, 2)
SIDE = 224
N_FEW = 10
N_HEAD = 10_000
# The default strength of scikit-learn, and one chosen by cross-validation.
PEERS = {
    "LogisticRegression": lambda: LogisticRegression(max_iter=2_000),
    "LogisticRegressionCV": lambda: LogisticRegressionCV(max_iter=2_000),
}


def make_ours(seed):
    return make_pipeline(ImageLoader(size=SIDE), PretrainedImageClassifier(random_state=seed))


def make_theirs(peer):
    return make_pipeline(ImageLoader(size=SIDE), ImageEmbedder(), StandardScaler(), PEERS[peer]())


def all_images_row(name, data):
    """Compare the classifiers on all training images."""
    X_train, y_train, X_test, y_test = data
    start = time.perf_counter()
    ours = [make_ours(0).fit(X_train, y_train).score(X_test, y_test)]
    seconds = time.perf_counter() - start
    ours += [make_ours(seed).fit(X_train, y_train).score(X_test, y_test) for seed in SEEDS[1:]]
    theirs = make_theirs("LogisticRegressionCV").fit(X_train, y_train).score(X_test, y_test)
    what = (
        f"PretrainedImageClassifier() on {name}, {len(X_train)} images, in {seconds:.0f} s, "
        "against ImageEmbedder and LogisticRegressionCV"
    )
    return gain_row(what, ours, [theirs] * len(SEEDS), at_least=0.0)


def few_images_row(sets):
    """Compare the classifiers on ten images of each class."""
    ours, theirs = [], []
    for (_, data), seed in product(sets.items(), SEEDS):
        X_train, y_train, X_test, y_test = data
        rows = pick(y_train, N_FEW, np.random.RandomState(seed))
        X, y = X_train.iloc[rows], y_train.iloc[rows]
        ours.append(make_ours(seed).fit(X, y).score(X_test, y_test))
        theirs.append(make_theirs("LogisticRegression").fit(X, y).score(X_test, y_test))
    what = (
        f"PretrainedImageClassifier() on {N_FEW} images a class of {', '.join(sets)}, three draws, "
        "against ImageEmbedder and LogisticRegression"
    )
    return gain_row(what, ours, theirs, at_least=0.02)


def head_row():
    """Time the head alone: the grid of penalties, and the optimum."""
    features, codes = make_classification(
        N_HEAD, 1_280, n_informative=200, n_classes=10, random_state=0
    )
    start = time.perf_counter()
    found = fit_logistic(features, codes, np.ones(N_HEAD), 10, rng=np.random.RandomState(0))
    seconds = time.perf_counter() - start
    what = f"Fit of the head: {N_HEAD} images, 1,280 features, 10 classes, with cross-validation"
    figure = f"{seconds:.0f} s, penalty {found.alpha:.2g}"
    return Row(what, "at most 60 s", figure, seconds <= 60)


def pick(labels, n, rng):
    """Return the indices of `n` images of each class."""
    labels = np.asarray(labels)
    classes = np.unique(labels)
    return np.concatenate([rng.choice(np.flatnonzero(labels == k), n, False) for k in classes])


def main():
    with tempfile.TemporaryDirectory() as folder:
        sets = load_photo_sets(folder)
        show(all_images_row(name, data) for name, data in sets.items())
        show([few_images_row(sets), head_row()])


if __name__ == "__main__":
    main()
