"""AutoImageClassifier against each of its candidates alone, on photographs and other images."""

import tempfile
import time

import numpy as np
from _data import load_cifar10, load_fashion_mnist, load_photo_sets
from _report import Row, show
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimgcls import (
    AutoImageClassifier,
    CNNImageClassifier,
    ImageEmbedder,
    ImageLoader,
    PretrainedImageClassifier,
    ResNetImageClassifier,
    make_shapes,
)

SIDE = 128
# Images with a shorter side are tiny, for which the plain CNN is a candidate.
TINY = 64


def some(data, n_images):
    """Return some training images, and all test images."""
    X_train, y_train, X_test, y_test = data
    rows = np.random.RandomState(0).permutation(len(X_train))[:n_images]
    return X_train[rows], y_train[rows], X_test, y_test


def digits():
    bunch = load_digits()
    images = bunch.images.astype(np.uint8)
    split = train_test_split(images, bunch.target, test_size=0.3, random_state=0)
    return split[0], split[2], split[1], split[3]


def shapes(**options):
    images, labels = make_shapes(1_500, image_size=32, random_state=0, **options)
    return images[:1_000], labels[:1_000], images[1_000:], labels[1_000:]


def photographs(data):
    """Return photographs as square arrays."""
    loader = ImageLoader(size=SIDE)
    X_train, y_train, X_test, y_test = data
    arrays = (np.asarray(loader.fit_transform(X)) for X in (X_train, X_test))
    train, test = arrays
    return train, np.asarray(y_train), test, np.asarray(y_test)


def datasets(folder):
    """Yield the name and the images of each dataset."""
    yield "digits", digits()
    yield "shapes", shapes()
    yield "shapes, multilabel", shapes(multilabel=True)
    yield "5,000 images of Fashion-MNIST", some(load_fashion_mnist(), 5_000)
    yield "5,000 images of CIFAR-10", some(load_cifar10(), 5_000)
    for name, data in load_photo_sets(folder).items():
        yield name, photographs(data)


def alone(X, y):
    """Return the candidates, and what users of scikit-learn would do."""
    found = [PretrainedImageClassifier(random_state=0), ResNetImageClassifier(random_state=0)]
    if min(X.shape[1:3]) < TINY:
        found.append(CNNImageClassifier(random_state=0))
    if y.ndim == 1:
        logistic = LogisticRegressionCV(max_iter=1_000)
        found.append(make_pipeline(ImageEmbedder(), StandardScaler(), logistic))
    return found


def timed_score(classifier, data):
    """Return the test accuracy and the seconds of a fit."""
    X_train, y_train, X_test, y_test = data
    start = time.perf_counter()
    classifier.fit(X_train, y_train)
    return classifier.score(X_test, y_test), time.perf_counter() - start


def rows_of(name, data):
    """Compare both efforts with the candidates alone."""
    scores, seconds = zip(*(timed_score(clf, data) for clf in alone(*data[:2])), strict=True)
    best, slowest = max(scores), max(seconds)
    score, taken = timed_score(AutoImageClassifier(random_state=0), data)
    yield Row(
        f'AutoImageClassifier(effort="medium") on {name}, against the best candidate alone',
        "within 0.5 points, in 2x the time of the slowest",
        f"{100 * (score - best):+.1f} points ({score:.4f} and {best:.4f}), {taken / slowest:.1f}x "
        f"({taken:.0f} s and {slowest:.0f} s)",
        bool(score >= best - 0.005 and taken <= 2 * slowest),
    )
    score, taken = timed_score(AutoImageClassifier(effort="quick", random_state=0), data)
    yield Row(
        f'AutoImageClassifier(effort="quick") on {name}',
        "at most 120 s",
        f"{score:.4f} in {taken:.0f} s",
        taken <= 120,
    )


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, data in datasets(folder):
            show(rows_of(name, data))


if __name__ == "__main__":
    main()
