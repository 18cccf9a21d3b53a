"""Accuracy of the default constructors on digits and on Fashion-MNIST."""

import time
from statistics import median

from _data import load_fashion_mnist
from _report import accuracy_row, show
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skimgcls import CNNImageClassifier, MLPImageClassifier

SEEDS = (0, 1, 2)


def digits_rows():
    digits = load_digits()
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for cls, at_least in ((CNNImageClassifier, 0.985), (MLPImageClassifier, 0.97)):
        means = [
            cross_val_score(cls(random_state=seed), digits.images, digits.target, cv=folds).mean()
            for seed in SEEDS
        ]
        what = f"{cls.__name__}() on digits, mean accuracy of 5 folds, three seeds"
        yield accuracy_row(what, means, at_least=at_least)


def fashion_mnist_rows():
    X_train, y_train, X_test, y_test = load_fashion_mnist()
    for cls, at_least in ((CNNImageClassifier, 0.915), (MLPImageClassifier, 0.885)):
        accuracies, seconds = [], []
        for seed in SEEDS:
            start = time.perf_counter()
            clf = cls(random_state=seed).fit(X_train, y_train)
            seconds.append(time.perf_counter() - start)
            accuracies.append(clf.score(X_test, y_test))
        what = f"{cls.__name__}() on Fashion-MNIST, 60,000 to train and 10,000 to test, three seeds"
        yield accuracy_row(what, accuracies, at_least=at_least, seconds=median(seconds))


if __name__ == "__main__":
    show(digits_rows())
    show(fashion_mnist_rows())
