"""Fixtures: the estimators that are saved and loaded."""

import pytest
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from instances import make_small
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageAugmenter,
    ImageEmbedder,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageOverSampler,
    ImageResizer,
    MLPImageClassifier,
    PretrainedImageClassifier,
    RejectOptionClassifier,
    ResNetImageClassifier,
    save,
)
from skimgcls.estimator_checks._data import make_stripes

X, y = make_stripes(48, shape=(8, 8, 3))
MLP = make_small(MLPImageClassifier, max_iter=2, random_state=0)
ESTIMATORS = {
    "MLP": MLP,
    "CNN": make_small(CNNImageClassifier, max_iter=1, random_state=0),
    "ResNet": make_small(ResNetImageClassifier, max_iter=1, random_state=0),
    "pretrained": PretrainedImageClassifier(
        FrozenEstimator(make_small(ResNetImageClassifier, max_iter=1).fit(X, y)),
        trainable="all",
        max_iter=1,
        random_state=0,
    ),
    "torchvision": PretrainedImageClassifier(
        "squeezenet1_1", weights=None, trainable="all", max_iter=1, image_size=32
    ),
    "reject option": RejectOptionClassifier(MLP, coverage=0.5, random_state=0),
    "pipeline": make_pipeline(
        ImageLoader(),
        ImageResizer(size=6),
        ImageNormalizer(),
        ImageAugmenter(rotation=10),
        MLP,
    ),
    "oversampling": make_sampling_pipeline(ImageOverSampler(), MLP),
    "embedding": make_pipeline(
        ImageEmbedder("squeezenet1_1", weights=None, image_size=32),
        LogisticRegression(C=1e-4, max_iter=5000),
    ),
    "rows": make_pipeline(ImageFlattener(), LogisticRegression(C=1e-4, max_iter=5000)),
    "search": GridSearchCV(MLP, {"alpha": [0.1, 0.2]}, cv=2, scoring="f1_macro"),
    "search by the classifier's own score": GridSearchCV(MLP, {"alpha": [0.1, 0.2]}, cv=2),
    "random search": RandomizedSearchCV(MLP, {"alpha": [0.1, 0.2]}, n_iter=1, cv=2),
    "search of several scores": GridSearchCV(
        make_pipeline(ImageResizer(size=6), MLP),
        {"mlpimageclassifier__alpha": [0.1]},
        cv=2,
        scoring=["accuracy", "balanced_accuracy"],
        refit="accuracy",
    ),
    "calibration": CalibratedClassifierCV(MLP, cv=2),
    "scikit-learn's own net": make_pipeline(ImageFlattener(), MLPClassifier(tol=1, max_iter=50)),
    "ensemble": VotingClassifier([("a", MLP), ("b", clone(MLP))], voting="soft"),
}


@pytest.fixture(scope="session", params=ESTIMATORS)
def fitted(request):
    """Each estimator, fitted. Tests must not modify it."""
    return clone(ESTIMATORS[request.param]).fit(X, y)


@pytest.fixture(scope="session")
def estimators():
    """All estimators by name, not fitted."""
    return ESTIMATORS


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """The bytes of a small honest file."""
    path = tmp_path_factory.mktemp("good") / "model.skimgcls"
    clf = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(6,), random_state=0)
    images, labels = make_stripes()
    save(make_pipeline(ImageNormalizer(), clf).fit(images, labels), path)
    return path.read_bytes()
