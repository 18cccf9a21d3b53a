"""MLPImageClassifier."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from torch import nn

from skimgcls import MLPImageClassifier


def test_the_hidden_layers_have_the_given_sizes(stripes):
    X, y = stripes
    clf = MLPImageClassifier((20, 10), activation="tanh", dropout=0.2, max_iter=1).fit(X, y)
    layers = list(clf.net_.module_.body.layers)
    assert [type(layer) for layer in layers] == [
        *(nn.Linear, nn.Tanh, nn.Dropout),
        *(nn.Linear, nn.Tanh, nn.Dropout),
        nn.Linear,
    ]
    assert [m.out_features for m in layers if isinstance(m, nn.Linear)] == [20, 10, 3]


@pytest.mark.parametrize("sizes", [5, [5], (5,), np.array([5])])
def test_one_hidden_layer_can_be_given_in_several_ways(stripes, sizes):
    X, y = stripes
    reference = MLPImageClassifier((5,), max_iter=1, random_state=0).fit(X, y).predict_proba(X)
    clf = MLPImageClassifier(sizes, max_iter=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), reference)


def test_dropout_is_applied_only_in_training(stripes):
    X, y = stripes
    clf = MLPImageClassifier((50,), dropout=0.9, max_iter=3, random_state=0).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), clf.predict_proba(X))
    plain = MLPImageClassifier((50,), max_iter=3, random_state=0).fit(X, y)
    assert clf.loss_ > plain.loss_


def test_it_learns_digits_from_rows():
    X, y = load_digits(return_X_y=True)
    clf = MLPImageClassifier(max_iter=20, random_state=0).fit(X[:600], y[:600])
    assert clf.image_shape_ == (8, 8, 1)
    assert clf.score(X[600:], y[600:]) > 0.9
