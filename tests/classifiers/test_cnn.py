"""The parameters of CNNImageClassifier."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from torch import nn

from skimgcls import CNNImageClassifier
from skimgcls.estimator_checks._data import make_stripes


def iterate_wrapped(clf):
    """Return the names of the leaf modules, in order."""
    parts = (clf.net_.module_.body, clf.net_.module_.head)
    leaves = [m for part in parts for m in part.modules() if not list(m.children())]
    return [type(leaf).__name__ for leaf in leaves]


def n_weights(clf):
    return sum(p.numel() for p in clf.net_.module_.parameters())


def test_two_convolutions_a_dense_layer_and_dropout():
    X, y = make_stripes(n_images=20, shape=(32, 32, 3), n_classes=10)
    clf = CNNImageClassifier((32, 64), hidden_layer_sizes=128, dropout=0.5, max_iter=1).fit(X, y)
    conv, dense = ["Conv2d", "MaxPool2d", "ReLU"], ["Linear", "ReLU", "Dropout"]
    assert iterate_wrapped(clf) == [*conv, *conv, *dense, "Linear"]
    assert n_weights(clf) == 896 + 18_496 + (64 * 8 * 8 + 1) * 128 + 129 * 10


def test_three_convolutions_with_two_poolings_have_122570_weights():
    X, y = make_stripes(n_images=20, shape=(32, 32, 3), n_classes=10)
    clf = CNNImageClassifier(
        (32, 64, 64), padding="valid", pool_size=(2, 2, 1), hidden_layer_sizes=64, max_iter=1
    ).fit(X, y)
    pooled, plain = ["Conv2d", "MaxPool2d", "ReLU"], ["Conv2d", "ReLU"]
    assert iterate_wrapped(clf) == [*pooled, *pooled, *plain, "Linear", "ReLU", "Linear"]
    assert n_weights(clf) == 122_570


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2, 3), (3, 5), (13, 1, 2)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_small_images_are_pooled_fewer_times(shape, padding):
    X, y = make_stripes(n_images=12, shape=shape, n_classes=2)
    clf = CNNImageClassifier((4, 4, 4), padding=padding, hidden_layer_sizes=4, max_iter=1)
    assert clf.fit(X, y).predict_proba(X).shape == (12, 2)


def test_a_pool_size_for_each_convolution(stripes):
    with pytest.raises(ValueError, match="pool_size must be a positive integer or 2 of them"):
        CNNImageClassifier(pool_size=(2, 2, 2)).fit(*stripes)


def test_an_even_kernel_size_keeps_the_image_size(stripes):
    X, y = stripes
    clf = CNNImageClassifier((4,), kernel_size=2, pool_size=1, max_iter=1).fit(X, y)
    (dense, *_) = [m for m in clf.net_.module_.modules() if isinstance(m, nn.Linear)]
    assert dense.in_features == 4 * 8 * 8


def test_it_learns_digits_from_their_images():
    digits = load_digits()
    X, y = digits.images[:600], digits.target[:600]
    clf = CNNImageClassifier(max_iter=15, random_state=0).fit(X, y)
    assert clf.score(digits.images[600:], digits.target[600:]) > 0.9


def test_it_learns_multilabel_targets():
    X, codes = make_stripes(n_images=60, n_classes=4)
    y = np.stack([codes % 2, codes // 2], axis=1)
    clf = CNNImageClassifier((8,), max_iter=40, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.95
