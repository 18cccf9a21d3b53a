"""scikit-learn's checks and ours, over every public estimator as its default constructor makes
it."""

import inspect

import pytest
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

import skimgcls
from skimgcls.estimator_checks import image_classifier_checks

PUBLIC_CLASSES = [
    value for name in skimgcls.__all__ if inspect.isclass(value := getattr(skimgcls, name))
]
ESTIMATORS = [cls() for cls in PUBLIC_CLASSES if not inspect.isabstract(cls)]
CONTRACTS = [check for estimator in ESTIMATORS for check in image_classifier_checks(estimator)]

# What scikit-learn runs for a classifier that takes weights, several labels and partial_fit. A
# later version may add checks; fewer would mean that a tag has switched some off.
N_CHECKS = 60


def name_of(value):
    if isinstance(value, skimgcls.BaseImageClassifier):
        return type(value).__name__
    return f"{type(value.args[1]).__name__}-{value.func.__name__}"


def test_every_public_classifier_is_checked():
    names = {type(estimator).__name__ for estimator in ESTIMATORS}
    assert names == {"CNNImageClassifier", "MLPImageClassifier", "ModuleImageClassifier"}


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_scikit_learn_accepts_the_default_constructor(estimator):
    results = check_estimator(estimator, on_skip=None, on_fail="raise")
    assert {result["status"] for result in results} == {"passed"}
    assert not any(result["expected_to_fail"] for result in results)
    assert len(results) >= N_CHECKS
    names = {result["check_name"] for result in results}
    assert "check_sample_weight_equivalence_on_dense_data" in names


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_no_tag_switches_checks_off(estimator):
    tags = get_tags(estimator)
    assert tags.input_tags.two_d_array
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test
    assert not tags.classifier_tags.poor_score
    assert tags.requires_fit


@pytest.mark.parametrize("check", CONTRACTS, ids=name_of)
def test_contract_of_the_image_classifiers(check):
    check()
