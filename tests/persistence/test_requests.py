"""Metadata requests are saved and loaded, and do not prevent saving."""

import numpy as np
import pytest
import sklearn
from instances import make_small
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

from skimgcls import CNNImageClassifier, ImageFlattener, ImageNormalizer, load, save
from skimgcls.estimator_checks._data import make_stripes


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def data():
    return make_stripes(36)


@pytest.fixture
def clf():
    clf = make_small(CNNImageClassifier, max_iter=2, random_state=0)
    return clf.set_fit_request(X_val=True, y_val=True, sample_weight=False)


def requests_of(estimator):
    return {
        method: dict(getattr(estimator.get_metadata_routing(), method).requests)
        for method in ("fit", "score", "partial_fit")
    }


def last_of(fitted):
    return fitted.best_estimator_[-1] if hasattr(fitted, "best_estimator_") else fitted.estimator


def test_a_classifier_keeps_its_requests(clf, data, tmp_path):
    X, y = data
    clf.fit(X, y, X_val=X, y_val=y)
    save(clf, tmp_path / "a.skimgcls")
    loaded = load(tmp_path / "a.skimgcls")
    assert requests_of(loaded) == requests_of(clf)
    assert requests_of(clone(loaded)) == requests_of(clf)
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert requests_of(clf)["fit"]["X_val"] is True


def test_the_validation_images_of_the_guide(clf, data, tmp_path):
    X, y = data
    pipe = make_pipeline(ImageNormalizer(), clf, transform_input=["X_val"])
    pipe.fit(X, y, X_val=X, y_val=y)
    save(pipe, tmp_path / "a.skimgcls")
    loaded = load(tmp_path / "a.skimgcls")
    np.testing.assert_array_equal(loaded.predict_proba(X), pipe.predict_proba(X))
    again = loaded.fit(X, y, X_val=X, y_val=y)
    assert again[-1].history_["validation_loss"].notna().all()


def test_requests_inside_other_estimators(clf, data, tmp_path):
    X, y = data
    logistic = LogisticRegression().set_fit_request(sample_weight="weights")
    rows = make_pipeline(ImageFlattener(), logistic)
    cv = GroupKFold(2).set_split_request(groups=True)
    search = GridSearchCV(rows, {"logisticregression__C": [1]}, cv=cv)
    groups = np.arange(36) % 4
    search.fit(X, y, groups=groups)
    frozen = FrozenEstimator(clf.fit(X, y))
    for fitted in (search, frozen):
        save(fitted, tmp_path / "a.skimgcls")
        loaded = load(tmp_path / "a.skimgcls")
        assert requests_of(last_of(loaded)) == requests_of(last_of(fitted))
        np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))


def test_estimators_without_requests_have_none_after_loading(data, tmp_path):
    X, y = data
    clf = make_small(CNNImageClassifier, max_iter=2).fit(X, y)
    save(clf, tmp_path / "a.skimgcls")
    assert not hasattr(load(tmp_path / "a.skimgcls"), "_metadata_request")
