"""RejectOptionClassifier keeps its guarantees."""

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skimgcls import MLPImageClassifier, RejectOptionClassifier
from skimgcls.estimator_checks._data import make_stripes


class Oracle(ClassifierMixin, BaseEstimator):
    """Two classes; the image is the confidence, and the first class is always predicted."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        sure = 0.5 + np.asarray(X)[:, 0] / 2
        return np.column_stack([sure, 1 - sure])


def make_cases(n, seed=0):
    """Confidences from 0 to 1, and labels that are correct more often at high confidence."""
    rng = np.random.RandomState(seed)
    X = rng.rand(n, 1)
    y = (rng.rand(n) > 0.5 + X[:, 0] / 2).astype(int)
    return X, y


def make_frozen(X, y, **params):
    return RejectOptionClassifier(FrozenEstimator(Oracle().fit(X, y)), **params).fit(X, y)


@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.9, 1.0])
def test_the_requested_fraction_is_accepted(coverage):
    clf = make_frozen(*make_cases(1000), coverage=coverage)
    assert clf.coverage_ == pytest.approx(coverage, abs=0.001)
    X, _ = make_cases(5000, seed=1)
    low, high = stats.binom.interval(0.999, 5000, coverage)
    # The threshold is random too: it is learned from fewer images.
    assert low - 250 <= clf.is_accepted(X).sum() <= high + 250


@pytest.mark.parametrize("max_error", [0.15, 0.2])
def test_the_requested_error_is_met_with_the_promised_confidence(max_error):
    confidence, n_kept = 0.9, 0
    for seed in range(60):
        clf = make_frozen(*make_cases(800, seed), max_error=max_error, confidence=confidence)
        assert clf.error_ <= clf.error_bound_ <= max_error
        # The error probability at confidence t is (1 - t) / 2; take the mean above the threshold.
        lowest = 2 * clf.threshold_ - 1
        n_kept += (1 - lowest) / 4 <= max_error
    assert n_kept >= stats.binom.ppf(0.001, 60, confidence)


def test_a_higher_error_bound_accepts_more_images():
    X, y = make_cases(2000)
    strict, loose = (make_frozen(X, y, max_error=e) for e in (0.1, 0.2))
    assert strict.threshold_ > loose.threshold_
    assert strict.coverage_ < loose.coverage_


def test_without_a_bound_nothing_is_rejected():
    X, y = make_stripes()
    clf = RejectOptionClassifier(MLPImageClassifier(max_iter=2, random_state=0)).fit(X, y)
    inner = MLPImageClassifier(max_iter=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(clf.predict(X), inner.predict(X))
    assert clf.is_accepted(X).all()
    assert (clf.threshold_, clf.coverage_) == (0.0, 1.0)
    assert np.isnan([clf.error_, clf.error_bound_]).all()


@pytest.mark.parametrize(
    ("labels", "rejected_label", "expected"),
    [
        ([0, 1], None, -1),
        ([0.5, 1.5], None, -1),
        (["a", "b"], None, "none of these"),
        ([True, False], None, -1),
        ([0, 1], "no idea", "no idea"),
        (["a", "b"], "?", "?"),
    ],
)
def test_rejected_images_get_the_rejected_label(labels, rejected_label, expected):
    X, y = make_cases(400)
    y = np.array(labels)[y]
    clf = make_frozen(X, y, coverage=0.5, rejected_label=rejected_label)
    answers = clf.predict(X)
    accepted = clf.is_accepted(X)
    assert clf.rejected_label_ == expected
    assert all(answer == expected for answer in answers[~accepted])
    np.testing.assert_array_equal(answers[accepted], np.full(accepted.sum(), clf.classes_[0]))


def test_images_of_unknown_classes_count_as_mistakes():
    X, y = make_cases(2000)
    oracle = FrozenEstimator(Oracle().fit(X, y))
    is_strange = np.arange(2000) % 10 == 0
    strange = np.where(is_strange, 7, y)
    clf = RejectOptionClassifier(oracle, max_error=0.25).fit(X, strange)
    assert clf.threshold_ > RejectOptionClassifier(oracle, max_error=0.25).fit(X, y).threshold_
    accepted = clf.is_accepted(X)
    assert clf.error_ == pytest.approx((clf.predict(X) != strange)[accepted].mean())
    assert clf.classes_.tolist() == [0, 1]


def test_images_held_out_are_not_trained_on():
    X, y = make_stripes(n_images=60)
    seen = []

    class Watched(MLPImageClassifier):
        def fit(self, X, y):
            seen.append(len(X))
            return super().fit(X, y)

    clf = RejectOptionClassifier(
        Watched(max_iter=1), coverage=0.5, validation_fraction=0.25, random_state=0
    ).fit(X, y)
    assert seen == [45]
    assert clf.estimator_.n_features_in_ == clf.n_features_in_ == 64


def test_equal_seeds_hold_out_the_same():
    X, y = load_digits(return_X_y=True)
    one, other = (
        RejectOptionClassifier(
            LogisticRegression(max_iter=20, tol=1), coverage=0.7, random_state=3
        ).fit(X[:300], y[:300])
        for _ in range(2)
    )
    assert one.threshold_ == other.threshold_


def test_a_search_varies_parameters_of_the_inner_classifier():
    X, y = make_stripes()
    clf = RejectOptionClassifier(MLPImageClassifier(max_iter=1), coverage=0.9, random_state=0)
    search = GridSearchCV(clf, {"estimator__alpha": [0.1, 0.2], "coverage": [0.8]}, cv=2)
    assert search.fit(X, y).best_params_["coverage"] == 0.8


# ---- errors


def test_both_bounds_at_once_are_refused():
    with pytest.raises(ValueError, match="not both"):
        make_frozen(*make_cases(50), coverage=0.5, max_error=0.1)


def test_a_bound_that_too_few_images_support_is_refused():
    with pytest.raises(ValueError, match=r"max_error=0.01 cannot be guaranteed .* Hold out more"):
        make_frozen(*make_cases(50), max_error=0.01)


def test_a_fit_that_raises_changes_nothing():
    X, y = make_cases(400)
    clf = make_frozen(X, y, coverage=0.5)
    before = dict(vars(clf))
    with pytest.raises(ValueError, match="cannot be guaranteed"):
        clf.set_params(coverage=None, max_error=0.001).fit(X, y)
    assert vars(clf) | {"coverage": 0.5, "max_error": None} == before


def test_another_number_of_labels_is_refused():
    X, y = make_cases(50)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples"):
        RejectOptionClassifier(FrozenEstimator(Oracle().fit(X, y)), coverage=0.5).fit(X, y[:-1])


def test_multilabel_targets_are_refused():
    X, _ = make_stripes()
    y = np.random.RandomState(0).randint(2, size=(len(X), 3))
    with pytest.raises(ValueError, match="does not support multilabel"):
        RejectOptionClassifier(MLPImageClassifier(max_iter=1), coverage=0.5).fit(X, y)


def test_a_rejected_label_that_is_a_class_is_refused():
    X, y = make_cases(100)
    with pytest.raises(ValueError, match="rejected_label=-1 is a class of y"):
        make_frozen(X, y - 1, coverage=0.5)


def test_a_frozen_classifier_must_be_fitted():
    clf = RejectOptionClassifier(FrozenEstimator(Oracle()), coverage=0.5)
    with pytest.raises(NotFittedError):
        clf.fit(*make_cases(50))


def test_predictions_before_fit_are_refused():
    with pytest.raises(NotFittedError):
        RejectOptionClassifier().predict(np.zeros((2, 4)))
