"""EmbeddingDisplay."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageEmbedder,
    ImageLoader,
    ImageResizer,
    MLPImageClassifier,
    PretrainedImageClassifier,
)
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import EmbeddingDisplay

pytestmark = pytest.mark.usefixtures("off_screen")


@pytest.fixture(scope="module")
def stripes():
    return make_stripes(30)


@pytest.fixture(scope="module")
def fitted(stripes):
    return MLPImageClassifier(max_iter=30, random_state=0).fit(*stripes)


def show(estimator, X, y=None, **options):
    return EmbeddingDisplay.from_estimator(estimator, X, y, **({"method": "pca"} | options))


def legend_of(display):
    legend = display.ax_.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_images_of_one_class_are_close_together(fitted, stripes):
    X, y = stripes
    for method in ("pca", "tsne"):
        points = show(fitted, X, y, method=method).points
        assert points.shape == (30, 2)
        center = np.stack([points[y == label].mean(axis=0) for label in range(3)])
        nearest = np.argmin(np.linalg.norm(points[:, None] - center, axis=2), axis=1)
        assert (nearest == y).mean() > 0.9


def test_mistakes_have_a_ring(fitted, stripes):
    X, y = stripes
    y = y.copy()
    y[[3, 10]] = (y[[3, 10]] + 1) % 3
    display = show(fitted, X, y)
    assert np.flatnonzero(display.is_mistake).tolist() == [3, 10]
    np.testing.assert_allclose(display.mistakes_.get_offsets(), display.points[[3, 10]])
    assert legend_of(display) == ["0", "1", "2", "mistakes, 2"]
    assert show(fitted, X, fitted.predict(X)).mistakes_ is None


def test_each_class_has_its_points(fitted, stripes):
    X, y = stripes
    display = show(fitted, X, y)
    for label in range(3):
        found = display.points_[str(label)].get_offsets()
        np.testing.assert_allclose(found, display.points[y == label])


def test_labels_are_not_needed(fitted, stripes):
    display = show(fitted, stripes[0])
    assert display.labels is None
    assert display.mistakes_ is None
    assert legend_of(display) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: CNNImageClassifier(8, max_iter=1, random_state=0),
        lambda: PretrainedImageClassifier(random_state=0),
        lambda: make_pipeline(ImageResizer(6), MLPImageClassifier(max_iter=1, random_state=0)),
        lambda: GridSearchCV(MLPImageClassifier(max_iter=1, random_state=0), {}, cv=2),
        lambda: ImageEmbedder(image_size=32),
        lambda: make_pipeline(ImageResizer(6), ImageEmbedder(image_size=32)),
        lambda: ImageResizer(3),
    ],
    ids=["CNN", "pretrained", "pipeline", "search", "embedder", "embedders", "transformer"],
)
def test_estimators(make, stripes):
    X, y = stripes
    assert show(make().fit(X, y), X, y).points.shape == (30, 2)


def test_files(stripes, tmp_path):
    X, y = stripes
    paths = [str(tmp_path / f"{number:02d}.png") for number in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    pipe = make_pipeline(ImageLoader(mode="L"), MLPImageClassifier(max_iter=2, random_state=0))
    pipe.fit(paths, y)
    expected = show(pipe[-1], X).points
    np.testing.assert_allclose(show(pipe, paths).points, expected, atol=1e-4)


def test_multilabel(stripes):
    X, y = stripes
    indicator = pd.DataFrame({"thin": y == 0, "wide": y >= 1}).astype(int)
    clf = MLPImageClassifier(max_iter=2, random_state=0).fit(X, indicator)
    display = show(clf, X, indicator[["wide", "thin"]])
    assert set(display.labels) == {"thin", "wide"}


def test_features():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(12, 5))
    display = EmbeddingDisplay.from_features(features, ["_a", "$b$"] * 6, method="pca")
    assert legend_of(display) == ["$b$", "_a"]
    again = EmbeddingDisplay.from_features(features, method="pca")
    np.testing.assert_array_equal(again.points, display.points)
    assert EmbeddingDisplay.from_features(features[:, :1], method="pca").points.shape == (12, 2)


@pytest.mark.parametrize("n_features", [1, 2, 60])
def test_few_images_have_a_map(n_features):
    features = np.random.default_rng(0).normal(size=(3, n_features))
    points = EmbeddingDisplay.from_features(features).points
    assert np.isfinite(points).all()


def test_many_classes_have_no_legend():
    features = np.random.default_rng(0).normal(size=(25, 3))
    display = EmbeddingDisplay.from_features(features, range(25), method="pca")
    assert len(display.points_) == 25
    assert legend_of(display) == []


def test_plot_again_uses_other_axes(fitted, stripes):
    display = show(fitted, *stripes)
    before = plt.get_fignums()
    ax = Figure().subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"method": "umap"}, ValueError, "method must be one of 'tsne', 'pca'"),
        ({"X": np.zeros((2, 8, 8))}, ValueError, "at least 3 images; got 2"),
        ({"y": [0, 1]}, ValueError, "2 labels for 30 images"),
        ({"y": [7] * 30}, ValueError, "not among the classes"),
        ({"estimator": MLPImageClassifier()}, NotFittedError, "not fitted"),
    ],
)
def test_invalid_input_is_refused(fitted, stripes, change, error, words):
    given = {"estimator": fitted, "X": stripes[0], "y": stripes[1], **change}
    with pytest.raises(error, match=words):
        EmbeddingDisplay.from_estimator(**given)


def test_classifier_without_features_is_refused(stripes):
    X, y = stripes
    clf = LogisticRegression().fit(X.reshape(30, -1), y)
    with pytest.raises(TypeError, match="LogisticRegression has no features"):
        EmbeddingDisplay.from_estimator(clf, X.reshape(30, -1))


def test_features_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(n_samples, n_features\); got \(5,\)"):
        EmbeddingDisplay.from_features(np.zeros(5))
