"""AugmentationDisplay."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import ImageAugmenter, ImageNormalizer, ImageResizer, MLPImageClassifier
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import AugmentationDisplay

pytestmark = pytest.mark.usefixtures("off_screen")


def test_each_row_shows_an_image_and_its_augmented_views():
    X, _ = make_stripes()
    augmenter = ImageAugmenter(shift=0.3).fit(X)
    display = AugmentationDisplay.from_estimator(augmenter, X[:3], n_views=5, random_state=0)
    views = augmenter.sample(X[:3], n_views=5, random_state=0)
    for row, image, drawn in zip(display.pictures, X, views, strict=False):
        np.testing.assert_array_equal(row[0], image)
        np.testing.assert_array_equal(row[1:], drawn[..., 0])
    assert [len(row) for row in display.images_] == [6, 6, 6]
    assert [text.get_text() for text in display.ax_.texts] == ["as it is"] * 3


def test_pipeline_uses_the_steps_before_its_classifier():
    X, y = make_stripes(shape=(8, 8, 3))
    pipe = make_pipeline(
        ImageResizer(size=6),
        ImageAugmenter(horizontal_flip=True),
        ImageNormalizer(),
        MLPImageClassifier(max_iter=1),
    ).fit(X, y)
    search = GridSearchCV(pipe, {"mlpimageclassifier__max_iter": [1]}, cv=2).fit(X, y)
    for estimator in (pipe, search):
        display = AugmentationDisplay.from_estimator(estimator, X[:2], n_views=2)
        assert [picture.shape for picture in display.pictures[0]] == [(6, 6, 3)] * 3


def test_plot_can_be_called_again():
    X, _ = make_stripes()
    display = AugmentationDisplay.from_estimator(ImageAugmenter(rotation=9).fit(X), X[:1])
    ax = Figure().subplots()
    assert display.plot(ax).ax_ is ax


def test_transformer_without_random_steps_is_rejected():
    X, _ = make_stripes()
    with pytest.raises(TypeError, match="changes no image at random"):
        AugmentationDisplay.from_estimator(ImageAugmenter().fit(X), X[:1])


def test_empty_input_is_rejected():
    X, _ = make_stripes()
    with pytest.raises(ValueError, match="no image to show"):
        AugmentationDisplay.from_estimator(ImageAugmenter(rotation=9).fit(X), X[:0])


def test_unfitted_augmenter_is_rejected():
    with pytest.raises(NotFittedError):
        AugmentationDisplay.from_estimator(ImageAugmenter(rotation=9), make_stripes()[0])
