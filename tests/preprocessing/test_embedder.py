"""Tests of `ImageEmbedder`."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skimgcls import CNNImageClassifier, ImageAugmenter, ImageEmbedder, ImageLoader
from skimgcls.estimator_checks._data import assert_plain, callers_settings, make_stripes

NAME = "shufflenet_v2_x0_5"


def make_embedder(**params):
    return ImageEmbedder(**{"backbone": NAME, "weights": None, "random_state": 0, **params})


def test_features_have_one_row_per_image(color_stripes):
    X, _ = color_stripes
    features = make_embedder().fit_transform(X)
    assert features.shape == (36, 1024)
    assert features.dtype == np.float32


def test_features_do_not_depend_on_other_images(color_stripes):
    X, _ = color_stripes
    embedder = make_embedder().fit(X)
    one_by_one = np.concatenate([embedder.transform(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_allclose(one_by_one, embedder.transform(X), rtol=1e-5, atol=1e-5)


def test_equal_seeds_give_equal_features(color_stripes):
    X, _ = color_stripes
    one, other, third = (make_embedder(random_state=seed).fit_transform(X) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, other)
    assert not np.allclose(one, third)


def test_a_linear_model_learns_on_them(color_stripes):
    X, y = color_stripes
    source = CNNImageClassifier(max_iter=20, random_state=0).fit(X[:18], y[:18])
    pipe = make_pipeline(ImageEmbedder(source), LogisticRegression(max_iter=1000))
    assert pipe.fit(X[:18], y[:18]).score(X[18:], y[18:]) > 0.9


def test_feature_names_and_dataframe_output(color_stripes):
    X, _ = color_stripes
    embedder = make_embedder().set_output(transform="pandas")
    frame = embedder.fit_transform(X)
    assert frame.columns.tolist() == embedder.get_feature_names_out().tolist()
    assert frame.columns[0] == "imageembedder0"


def test_files_give_the_same_features_as_their_pixels(color_stripes, tmp_path):
    from PIL import Image

    X, _ = color_stripes
    paths = [str(tmp_path / f"{i}.png") for i in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    expected = make_embedder().fit_transform(X)
    np.testing.assert_array_equal(make_embedder().fit_transform(paths), expected)
    pipe = make_pipeline(ImageLoader(), make_embedder())
    np.testing.assert_array_equal(pipe.fit_transform(paths), expected)


def test_augmentation_is_not_applied(color_stripes):
    X, _ = color_stripes
    changed = ImageAugmenter(horizontal_flip=True).fit_transform(X)
    np.testing.assert_array_equal(
        make_embedder().fit_transform(changed), make_embedder().fit_transform(X)
    )


@pytest.mark.parametrize(
    ("precision", "images", "expected"),
    [
        ("auto", np.float32, "float32"),
        ("auto", np.float64, "float64"),
        ("bfloat16", np.float32, "bfloat16"),
        ("float32", np.float64, "float32"),
    ],
)
def test_precision(precision, images, expected):
    X = make_stripes(shape=(32, 32, 3))[0].astype(images) / 255
    embedder = make_embedder(precision=precision).fit(X)
    assert embedder.precision_ == expected
    reference = make_embedder(precision="float64").fit_transform(X)
    features = embedder.transform(X)
    assert features.dtype == images
    tolerance = {"float64": 1e-7, "float32": 1e-3, "bfloat16": 0.2}[expected]
    assert np.abs(features - reference).max() <= tolerance * np.abs(reference).max()


def test_a_pickled_embedder_gives_the_same_features(color_stripes):
    X, _ = color_stripes
    embedder = make_embedder().fit(X)
    assert_plain(embedder.__getstate__(), "embedder")
    loaded = pickle.loads(pickle.dumps(embedder))
    np.testing.assert_array_equal(loaded.transform(X), embedder.transform(X))


def test_parameters_set_after_fit_do_not_change_the_fitted_embedder(color_stripes):
    X, _ = color_stripes
    embedder = make_embedder().fit(X)
    expected = embedder.transform(X)
    embedder.set_params(backbone="resnet18", image_size=64, precision="bfloat16")
    np.testing.assert_array_equal(embedder.transform(X), expected)
    loaded = pickle.loads(pickle.dumps(embedder))
    np.testing.assert_array_equal(loaded.transform(X), expected)


def test_a_clone_is_not_fitted(color_stripes):
    embedder = make_embedder().fit(color_stripes[0])
    assert not hasattr(clone(embedder), "image_shape_")


def test_the_state_of_the_caller_is_not_changed(color_stripes):
    before = callers_settings()
    make_embedder().fit_transform(color_stripes[0])
    assert callers_settings() == before


def test_nothing_is_trained_and_no_gradient_is_kept(color_stripes):
    embedder = make_embedder().fit(color_stripes[0])
    features = embedder._net(torch.zeros(2, 3, 32, 32))
    assert not features.requires_grad
    assert not any(module.training for module in embedder._net.modules())


def test_a_fit_that_raises_changes_nothing(color_stripes, tmp_path):
    X, _ = color_stripes
    embedder = make_embedder().fit(X)
    expected = embedder.transform(X)
    with pytest.raises(FileNotFoundError):
        embedder.set_params(weights=tmp_path / "none.pth").fit(X)
    np.testing.assert_array_equal(embedder.transform(X), expected)
