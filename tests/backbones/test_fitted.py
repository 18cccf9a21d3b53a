"""A fitted image classifier as backbone."""

import pickle

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skimgcls import (
    CNNImageClassifier,
    ImageEmbedder,
    MLPImageClassifier,
    ModuleImageClassifier,
    PretrainedImageClassifier,
    ResNetImageClassifier,
)
from skimgcls.estimator_checks._data import make_stripes

CLASSIFIERS = [
    CNNImageClassifier(max_iter=2, random_state=0),
    MLPImageClassifier((20,), max_iter=2, random_state=0),
    ModuleImageClassifier(max_iter=2, random_state=0),
    ResNetImageClassifier((8, 16), max_iter=2, translation=1, random_state=0),
    PretrainedImageClassifier(
        "shufflenet_v2_x0_5",
        weights=None,
        trainable="all",
        max_iter=1,
        precision="float32",
        random_state=0,
    ),
]


def name_of(clf):
    return type(clf).__name__


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=name_of)
@pytest.mark.parametrize("shape", [(8, 8), (8, 10, 3)])
def test_every_classifier_can_be_a_backbone(classifier, shape):
    X, y = make_stripes(shape=shape)
    source = classifier.fit(X, y)
    before = source.predict_proba(X)
    clf = PretrainedImageClassifier(source, trainable="head", max_iter=2, random_state=0)
    clf.fit(X, ["abc"[code] for code in y])
    assert clf.predict_proba(X).shape == (36, 3)
    np.testing.assert_array_equal(source.predict_proba(X), before)
    loaded = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=name_of)
def test_features_and_original_head_give_the_original_logits(classifier):
    X, y = make_stripes(shape=(8, 8, 3))
    source = classifier.fit(X, y)
    if isinstance(source, ResNetImageClassifier):
        source = source.set_params(test_time_augmentation=False).fit(X, y)
    features = ImageEmbedder(source).fit_transform(X)
    head = [m for m in source.net_.module_.modules() if getattr(m, "out_features", None) == 3][-1]
    bias = 0 if head.bias is None else head.bias.detach().numpy()
    logits = features @ head.weight.detach().numpy().T + bias
    tolerance = 1e-5 if source.precision_ == "float32" else 0.1
    np.testing.assert_allclose(logits, source.decision_function(X), rtol=tolerance, atol=tolerance)


def test_images_of_another_size_are_resized():
    X, y = make_stripes(shape=(16, 16))
    source = CNNImageClassifier(max_iter=1, random_state=0).fit(X[:, :8, :8], y)
    clf = PretrainedImageClassifier(source, trainable="all", max_iter=1, random_state=0).fit(X, y)
    assert clf.predict(X).shape == (36,)


def test_gray_images_are_repeated_for_a_color_network():
    X, y = make_stripes(shape=(8, 8, 3))
    source = CNNImageClassifier(max_iter=1, random_state=0).fit(X, y)
    clf = PretrainedImageClassifier(source, trainable="all", max_iter=1, random_state=0).fit(
        X[..., 0], y
    )
    assert clf.net_.module_.body.repeats == 3


def test_images_with_other_channels_are_rejected(stripes):
    X, y = stripes
    source = CNNImageClassifier(max_iter=1, random_state=0).fit(X, y)
    clf = PretrainedImageClassifier(source, trainable="all")
    with pytest.raises(ValueError, match=r"have 3 channel\(s\), and the backbone was fitted on 1"):
        clf.fit(np.stack([X] * 3, axis=-1), y)


def test_unfitted_backbone_is_rejected(stripes):
    with pytest.raises(ValueError, match=r"is not fitted. Fit it first; and wrap it as sklearn.fr"):
        PretrainedImageClassifier(CNNImageClassifier()).fit(*stripes)


def test_other_estimator_as_backbone_is_rejected(stripes):
    X, y = stripes
    source = LogisticRegression().fit(X.reshape(36, -1), y)
    with pytest.raises(ValueError, match=r"is not fitted|is not an image classifier"):
        PretrainedImageClassifier(source, trainable="all").fit(X, y)


def test_weights_with_a_fitted_backbone_are_rejected(stripes):
    source = CNNImageClassifier(max_iter=1, random_state=0).fit(*stripes)
    with pytest.raises(ValueError, match=r'it has its own weights. Leave weights="auto"'):
        PretrainedImageClassifier(source, weights="DEFAULT").fit(*stripes)


def test_other_image_size_is_rejected(stripes):
    source = CNNImageClassifier(max_iter=1, random_state=0).fit(*stripes)
    with pytest.raises(ValueError, match=r"was fitted on images of 8 by 8 pixels"):
        PretrainedImageClassifier(source, image_size=32).fit(*stripes)


def test_frozen_backbone_in_a_search(stripes):
    X, y = stripes
    source = FrozenEstimator(CNNImageClassifier(max_iter=2, random_state=0).fit(X, y))
    clf = PretrainedImageClassifier(source, trainable="all", max_iter=1, random_state=0)
    search = GridSearchCV(clf, {"trainable": ["head", "all"]}, cv=2, error_score="raise").fit(X, y)
    assert search.best_estimator_.predict(X).shape == (36,)
