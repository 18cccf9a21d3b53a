"""Grad-CAM and occlusion highlight a planted patch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from references import find_difference, make_pictures
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimgcls import (
    CNNImageClassifier,
    ImageAugmenter,
    ImageFlattener,
    ImageLoader,
    MLPImageClassifier,
    PretrainedImageClassifier,
    ResNetImageClassifier,
)
from skimgcls.inspection import SaliencyDisplay, grad_cam, occlusion

pytestmark = pytest.mark.usefixtures("off_screen")

SIDE, PATCH = 32, 10
IN_PATCH = np.zeros((SIDE, SIDE), bool)
IN_PATCH[:PATCH, -PATCH:] = True


def make_planted(n_images, seed=0):
    """Return noise images; those of the second class have a red patch in the upper right corner."""
    noise = 128 + 30 * np.random.RandomState(seed).randn(n_images, SIDE, SIDE, 3)
    X = np.clip(noise, 0, 255).astype(np.uint8)
    y = np.arange(n_images) % 2
    X[y == 1, :PATCH, -PATCH:] = (250, 20, 20)
    return X, np.array(["plain", "patched"])[y]


@pytest.fixture(scope="module")
def cnn():
    return CNNImageClassifier(max_iter=4, random_state=0).fit(*make_planted(200))


@pytest.fixture(scope="module")
def patched():
    return make_planted(12, seed=1)[0][1::2]


def share_in_patch(maps):
    positive = np.clip(maps, 0, None)
    return (positive * IN_PATCH).sum(axis=(1, 2)) / positive.sum(axis=(1, 2))


def test_grad_cam_highlights_the_patch(cnn, patched):
    maps = grad_cam(cnn, patched)
    assert maps.shape == (6, SIDE, SIDE)
    assert share_in_patch(maps).min() >= 0.8
    np.testing.assert_allclose(maps.max(axis=(1, 2)), 1)
    assert maps.min() >= 0


def test_occlusion_highlights_the_patch(cnn, patched):
    maps = occlusion(cnn, patched[:3], window=5)
    assert maps.shape == (3, SIDE, SIDE)
    assert share_in_patch(maps).min() >= 0.8


def test_occlusion_explains_any_pipeline(patched):
    X, y = make_planted(60)
    pipe = make_pipeline(ImageFlattener(), StandardScaler(), LogisticRegression()).fit(X, y)
    assert share_in_patch(occlusion(pipe, patched[:2], window=5)).min() >= 0.8


def test_rows_are_interpreted_as_images():
    X, y = make_planted(40)
    clf = LogisticRegression().fit(X.mean(axis=3).reshape(40, -1), y)
    rows = X.mean(axis=3).reshape(40, -1)[1:3]
    assert occlusion(clf, rows, window=8).shape == (2, SIDE, SIDE)


def test_target_selects_the_class(cnn, patched):
    against = occlusion(cnn, patched[:1], target="plain", window=5)
    np.testing.assert_allclose(against, -occlusion(cnn, patched[:1], window=5), atol=1e-5)
    assert grad_cam(cnn, patched, target="plain").shape == (6, SIDE, SIDE)
    each = grad_cam(cnn, patched[:2], target=["plain", "patched"])
    np.testing.assert_allclose(each[1], grad_cam(cnn, patched[1:2])[0], atol=1e-5)


@pytest.mark.parametrize(
    "clf",
    [
        ResNetImageClassifier((8, 8), max_iter=1, random_state=0, horizontal_flip=True),
        PretrainedImageClassifier(
            "resnet18", weights=None, trainable="head", max_iter=1, random_state=0
        ),
    ],
    ids=["views", "frozen"],
)
def test_grad_cam_of_a_network_with_flipped_views_or_frozen_layers(clf, patched):
    clf.fit(*make_planted(10))
    before = [p.requires_grad for p in clf.net_.module_.parameters()]
    maps = grad_cam(clf, patched)
    assert maps.shape == (6, SIDE, SIDE)
    assert maps.any()
    assert [p.requires_grad for p in clf.net_.module_.parameters()] == before


def test_grad_cam_of_an_earlier_layer(cnn, patched):
    names = [n for n, m in cnn.net_.module_.named_modules() if isinstance(m, torch.nn.Conv2d)]
    maps = grad_cam(cnn, patched, layer=names[0])
    assert not np.allclose(maps, grad_cam(cnn, patched))


def test_grad_cam_does_not_change_the_classifier(cnn, patched):
    before = cnn.predict_proba(patched)
    grad_cam(cnn, patched)
    np.testing.assert_array_equal(cnn.predict_proba(patched), before)


def test_pipeline_of_files_in_a_grid_search(cnn, patched, tmp_path):
    X, y = make_planted(12)
    paths = [str(tmp_path / f"{i:02d}.png") for i in range(12)]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    pipe = make_pipeline(ImageLoader(), CNNImageClassifier(max_iter=1, random_state=0))
    search = GridSearchCV(pipe, {"cnnimageclassifier__alpha": [0.1]}, cv=2).fit(paths, y)
    array = CNNImageClassifier(max_iter=1, random_state=0).fit(X, y)
    np.testing.assert_allclose(grad_cam(search, paths[:2]), grad_cam(array, X[:2]), atol=1e-4)
    np.testing.assert_allclose(
        occlusion(search, paths[:2], window=16), occlusion(array, X[:2], window=16), atol=1e-4
    )


def test_augmentation_is_not_applied(patched):
    X, y = make_planted(40)
    clf = CNNImageClassifier(max_iter=1, random_state=0)
    augmenter = ImageAugmenter(vertical_flip=True, rotation=90)
    pipe = make_pipeline(ImageLoader(), augmenter, clf).fit(X, y)
    np.testing.assert_array_equal(grad_cam(pipe, patched), grad_cam(pipe[-1], patched))
    np.testing.assert_array_equal(
        occlusion(pipe, patched[:2], window=16), occlusion(pipe[-1], patched[:2], window=16)
    )


# ---- the display


def test_display_shows_images_as_passed_to_the_network(cnn, tmp_path):
    wide = np.zeros((SIDE, 2 * SIDE, 3), np.uint8)
    wide[:, SIDE // 2 : -SIDE // 2] = make_planted(2)[0][1]
    Image.fromarray(wide).save(tmp_path / "wide.png")
    pipe = make_pipeline(ImageLoader(size=SIDE, method="crop"), FrozenEstimator(cnn))
    pipe.fit([str(tmp_path / "wide.png")])
    display = SaliencyDisplay.from_estimator(pipe, [str(tmp_path / "wide.png")])
    np.testing.assert_array_equal(display.pictures[0], make_planted(2)[0][1])
    assert share_in_patch(display.maps).min() >= 0.8


@pytest.mark.parametrize("method", ["grad_cam", "occlusion"])
def test_display_labels_the_target_class(cnn, patched, method):
    display = SaliencyDisplay.from_estimator(cnn, patched[:2], "plain", method=method)
    assert display.labels == ["plain", "plain"]


def test_display_of_precomputed_maps():
    pictures = [np.full((4, 4, 3), 0.5), np.full((4, 4), 9, np.uint8)]
    display = SaliencyDisplay(pictures, np.zeros((2, 2, 2))).plot()
    assert len(display.images_) == 6
    np.testing.assert_array_equal(display.images_[1].get_array(), np.full((4, 4), 0.5))


@pytest.mark.parametrize("method", ["grad_cam", "occlusion"])
def test_display_shows_each_image_with_its_map(cnn, patched, method):
    display = SaliencyDisplay.from_estimator(cnn, patched[:2], method=method)
    assert len(display.images_) == 6
    assert display.labels == ["patched", "patched"]
    ax = Figure().subplots()
    assert display.plot(ax).ax_ is ax


def test_display_matches_its_reference_image(tmp_path):
    maps = np.zeros((3, 12, 16))
    maps[0, 2:6, 9:14] = 1
    maps[1, :, 3] = np.linspace(0, 1, 12)
    display = SaliencyDisplay(make_pictures(3), maps, ["cat", "dog", "owl"])
    reference = Path(__file__).with_name("reference") / "saliency.png"
    assert find_difference(display.plot, reference, tmp_path) is None


# ---- what cannot be explained


def test_grad_cam_without_convolutions_is_rejected(patched):
    X, y = make_planted(10)
    clf = MLPImageClassifier(max_iter=1).fit(X, y)
    with pytest.raises(TypeError, match="no convolution"):
        grad_cam(clf, X)
    pipe = make_pipeline(ImageFlattener(), LogisticRegression()).fit(X, y)
    with pytest.raises(TypeError, match="has no torch network"):
        grad_cam(pipe, X)


@pytest.mark.parametrize(
    ("explain", "options", "words"),
    [
        (grad_cam, {"target": "cat"}, "target='cat' is not a class"),
        (grad_cam, {"layer": "conv9"}, "layer='conv9' is not a layer of the network"),
        (occlusion, {"target": "cat"}, "target='cat' is not a class"),
        (occlusion, {"window": 33}, "window must be a number of pixels from 1 to 32"),
        (occlusion, {"window": 2.5}, "got 2.5"),
        (occlusion, {"stride": 0}, "stride must be a number of pixels"),
    ],
)
def test_invalid_parameters_are_rejected(cnn, patched, explain, options, words):
    with pytest.raises(ValueError, match=words):
        explain(cnn, patched, **options)


@pytest.mark.parametrize("explain", [grad_cam, occlusion])
def test_missing_captum_names_the_extra(cnn, patched, explain, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "captum.attr", None)
    with pytest.raises(ImportError, match=r'pip install "skimgcls\[explain\]"'):
        explain(cnn, patched)
