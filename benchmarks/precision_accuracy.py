"""Accuracy loss from bfloat16: not distinguishable from chance with three seeds."""

from _data import load_cifar10
from _fits import SEEDS
from _report import difference_row, show

from skimgcls import CNNImageClassifier, ResNetImageClassifier

# A subset of the training images, to limit the time in float32.
N_IMAGES = 10_000


def accuracies(cls, precision, data, **parameters):
    X_train, y_train, X_test, y_test = data
    return [
        cls(precision=precision, random_state=seed, **parameters)
        .fit(X_train[:N_IMAGES], y_train[:N_IMAGES])
        .score(X_test, y_test)
        for seed in SEEDS
    ]


def rows():
    data = load_cifar10()
    for cls, parameters in (
        (CNNImageClassifier, {"max_iter": 10}),
        (ResNetImageClassifier, {"max_iter": 5}),
    ):
        rounded, exact = (accuracies(cls, p, data, **parameters) for p in ("bfloat16", "float32"))
        what = (
            f"{cls.__name__} in bfloat16 against float32, {N_IMAGES:,} CIFAR-10 images, "
            f"{parameters['max_iter']} epochs, three seeds"
        )
        yield difference_row(what, rounded, exact, at_most=0.004)


if __name__ == "__main__":
    show(rows())
