"""Training time and test accuracy of the residual network."""

import time

from _report import fit_row

from skimgcls import ResNetImageClassifier

SEEDS = (0, 1, 2)


def residual_net_row(what, data, *, at_least, within, seeds=SEEDS, **parameters):
    """Fit the network once per seed and compare accuracy and time with the promise."""
    X_train, y_train, X_test, y_test = data
    accuracies, seconds = [], []
    for seed in seeds:
        clf = ResNetImageClassifier(**parameters, random_state=seed)
        start = time.perf_counter()
        clf.fit(X_train, y_train)
        seconds.append(time.perf_counter() - start)
        accuracies.append(clf.score(X_test, y_test))
    return fit_row(what, accuracies, seconds, at_least=at_least, within=within)
