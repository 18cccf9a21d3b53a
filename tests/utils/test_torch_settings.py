"""Results do not depend on the caller's settings of torch, which are restored."""

from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from instances import INIT_PARAMS, make_small
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skimgcls import (
    AutoImageClassifier,
    CNNImageClassifier,
    ImageAugmenter,
    ImageEmbedder,
    ImageNormalizer,
    ImageResizer,
)
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import grad_cam


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(device):
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


SETTINGS = {
    "autocast to bfloat16": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast to float16": lambda: torch.autocast("cpu", torch.float16),
    "default device": lambda: default_device("meta"),
    "device context": lambda: torch.device("meta"),
    "default dtype": lambda: default_dtype(torch.float64),
    "no gradients": torch.no_grad,
    "inference mode": torch.inference_mode,
}


def settings_of_torch():
    return (
        torch.is_autocast_enabled("cpu"),
        torch.get_autocast_dtype("cpu"),
        torch.empty(0).device,
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )


@pytest.fixture(scope="module")
def data():
    return make_stripes(36)


@contextmanager
def all_settings():
    with ExitStack() as stack:
        for setting in SETTINGS.values():
            stack.enter_context(setting())
        yield


@pytest.mark.parametrize(
    ("classifier", "setting"),
    [
        *((CNNImageClassifier, SETTINGS[name]) for name in SETTINGS),
        *((cls, all_settings) for cls in INIT_PARAMS),
    ],
)
def test_classifiers_ignore_the_settings_of_the_caller(classifier, setting, data):
    X, y = data
    clf = make_small(classifier, random_state=0)
    if classifier is not AutoImageClassifier:
        clf.set_params(max_iter=2)
    expected = clone(clf).fit(X, y)
    with setting():
        before = settings_of_torch()
        fitted = clone(clf).fit(X, y)
        assert settings_of_torch() == before
        found = expected.predict_proba(X)
        assert settings_of_torch() == before
    np.testing.assert_array_equal(fitted.predict_proba(X), expected.predict_proba(X))
    np.testing.assert_array_equal(found, expected.predict_proba(X))


@pytest.mark.parametrize("name", ["autocast to bfloat16", "autocast to float16"])
def test_weights_of_earlier_steps_are_not_used_within_autocast(name, data):
    # torch empties its cache of rounded weights where the outermost autocast ends.
    clf = make_small(CNNImageClassifier, precision="bfloat16", max_iter=3, random_state=0)
    expected = clone(clf).fit(*data)
    with SETTINGS[name]():
        fitted = clone(clf).fit(*data)
    assert fitted.loss_curve_ == expected.loss_curve_


def test_transformers_ignore_the_settings_of_the_caller(data):
    X, _ = data
    steps = make_pipeline(ImageResizer(8), ImageNormalizer(), ImageAugmenter(rotation=20))
    embedder = ImageEmbedder("timm:test_resnet", weights=None, random_state=0)
    for transformer in (steps[:-1], embedder):
        expected = np.asarray(clone(transformer).fit_transform(X))
        with all_settings():
            found = np.asarray(clone(transformer).fit_transform(X))
        np.testing.assert_array_equal(found, expected)
    augmenter = steps[-1].fit(X)
    expected = augmenter.sample(X[:4], random_state=0)
    with all_settings():
        found = augmenter.sample(X[:4], random_state=0)
    np.testing.assert_array_equal(found, expected)


def test_explanations_ignore_the_settings_of_the_caller(data):
    X, y = data
    clf = make_small(CNNImageClassifier, max_iter=2, random_state=0).fit(X, y)
    expected = grad_cam(clf, X[:3])
    with all_settings():
        np.testing.assert_array_equal(grad_cam(clf, X[:3]), expected)
