"""Tiny images: the time of scikit-learn's checks, and sizes of the residual network on digits.

``check_estimator`` fits a classifier about seventy times on images of one to ten pixels. Its time
depends on the widths and epochs that "auto" selects for such images.
"""

import os

# scikit-learn skips a check unless this is set before SciPy is imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import time
import warnings
from statistics import median

import torch
from _report import Row, accuracy_row, show, speedup_row
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.estimator_checks import check_estimator

from skimgcls import (
    CNNImageClassifier,
    MLPImageClassifier,
    ModuleImageClassifier,
    RejectOptionClassifier,
    ResNetImageClassifier,
)

CLASSIFIERS = [
    MLPImageClassifier,
    ModuleImageClassifier,
    CNNImageClassifier,
    ResNetImageClassifier,
    RejectOptionClassifier,
]
SEEDS = (0, 1, 2)
WIDE = (32, 128, 128)


def check_rows():
    total = 0.0
    for cls in CLASSIFIERS:
        start = time.perf_counter()
        results = check_estimator(cls())
        seconds = time.perf_counter() - start
        total += seconds
        passed = [result for result in results if result["status"] == "passed"]
        figure = f"{seconds:.0f} s, {len(passed)} of {len(results)} checks passed"
        kept = seconds <= 60 and len(passed) == len(results)
        yield Row(f"`check_estimator({cls.__name__}())` on one core", "at most 60 s", figure, kept)
    what = f"The same, all {len(CLASSIFIERS)} together"
    yield Row(what, "at most 180 s", f"{total:.0f} s", total <= 180)


def digits_rows():
    digits = load_digits()
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    parts = list(folds.split(digits.images, digits.target))
    scores, seconds = ({"auto": [], WIDE: []} for _ in range(2))
    for seed in SEEDS:
        for widths in scores:
            start = time.perf_counter()
            of_folds = [
                ResNetImageClassifier(widths, random_state=seed)
                .fit(digits.images[train], digits.target[train])
                .score(digits.images[test], digits.target[test])
                for train, test in parts
            ]
            seconds[widths].append(time.perf_counter() - start)
            scores[widths].append(sum(of_folds) / len(of_folds))
    what = "ResNetImageClassifier() on digits, mean accuracy of 5 folds, three seeds"
    yield accuracy_row(what, scores["auto"], at_least=0.99, seconds=median(seconds["auto"]) / 5)
    what = f"ResNetImageClassifier(widths={WIDE}) on digits, the same"
    yield accuracy_row(what, scores[WIDE], at_least=0.99, seconds=median(seconds[WIDE]) / 5)
    what = "Fit on digits with the default widths against (32, 128, 128)"
    yield speedup_row(what, seconds["auto"], seconds[WIDE], at_least=1.5)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    show(check_rows())
    show(digits_rows())
