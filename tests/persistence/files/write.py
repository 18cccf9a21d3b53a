"""Write files of the present format, to be kept for good when a version is released.

Run as ``python tests/persistence/files/write.py NAME``. Existing files are not written again.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageAugmenter,
    ImageEmbedder,
    ImageLoader,
    ImageNormalizer,
    ImageResizer,
    MLPImageClassifier,
    ModuleImageClassifier,
    PretrainedImageClassifier,
    RejectOptionClassifier,
    ResNetImageClassifier,
    save,
)

FOLDER = Path(__file__).parent
# The tests, where the custom module is defined.
sys.path.insert(0, str(FOLDER.parents[1]))
from instances import make_custom_module  # noqa: E402

TRUSTED = ["instances.make_custom_module"]
# These files hold the optimizer.
WITH_OPTIMIZER = ("optimizer", "optimizer-of-groups")


def make_images():
    """Return images (12, 10, 12, 3) of bytes that no generator has to make again."""
    places = np.arange(12 * 10 * 12 * 3).reshape(12, 10, 12, 3)
    return (places * places // 7 % 256).astype(np.uint8)


def make_names(first=0):
    """Return one of three names for each image."""
    return np.array(["cat", "dog", "été"])[(first + np.arange(12)) % 3]


def make_estimators():
    """Return a small one of each kind, fitted, by name."""
    X, names = make_images(), make_names()
    # In the precision that every machine has.
    common = {"max_iter": 2, "precision": "float32", "random_state": 0}
    mlp = MLPImageClassifier((3,), **common)
    pipe = make_pipeline(
        ImageLoader(size=(6, 8)), ImageNormalizer(), ImageAugmenter(rotation=10), mlp
    )
    indicator = (np.arange(36).reshape(12, 3) % 4 == 0).astype(int)
    cnn = CNNImageClassifier((4,), hidden_layer_sizes=(), **common)
    resnet = ResNetImageClassifier((4,), **common)
    fitted = {
        "pipeline": pipe.fit(X, names),
        "multi-label": cnn.fit(X, indicator),
        "reject-option": RejectOptionClassifier(mlp, coverage=0.5, random_state=0).fit(X, names),
        "residual-net": resnet.fit(X, names),
        "search": GridSearchCV(mlp, {"alpha": [0.1, 1]}, cv=2).fit(X, np.arange(12) % 2),
    }
    dense = CNNImageClassifier((4, 6), hidden_layer_sizes=(5,), **common)
    own = ModuleImageClassifier(make_custom_module, **common)
    views = {"test_time_augmentation": True, "translation": 1, "horizontal_flip": True}
    around = PretrainedImageClassifier(FrozenEstimator(resnet), trainable="all", **common, **views)
    head = {"trainable": "head", "backbone_learning_rate_factor": 0.5}
    groups = PretrainedImageClassifier(
        FrozenEstimator(dense),
        trainable="all",
        backbone_learning_rate_factor=0.5,
        learning_rate_init=0.1,
        **common,
    )
    small = make_pipeline(
        ImageLoader(size=9), ImageResizer((6, 8)), ImageNormalizer("unit"), clone(dense)
    )
    return fitted | {
        "cnn": dense.fit(X, names),
        "mlp": MLPImageClassifier((3, 4), standardize=False, **common).fit(X, names),
        "module": own.fit(X, names),
        "pretrained": around.fit(X, names),
        "pretrained-head": PretrainedImageClassifier(dense, **head, **common).fit(X, names),
        "pretrained-twice": PretrainedImageClassifier(around, trainable="all", **common).fit(
            X, names
        ),
        "pretrained-module": PretrainedImageClassifier(own, trainable="all", **common).fit(
            X, names
        ),
        "embedder": make_pipeline(ImageEmbedder(resnet), GaussianNB(var_smoothing=10)).fit(
            X, names
        ),
        "reject-option-cnn": RejectOptionClassifier(FrozenEstimator(dense)).fit(X, names),
        "resizer": small.fit(X, names),
        "optimizer": ResNetImageClassifier((4,), **common).fit(X, names),
        "optimizer-of-groups": groups.fit(X, names),
    }


def main(name):
    for kind, estimator in make_estimators().items():
        path = FOLDER / name / f"{kind}.skimgcls"
        if path.exists():
            continue
        path.parent.mkdir(exist_ok=True)
        save(estimator, path, with_optimizer=kind in WITH_OPTIMIZER, trusted=TRUSTED)
        np.save(path.with_suffix(".npy"), estimator.predict_proba(make_images()))
        if kind in WITH_OPTIMIZER:
            estimator.partial_fit(make_images(), make_names(1))
            np.save(path.with_suffix(".next.npy"), estimator.predict_proba(make_images()))


if __name__ == "__main__":
    main(*sys.argv[1:])
