"""Tests of `make_shapes`."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skimgcls import CNNImageClassifier
from skimgcls.datasets import make_shapes
from skimgcls.estimator_checks._data import callers_settings

few = settings(deadline=None, max_examples=25)
NAMES = ["circle", "square", "triangle", "cross", "ring", "star"]


@few
@given(
    n=st.integers(1, 8),
    height=st.integers(8, 20),
    width=st.integers(8, 20),
    n_classes=st.integers(2, 6),
    color=st.booleans(),
    multilabel=st.booleans(),
)
def test_images_have_the_requested_shape(n, height, width, n_classes, color, multilabel):
    images, y = make_shapes(
        n,
        image_size=(height, width),
        n_classes=n_classes,
        color=color,
        multilabel=multilabel,
        random_state=0,
    )
    assert images.shape == ((n, height, width, 3) if color else (n, height, width))
    assert images.dtype == np.uint8
    assert len(y) == n


def test_integer_image_size_is_square():
    assert make_shapes(2, image_size=9)[0].shape == (2, 9, 9, 3)


def test_labels_are_shape_names():
    _, y = make_shapes(60, n_classes=6, random_state=0)
    assert y.shape == (60,)
    assert sorted(set(y.tolist())) == sorted(NAMES)


def test_multilabel_target_is_an_indicator_with_names():
    _, y = make_shapes(40, n_classes=6, multilabel=True, random_state=0)
    assert isinstance(y, pd.DataFrame)
    assert list(y.columns) == NAMES
    assert y.sum().tolist() == [20] * 6
    assert y.sum(axis=1).nunique() > 2


@few
@given(n=st.integers(1, 200), n_classes=st.integers(2, 6), seed=st.integers(0, 100))
def test_balanced_classes_differ_by_at_most_one_image(n, n_classes, seed):
    _, y = make_shapes(n, image_size=8, n_classes=n_classes, random_state=seed)
    counts = [(y == name).sum() for name in NAMES[:n_classes]]
    assert sum(counts) == n
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("weights", [[0.9, 0.1], [0.9], (0.9,), np.array([0.9, 0.1])])
def test_weights_are_class_fractions(weights):
    _, y = make_shapes(50, n_classes=2, weights=weights, random_state=3)
    assert (y == "circle").sum() == 45
    assert (y == "square").sum() == 5


def test_multilabel_weights_are_fractions_of_the_images():
    _, y = make_shapes(50, multilabel=True, weights=[1.0, 0.5, 0.0], random_state=3)
    assert y.sum().to_dict() == {"circle": 50, "square": 25, "triangle": 0}


def test_class_of_weight_zero_has_no_images():
    _, y = make_shapes(10, n_classes=3, weights=[0.5, 0, 0.5], random_state=0)
    assert set(y.tolist()) == {"circle", "triangle"}


def test_image_without_shapes_is_plain_background():
    images, y = make_shapes(20, multilabel=True, noise=0, random_state=0)
    n_colors = np.array([len(np.unique(image.reshape(-1, 3), axis=0)) for image in images])
    np.testing.assert_array_equal(n_colors == 1, y.sum(axis=1) == 0)


@pytest.mark.parametrize("n_classes", [2, 6])
def test_shapes_are_complete_and_do_not_overlap(n_classes):
    """Shapes are brighter than the background and do not touch the border."""
    images, _ = make_shapes(
        30, image_size=64, n_classes=n_classes, color=False, noise=0, random_state=0
    )
    for image in images:
        ground = image.min()
        bright = image > ground
        assert 0.05 < bright.mean() < 0.3
        border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert (border > ground).mean() < 0.05


def test_brightness_does_not_predict_the_shape():
    images, y = make_shapes(600, n_classes=6, color=False, noise=0, random_state=0)
    area = (images > images.min(axis=(1, 2), keepdims=True)).mean(axis=(1, 2))
    means = [area[y == name].mean() for name in NAMES]
    assert max(means) / min(means) < 1.3


def test_noise_is_a_standard_deviation():
    images, y = make_shapes(200, multilabel=True, noise=0.05, random_state=0)
    plain = images[(y.sum(axis=1) == 0).to_numpy()].astype(float)
    # On an almost black background, noise is clipped.
    channels = plain.transpose(0, 3, 1, 2).reshape(-1, 32 * 32)
    middle = channels[channels.mean(axis=1) > 50]
    assert middle.std(axis=1).mean() == pytest.approx(0.05 * 255, rel=0.05)


def test_equal_seeds_give_equal_images():
    first, second = (make_shapes(5, random_state=7) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert not np.array_equal(first[0], make_shapes(5, random_state=8)[0])
    assert not np.array_equal(make_shapes(5)[0], make_shapes(5)[0])


def test_random_state_instance_advances():
    random_state = np.random.RandomState(0)
    first, second = (make_shapes(3, random_state=random_state)[0] for _ in range(2))
    assert not np.array_equal(first, second)
    again = np.random.RandomState(0)
    np.testing.assert_array_equal(first, make_shapes(3, random_state=again)[0])


def test_global_generators_are_unchanged():
    torch.manual_seed(0)
    before = callers_settings()
    make_shapes(3)
    make_shapes(3, random_state=0)
    assert callers_settings() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_samples": 0}, "n_samples must be a positive integer; got 0"),
        ({"n_samples": 2.5}, "n_samples must be"),
        ({"image_size": 7}, "of 8 pixels or more; got 7"),
        ({"image_size": (32, 32, 3)}, r"\(height, width\) or one number"),
        ({"image_size": "32"}, "got '32'"),
        ({"n_classes": 1}, "from 2 to 6, the number of available shapes; got 1"),
        ({"n_classes": 7}, "from 2 to 6"),
        ({"n_classes": True}, "from 2 to 6"),
        ({"noise": -0.1}, "noise must be a number from 0 to 1; got -0.1"),
        ({"noise": float("nan")}, "noise must be a number"),
        ({"noise": "some"}, "noise must be a number"),
        ({"weights": [0.5, 0.3, 0.1]}, r"sum to 1; .* sum to 0.9"),
        ({"weights": [0.9, 0.3]}, "from 0 to 1, also the last one"),
        ({"weights": [0.9, float("nan")]}, "weights must be from 0 to 1"),
        ({"weights": [0.5]}, "must hold 3 or 2 numbers for 3 classes; got 1"),
        ({"weights": [0.5, 0.5], "multilabel": True}, "must hold 3 numbers for 3 classes; got 2"),
        ({"weights": ["a", "b", "c"]}, "weights must be numbers, one per class"),
        ({"weights": 0.5}, "weights must be numbers, one per class"),
    ],
)
def test_invalid_parameters_are_rejected(arguments, words):
    with pytest.raises(ValueError, match=words):
        make_shapes(**arguments)


@pytest.mark.parametrize("name", ["color", "multilabel"])
def test_flags_must_be_boolean(name):
    with pytest.raises(TypeError, match=f"'{name}' parameter of make_shapes must be True or False"):
        make_shapes(**{name: "yes"})


@pytest.mark.parametrize(
    ("image_size", "max_iter"),
    [(16, 35), pytest.param(32, "auto", marks=pytest.mark.slow)],
)
def test_small_network_learns_the_shapes_from_600_images(image_size, max_iter):
    images, y = make_shapes(900, image_size=image_size, random_state=0)
    clf = CNNImageClassifier(max_iter=max_iter, random_state=0).fit(images[:600], y[:600])
    assert clf.score(images[600:], y[600:]) > 0.9
