"""Pixels of another range than in fit give a warning, and dark images do not."""

import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageLoader,
    ImageNormalizer,
    ImageResizer,
    MLPImageClassifier,
)
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._pixel_range import PixelRange
from skimgcls.datasets import make_shapes

X, y = make_shapes(24, n_classes=2, image_size=16, random_state=0)
UNIT = X / 255
STANDARDIZED = (X - X.mean()) / X.std()
DARK = X // 200
CNN = CNNImageClassifier((4,), hidden_layer_sizes=4, max_iter=1, random_state=0)


def warnings_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("fitted", "given"),
    [
        (X, UNIT),
        (X.astype(float), UNIT.astype(np.float32)),
        (UNIT, X),
        (X, STANDARDIZED),
        (STANDARDIZED, X),
        (X.astype(np.uint16) * 257, UNIT),
        (X, X.astype(np.uint16) * 257),
        (UNIT, X.astype(np.uint16) * 257),
    ],
    ids=lambda images: f"{images.dtype}, {images.min():.1f} to {images.max():.1f}",
)
@pytest.mark.parametrize("estimator", [CNN, make_pipeline(ImageResizer(8), clone(CNN))])
def test_another_range_gives_a_warning_with_both(estimator, fitted, given):
    clf = clone(estimator).fit(fitted, y)
    for method in (clf.predict, clf.predict_proba, lambda X: clf.score(X, y)):
        said = warnings_of(lambda call=method: call(given))
        assert "pixels in the range" in said[0]
        assert f"{fitted.max():.4g}]. Scale X as in fit" in said[0]


@pytest.mark.parametrize(
    ("fitted", "given"),
    [
        (X, X),
        (X, X[:1] * 0),
        (X, X[:1] * 0 + 1),
        (X, DARK),
        (X, X.astype(np.float32)),
        (X.astype(float), X),
        (UNIT, UNIT[:1] * 0),
        (UNIT, X > 100),
        (UNIT, UNIT.astype(np.float16)),
        (UNIT, np.full_like(UNIT, 1.01)),
        (STANDARDIZED, STANDARDIZED[:1] * 2),
        (X, X - 2.0),
        (X // 16, X),
    ],
)
def test_images_of_the_same_range_are_silent(fitted, given):
    clf = clone(CNN).fit(fitted, y)
    assert warnings_of(lambda: clf.predict(given)) == []


def test_floats_after_a_loader_of_files(tmp_path):
    paths = [str(tmp_path / f"{index}.png") for index in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    pipe = make_pipeline(ImageLoader(size=16), ImageNormalizer(), MLPImageClassifier(4, max_iter=1))
    pipe.fit(paths, y)
    assert warnings_of(lambda: pipe.predict(paths[:2])) == []
    assert warnings_of(lambda: pipe.predict(X[:2])) == []
    clf = clone(CNN).fit(paths, y)
    assert "range [0, 255]" in warnings_of(lambda: clf.predict(UNIT))[0]
    assert "range [0, 255]" in warnings_of(lambda: clone(CNN).fit(UNIT, y).predict(paths))[0]


def test_partial_fit_and_validation_images_are_compared_too():
    clf = clone(CNN).partial_fit(X, y, classes=np.unique(y))
    assert "pixels in the range" in warnings_of(lambda: clf.partial_fit(UNIT, y))[0]
    assert "pixels in the range" in warnings_of(lambda: clf.fit(X, y, X_val=UNIT, y_val=y))[0]


def test_the_range_of_images_with_steps_is_unknown():
    lazy = LazyImages(X).then(ImageNormalizer().fit(X).transform(LazyImages(X)).steps[0])
    assert PixelRange.of(lazy) is None
    assert PixelRange.of(LazyImages(UNIT))[:2] == (UNIT.min(), UNIT.max())
