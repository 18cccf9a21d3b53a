"""Logistic regression on features."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skimgcls._training._logistic import ALPHAS, _draw_folds, fit_logistic


def make_features(n=80, d=30, k=3, seed=0):
    rng = np.random.RandomState(seed)
    targets = rng.permutation(np.arange(n) % k)
    return rng.randn(k, d)[targets] * 0.5 + rng.randn(n, d) + 3, targets


def proba_of(found, features):
    logits = features @ found.coef.T + found.intercept
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("d", [30, 200])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_optimum_is_that_of_scikit_learn(k, d, is_weighted):
    X, y = make_features(d=d, k=k)
    weights = np.random.RandomState(1).rand(len(X)) if is_weighted else None
    found = fit_logistic(X, y, weights, k, alpha=0.01, rng=np.random.RandomState(0))
    total = len(X) if weights is None else weights.sum()
    expected = LogisticRegression(C=1 / (0.01 * total), solver="newton-cholesky", tol=1e-10)
    expected.fit(X, y, weights)
    np.testing.assert_allclose(proba_of(found, X), expected.predict_proba(X), atol=1e-8)


def test_labels_of_an_indicator_are_fitted_one_by_one():
    X, _ = make_features()
    Y = (np.arange(80)[:, np.newaxis] % [2, 3, 5] == 0).astype(np.float32)
    found = fit_logistic(X, Y, None, 3, alpha=0.01, rng=np.random.RandomState(0))
    for label in range(3):
        expected = LogisticRegression(C=1 / 0.8, solver="newton-cholesky", tol=1e-10)
        expected.fit(X, Y[:, label])
        np.testing.assert_allclose(found.coef[label], expected.coef_[0], atol=1e-6)


def test_weights_of_the_ones_are_class_weights():
    X, _ = make_features()
    Y = (np.arange(80)[:, np.newaxis] % [2, 5] == 0).astype(np.float32)
    weights = np.array([1.0, 4.0])
    found = fit_logistic(
        X, Y, None, 2, positive_weight=weights, alpha=0.01, rng=np.random.RandomState(0)
    )
    expected = LogisticRegression(
        C=1 / 0.8, class_weight={1: 4.0}, solver="newton-cholesky", tol=1e-10
    ).fit(X, Y[:, 1])
    np.testing.assert_allclose(found.coef[1], expected.coef_[0], atol=1e-6)


def test_noise_gets_a_stronger_penalty_than_signal():
    rng = np.random.RandomState(0)
    X, y = make_features(n=200)
    signal = fit_logistic(X, y, None, 3, rng=np.random.RandomState(0)).alpha
    noise = fit_logistic(X, rng.permutation(y), None, 3, rng=np.random.RandomState(0)).alpha
    assert signal < noise
    assert {signal, noise} <= set(ALPHAS)


def test_equal_seeds_give_equal_bits():
    X, y = make_features()
    one, other = (fit_logistic(X, y, None, 3, rng=np.random.RandomState(5)) for _ in range(2))
    np.testing.assert_array_equal(one.coef, other.coef)


def test_a_class_of_one_image_is_always_trained_on():
    y = np.array([0] * 10 + [1] * 10 + [2])
    folds = _draw_folds(y, np.random.RandomState(0))
    assert folds[-1] == -1
    for fold in range(5):
        assert set(y[folds == fold]) == {0, 1}


def test_constant_features_predict_the_frequencies():
    y = np.array([0] * 30 + [1] * 10)
    found = fit_logistic(np.ones((40, 3)), y, None, 2, rng=np.random.RandomState(0))
    np.testing.assert_allclose(proba_of(found, np.ones((1, 3))), [[0.75, 0.25]], atol=1e-6)
