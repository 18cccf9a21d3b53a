"""Pickle, joblib, copies, skops and MLflow also save a model."""

import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import clone

from skimgcls import (
    MLPImageClassifier,
    get_trusted_types,
)
from skimgcls.estimator_checks._data import make_stripes

X, y = make_stripes(48, shape=(8, 8, 3))
MLP = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(8,), random_state=0)


def by_joblib(estimator, folder):
    joblib.dump(estimator, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def by_skops(estimator, folder):
    skops.io.dump(estimator, folder / "model.skops")
    return skops.io.load(folder / "model.skops", trusted=get_trusted_types())


WAYS = {
    "pickle": lambda estimator, folder: pickle.loads(pickle.dumps(estimator)),
    "joblib": by_joblib,
    "deepcopy": lambda estimator, folder: copy.deepcopy(estimator),
    "skops": by_skops,
}


@pytest.mark.parametrize("way", WAYS)
def test_predictions_are_identical(way, fitted, tmp_path):
    again = WAYS[way](fitted, tmp_path)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("way", WAYS)
def test_unavailable_device_does_not_prevent_loading(way, tmp_path):
    clf = clone(MLP).fit(X, y)
    expected = clf.predict_proba(X)
    again = WAYS[way](clf.set_params(device="cuda:7"), tmp_path)
    np.testing.assert_array_equal(again.predict_proba(X), expected)


@pytest.mark.parametrize("way", WAYS)
def test_training_continues_identically(way, tmp_path):
    clf = clone(MLP).fit(X, y)
    again = WAYS[way](clf, tmp_path).partial_fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), clf.partial_fit(X, y).predict_proba(X))


def test_only_the_estimator_is_untrusted_by_skops(estimators):
    data = skops.io.dumps(clone(estimators["CNN"]).fit(X, y))
    assert skops.io.get_untrusted_types(data=data) == [
        "skimgcls.classifiers._cnn.CNNImageClassifier"
    ]


def test_trusted_types_are_estimators_and_types_of_searches():
    names = get_trusted_types()
    assert len(set(names)) == len(names)
    modules = {name.split(".")[0] for name in names}
    assert modules == {"skimgcls", "sklearn", "imblearn", "numpy", "pathlib"}
    assert "skimgcls.preprocessing._loader.ImageLoader" in names


@pytest.mark.slow
def test_mlflow_logs_and_loads_a_pipeline(tmp_path):
    pytest.importorskip("mlflow")
    code = """
import sys, numpy as np, mlflow
from skimgcls import get_trusted_types
from skimgcls.estimator_checks._data import make_stripes
from sklearn.pipeline import make_pipeline
from skimgcls import ImageLoader, MLPImageClassifier

X, y = make_stripes(48, shape=(8, 8, 3))
pipe = make_pipeline(ImageLoader(size=6), MLPImageClassifier(max_iter=1, random_state=0)).fit(X, y)
mlflow.set_tracking_uri("sqlite:///models.db")
for how in ({"serialization_format": "cloudpickle"}, {"skops_trusted_types": get_trusted_types()}):
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(pipe, name="model", **how)
    again = mlflow.sklearn.load_model(logged.model_uri)
    np.testing.assert_array_equal(again.predict_proba(X), pipe.predict_proba(X))
sys.stdout.write("both")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "both", done.stderr
