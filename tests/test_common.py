"""Run the checks of scikit-learn and of this library on every public estimator.

The scikit-learn checks run on the default constructors, one test per check. Our checks, which fit
several times each, run on small instances.
"""

import inspect
from unittest import SkipTest

import pytest
from imblearn.utils.estimator_checks import estimator_checks_generator as sampler_checks
from instances import INIT_PARAMS, make_small
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import has_fit_parameter

import skimgcls
from skimgcls.estimator_checks import image_classifier_checks
from skimgcls.estimator_checks._data import assert_plain, make_stripes

PUBLIC_CLASSES = [
    value for name in skimgcls.__all__ if inspect.isclass(value := getattr(skimgcls, name))
]
ESTIMATORS = [
    cls()
    for cls in PUBLIC_CLASSES
    if issubclass(cls, BaseEstimator) and not inspect.isabstract(cls)
]
CLASSIFIERS = [
    estimator
    for estimator in ESTIMATORS
    if is_classifier(estimator) and not isinstance(estimator, skimgcls.RejectOptionClassifier)
]
TRANSFORMERS = [estimator for estimator in ESTIMATORS if not is_classifier(estimator)]
# An augmenter that changes images; the default does not.
AUGMENTER = skimgcls.ImageAugmenter(horizontal_flip=True, rotation=15, brightness=0.2)
# The default constructor computes features with a large network, which takes minutes. Its checks
# are marked slow; those of a smaller network with a fitted head are not.
LARGE = skimgcls.PretrainedImageClassifier()
HEAD_ALONE = skimgcls.PretrainedImageClassifier("squeezenet1_1", weights=None)
CHECKED = [*ESTIMATORS, AUGMENTER, HEAD_ALONE]
SMALL = [make_small(type(classifier)) for classifier in CLASSIFIERS]

# Number of scikit-learn checks for a classifier with weights, multilabel targets and partial_fit;
# for a meta-estimator; for a transformer; and for a sampler. A later version may add checks; a
# smaller number would mean that a tag disables some.
N_CHECKS_OF_CLASSIFIERS = 60
N_CHECKS_OF_META_CLASSIFIERS = 50
N_CHECKS_OF_OTHERS = 45


def name_of(value):
    changes = {id(AUGMENTER): "-changed", id(HEAD_ALONE): "-head"}
    return type(value).__name__ + changes.get(id(value), "")


def checks_of(estimator):
    """Return the scikit-learn checks of an estimator, and for a sampler those of imbalanced-learn.

    Transformers have checks that no sampler has.
    """
    checks = list(estimator_checks_generator(estimator))
    if get_tags(estimator).estimator_type == "sampler":
        checks += list(sampler_checks(estimator))
    return [check for _, check in checks]


def check_params():
    """Return a parameter set for each pair of an estimator and a check, with a readable id."""
    params = []
    for estimator in CHECKED:
        is_large = type(estimator) is type(LARGE) and estimator is not HEAD_ALONE
        marks = [pytest.mark.slow] if is_large else []
        for number, check in enumerate(checks_of(estimator)):
            # A check can occur twice, with different arguments.
            test_id = f"{name_of(estimator)}-{number}-{check.func.__name__}"
            params.append(pytest.param(estimator, check, marks=marks, id=test_id))
    return params


def contract_params():
    params = []
    for classifier in [*SMALL, LARGE]:
        marks = [pytest.mark.slow] if classifier is LARGE else []
        size = "default" if classifier is LARGE else "small"
        for check in image_classifier_checks(classifier):
            test_id = f"{name_of(classifier)}-{size}-{check.func.__name__}"
            params.append(pytest.param(check, marks=marks, id=test_id))
    return params


def test_every_public_estimator_is_checked():
    names = {type(estimator).__name__ for estimator in ESTIMATORS}
    assert names == {
        "AutoImageClassifier",
        "CNNImageClassifier",
        "ImageAugmenter",
        "ImageEmbedder",
        "ImageFlattener",
        "ImageLoader",
        "ImageNormalizer",
        "ImageOverSampler",
        "ImageResizer",
        "MLPImageClassifier",
        "ModuleImageClassifier",
        "PretrainedImageClassifier",
        "RejectOptionClassifier",
        "ResNetImageClassifier",
    }


def test_every_classifier_has_a_small_instance():
    assert set(INIT_PARAMS) == {type(classifier) for classifier in CLASSIFIERS}


# The checks convert lazy images to arrays, which warns that augmentation is not applied.
@pytest.mark.filterwarnings("ignore:Lazy images became an array:UserWarning")
@pytest.mark.parametrize(("estimator", "check"), check_params())
def test_scikit_learn_accepts_the_default_constructor(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        pytest.fail(f"A check was skipped: {reason}")


@pytest.mark.parametrize("estimator", CHECKED, ids=name_of)
def test_number_of_scikit_learn_checks(estimator):
    names = [check.func.__name__ for check in checks_of(estimator)]
    if is_classifier(estimator) and has_fit_parameter(estimator, "sample_weight"):
        assert len(names) >= N_CHECKS_OF_CLASSIFIERS
        assert "check_sample_weight_equivalence_on_dense_data" in names
    elif is_classifier(estimator):
        assert len(names) >= N_CHECKS_OF_META_CLASSIFIERS
    else:
        assert len(names) >= N_CHECKS_OF_OTHERS


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_tags_disable_no_checks(estimator):
    tags = get_tags(estimator)
    assert tags.input_tags.two_d_array
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test
    assert tags.classifier_tags is None or not tags.classifier_tags.poor_score
    assert tags.requires_fit


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_fitted_attributes_of_transformers_are_plain(estimator):
    """Arrays and plain values can be saved in any format."""
    images, y = make_stripes(shape=(6, 8, 3))
    state = clone(estimator).fit(images, y).__getstate__()
    learned = {key: value for key, value in state.items() if key not in estimator.get_params()}
    assert learned
    assert_plain(learned, type(estimator).__name__)


@pytest.mark.parametrize("check", contract_params())
def test_image_classifier_checks_pass(check):
    check()
