"""Write files of the present format, to be kept for good when a version is released.

Run as ``python tests/persistence/files/write.py NAME``; what exists is not written again.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageAugmenter,
    ImageLoader,
    ImageNormalizer,
    MLPImageClassifier,
    RejectOptionClassifier,
    ResNetImageClassifier,
    save,
)

FOLDER = Path(__file__).parent


def make_images():
    """Return images (12, 10, 12, 3) of bytes that no generator has to make again."""
    places = np.arange(12 * 10 * 12 * 3).reshape(12, 10, 12, 3)
    return (places * places // 7 % 256).astype(np.uint8)


def make_estimators():
    """Return a small one of each kind, fitted, by name."""
    X, names = make_images(), np.array(["cat", "dog", "été"])[np.arange(12) % 3]
    # In the precision that every machine has.
    common = {"max_iter": 2, "precision": "float32", "random_state": 0}
    mlp = MLPImageClassifier((3,), **common)
    pipe = make_pipeline(
        ImageLoader(size=(6, 8)), ImageNormalizer(), ImageAugmenter(rotation=10), mlp
    )
    indicator = (np.arange(36).reshape(12, 3) % 4 == 0).astype(int)
    cnn = CNNImageClassifier((4,), hidden_layer_sizes=(), **common)
    return {
        "pipeline": pipe.fit(X, names),
        "multi-label": cnn.fit(X, indicator),
        "reject-option": RejectOptionClassifier(mlp, coverage=0.5, random_state=0).fit(X, names),
        "residual-net": ResNetImageClassifier((4,), **common).fit(X, names),
        "search": GridSearchCV(mlp, {"alpha": [0.1, 1]}, cv=2).fit(X, np.arange(12) % 2),
    }


def main(name):
    for kind, estimator in make_estimators().items():
        path = FOLDER / name / f"{kind}.skimgcls"
        if path.exists():
            raise SystemExit(f"{path} is there already")
        path.parent.mkdir(exist_ok=True)
        save(estimator, path)
        np.save(path.with_suffix(".npy"), estimator.predict_proba(make_images()))


if __name__ == "__main__":
    main(*sys.argv[1:])
