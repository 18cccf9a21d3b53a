"""scikit-learn's checks and ours, over every public estimator as its default constructor makes
it."""

import inspect

import pytest
from imblearn.utils.estimator_checks import estimator_checks_generator as sampler_checks
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

import skimgcls
from skimgcls._testing import assert_plain, make_stripes
from skimgcls.estimator_checks import image_classifier_checks

PUBLIC_CLASSES = [
    value for name in skimgcls.__all__ if inspect.isclass(value := getattr(skimgcls, name))
]
ESTIMATORS = [
    cls()
    for cls in PUBLIC_CLASSES
    if issubclass(cls, BaseEstimator) and not inspect.isabstract(cls)
]
CLASSIFIERS = [e for e in ESTIMATORS if isinstance(e, skimgcls.BaseImageClassifier)]
# Around a classifier of any kind.
META_CLASSIFIERS = [e for e in ESTIMATORS if is_classifier(e) and e not in CLASSIFIERS]
TRANSFORMERS = [estimator for estimator in ESTIMATORS if not is_classifier(estimator)]
CONTRACTS = [check for estimator in CLASSIFIERS for check in image_classifier_checks(estimator)]
# With something to do in training: the default does nothing, which is too easy.
AUGMENTER = skimgcls.ImageAugmenter(horizontal_flip=True, rotation=15, brightness=0.2)

# What scikit-learn runs for a classifier that takes weights, several labels and partial_fit, for
# one that takes none of them, for a transformer, and for a sampler. A later version may add checks;
# fewer would mean that a tag has switched some off.
N_CHECKS_OF_CLASSIFIERS = 60
N_CHECKS_OF_META_CLASSIFIERS = 50
N_CHECKS_OF_OTHERS = 45


def name_of(value):
    if isinstance(value, BaseEstimator):
        return type(value).__name__ + ("-changed" if value is AUGMENTER else "")
    return f"{type(value.args[1]).__name__}-{value.func.__name__}"


def test_every_public_estimator_is_checked():
    names = {type(estimator).__name__ for estimator in ESTIMATORS}
    assert names == {
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


@pytest.mark.slow
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name_of)
def test_scikit_learn_accepts_the_default_classifier(estimator):
    names = names_of_passed_checks(estimator)
    assert len(names) >= N_CHECKS_OF_CLASSIFIERS
    assert "check_sample_weight_equivalence_on_dense_data" in names


@pytest.mark.slow
@pytest.mark.parametrize("estimator", META_CLASSIFIERS, ids=name_of)
def test_scikit_learn_accepts_the_default_meta_classifier(estimator):
    assert len(names_of_passed_checks(estimator)) >= N_CHECKS_OF_META_CLASSIFIERS


# The checks make arrays of what the augmenter hands on, which is told to leave changes out.
@pytest.mark.filterwarnings("ignore:Lazy images became an array:UserWarning")
@pytest.mark.parametrize(
    "estimator",
    [AUGMENTER, *TRANSFORMERS],
    ids=name_of,
)
def test_scikit_learn_accepts_the_default_transformer(estimator):
    n_checks = len(names_of_passed_checks(estimator))
    if get_tags(estimator).estimator_type == "sampler":
        # Transformers have checks that no sampler has, and samplers have some of their own.
        n_checks += len([check(estimator) for _, check in sampler_checks(estimator)])
    assert n_checks >= N_CHECKS_OF_OTHERS


def names_of_passed_checks(estimator):
    """Run scikit-learn's checks, none of which may fail or be left out."""
    results = check_estimator(estimator, on_skip=None, on_fail="raise")
    assert {result["status"] for result in results} == {"passed"}
    assert not any(result["expected_to_fail"] for result in results)
    return [result["check_name"] for result in results]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_no_tag_switches_checks_off(estimator):
    tags = get_tags(estimator)
    assert tags.input_tags.two_d_array
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test
    assert tags.classifier_tags is None or not tags.classifier_tags.poor_score
    assert tags.requires_fit


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_what_a_transformer_learns_is_plain(estimator):
    """Arrays and plain values can be saved in any format."""
    images, y = make_stripes(shape=(6, 8, 3))
    state = clone(estimator).fit(images, y).__getstate__()
    learned = {key: value for key, value in state.items() if key not in estimator.get_params()}
    assert learned
    assert_plain(learned, type(estimator).__name__)


@pytest.mark.parametrize("check", CONTRACTS, ids=name_of)
def test_contract_of_the_image_classifiers(check):
    check()
