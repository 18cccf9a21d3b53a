"""Features specific to PretrainedImageClassifier."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
from PIL import Image

from skimgcls import ImageAugmenter, PretrainedImageClassifier, ResNetImageClassifier
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.nets import Standardize

# A small network with batch normalization.
NAME = "shufflenet_v2_x0_5"


def make_clf(**params):
    return PretrainedImageClassifier(
        **{
            "backbone": NAME,
            "weights": None,
            "trainable": "all",
            "max_iter": 2,
            "random_state": 0,
            "image_size": 32,
            **params,
        }
    )


@pytest.fixture
def weights(tmp_path):
    """A weights file and its state dict."""
    torch.manual_seed(1)
    state = torchvision.models.get_model(NAME, weights=None).state_dict()
    torch.save(state, tmp_path / "net.pth")
    return tmp_path / "net.pth", state


def body_of(clf):
    return clf.net_.module_.body.net


def moved(clf, state):
    """Return the parameters of the first and last layers that differ from the loaded weights."""
    found = body_of(clf).state_dict()
    return [
        name
        for name in ("conv1.0.weight", "conv1.1.running_mean", "conv5.0.weight", "conv5.1.bias")
        if not torch.equal(found[name], state[name])
    ]


# ---- trainable


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [
        ("head", []),
        (0, []),
        (1, ["conv5.0.weight", "conv5.1.bias"]),
        ("all", ["conv1.0.weight", "conv1.1.running_mean", "conv5.0.weight", "conv5.1.bias"]),
    ],
)
def test_frozen_layers_keep_their_loaded_weights(color_stripes, weights, trainable, expected):
    path, state = weights
    clf = make_clf(weights=path, trainable=trainable).fit(*color_stripes)
    assert moved(clf, state) == expected


def test_the_backbone_has_a_smaller_learning_rate(color_stripes, weights):
    path, state = weights
    lengths = []
    for factor in (0.01, 1.0):
        clf = make_clf(
            weights=path, backbone_learning_rate_factor=factor, alpha=0, precision="float32"
        )
        found = body_of(clf.fit(*color_stripes)).state_dict()["conv5.0.weight"]
        lengths.append(float((found - state["conv5.0.weight"]).norm()))
    assert lengths[1] > 30 * lengths[0] > 0


@pytest.mark.parametrize(("with_weights", "share"), [(True, 0.1), (False, 1.0)])
def test_the_smaller_learning_rate_is_used_only_with_weights(
    color_stripes, weights, with_weights, share
):
    path = weights[0] if with_weights else None
    X = color_stripes[0]
    auto, given = (
        make_clf(weights=path, backbone_learning_rate_factor=factor).fit(*color_stripes)
        for factor in ("auto", share)
    )
    np.testing.assert_array_equal(auto.decision_function(X), given.decision_function(X))


def test_learning_rate_init_is_that_of_the_head(color_stripes, weights):
    clf = make_clf(weights=weights[0], learning_rate="constant").fit(*color_stripes)
    assert clf.history_["learning_rate"].tolist() == [0.002, 0.002]


@pytest.mark.parametrize(("head_warmup", "is_moved"), [(1, True), (2, False), (5, False)])
def test_the_head_warms_up_alone(color_stripes, weights, head_warmup, is_moved):
    path, state = weights
    clf = make_clf(weights=path, head_warmup=head_warmup).fit(*color_stripes)
    assert bool(moved(clf, state)) == is_moved
    # Unfrozen after the warm-up.
    assert all(p.requires_grad for p in body_of(clf).parameters())


def test_partial_fit_does_not_warm_up(color_stripes, weights):
    path, state = weights
    clf = make_clf(weights=path, head_warmup=3).partial_fit(*color_stripes, classes=[0, 1, 2])
    assert moved(clf, state)


@pytest.mark.parametrize(
    ("trainable", "n_images", "n_epochs"),
    [("all", 64, 30), ("all", 130, 60), (1, 1000, 32), ("all", 50_000, 5), ("head", 64, 100)],
)
def test_epochs_follow_the_number_of_images(trainable, n_images, n_epochs):
    X, y = make_stripes(shape=(8, 8, 3))
    clf = make_clf(trainable=trainable, max_iter=1).fit(X, y)
    assert clf.set_params(max_iter="auto")._make_config(n_images).max_epochs == n_epochs


@pytest.mark.parametrize(("shape", "n_epochs"), [((1, 4), 5), ((4, 8), 15), ((8, 8), 30)])
def test_epochs_follow_the_size_of_small_images(shape, n_epochs):
    X, y = make_stripes(n_images=6, shape=(*shape, 3), n_classes=2)
    clf = make_clf(max_iter=1).fit(X, y)
    assert clf.set_params(max_iter="auto")._make_config(64).max_epochs == n_epochs


@pytest.mark.parametrize(("image_size", "found"), [("auto", (32, 40)), (48, (48, 48))])
def test_the_input_size_of_the_backbone_is_an_attribute(image_size, found):
    X, y = make_stripes(n_images=6, shape=(8, 40, 3), n_classes=2)
    assert make_clf(image_size=image_size, max_iter=1).fit(X, y).image_size_ == found


@pytest.mark.parametrize(("learning_rate", "n_epochs"), [("cosine", 6), ("constant", 2)])
def test_a_decaying_rate_runs_all_epochs(color_stripes, learning_rate, n_epochs):
    clf = make_clf(learning_rate=learning_rate, max_iter=6, tol=10.0, n_iter_no_change=1)
    assert clf.fit(*color_stripes).n_iter_ == n_epochs


# ---- kept features


@pytest.mark.parametrize("options", [{}, {"dropout": 0.5}, {"early_stopping": True}])
def test_cached_features_train_the_same_head(color_stripes, weights, options):
    X, y = color_stripes
    settings = {"weights": weights[0], "trainable": "head", "precision": "float32", "max_iter": 5}
    kept, computed = (
        make_clf(keep_features=keep, **settings, **options).fit(X, y) for keep in (True, False)
    )
    np.testing.assert_allclose(
        kept.predict_proba(X), computed.predict_proba(X), rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(
        kept.history_.drop(columns="seconds"), computed.history_.drop(columns="seconds"), rtol=1e-3
    )


def test_cached_features_are_used_in_partial_fit(color_stripes):
    X, y = color_stripes
    kept, computed = (
        make_clf(trainable="head", keep_features=keep, precision="float32")
        for keep in (True, False)
    )
    for clf in (kept, computed):
        for _ in range(3):
            clf.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_allclose(
        kept.predict_proba(X), computed.predict_proba(X), rtol=1e-5, atol=1e-5
    )


def count_passes(clf, X, y, monkeypatch):
    """Return the number of images passed through the body during fitting."""
    n_images = []
    forward = torch.nn.Conv2d.forward

    def counted(layer, batch):
        if layer.in_channels == 3:
            n_images.append(len(batch))
        return forward(layer, batch)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", counted)
    clf.fit(X, y)
    return sum(n_images)


@pytest.mark.parametrize(
    ("changes", "n_passes"),
    [
        ({}, 1),
        ({"keep_features": False}, 5),
        ({"mixup": 0.2}, 5),
        ({"cutmix": 1.0}, 5),
        ({"horizontal_flip": True}, 5),
        ({"translation": 2}, 5),
        ({"trainable": 1}, 5),
    ],
)
def test_features_of_frozen_backbones_are_cached(color_stripes, changes, n_passes, monkeypatch):
    X, y = color_stripes
    clf = make_clf(**{"trainable": "head", "max_iter": 5, "precision": "float32", **changes})
    assert count_passes(clf, X, y, monkeypatch) == n_passes * len(X)


def test_features_are_not_cached_under_augmentation(color_stripes, monkeypatch):
    X, y = color_stripes
    X = ImageAugmenter(horizontal_flip=True).fit_transform(X)
    clf = make_clf(trainable="head", max_iter=5)
    assert count_passes(clf, X, y, monkeypatch) == 5 * len(X)


def test_images_of_weight_zero_are_not_read(tmp_path, color_stripes):
    X, y = color_stripes
    paths = [tmp_path / f"{i}.png" for i in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    paths[3].write_bytes(paths[3].read_bytes()[:60])
    weights = np.ones(36)
    weights[3] = 0
    clf = make_clf(trainable="head").fit([str(path) for path in paths], y, weights)
    assert clf.n_iter_ == 2


# ---- views


@pytest.mark.parametrize(
    ("trainable", "expected"), [("head", (False, 0)), (1, (True, 2)), ("all", (True, 2))]
)
def test_images_are_mirrored_and_shifted_where_features_are_not_cached(trainable, expected):
    X, y = make_stripes(n_images=120, shape=(16, 16))
    clf = make_clf(trainable=trainable, max_iter=1).fit(X, y)
    assert (clf.horizontal_flip_, clf.translation_) == expected


@pytest.mark.parametrize(("shape", "translation"), [((8, 8), 0), ((16, 20), 4), ((40, 64), 3)])
def test_images_are_shifted_by_a_sixteenth_of_the_input_size(shape, translation):
    X, y = make_stripes(n_images=6, shape=shape)
    assert make_clf(image_size=64, max_iter=1).fit(X, y).translation_ == translation


def test_predictions_can_be_the_mean_over_views(color_stripes):
    X, y = color_stripes
    settings = {"horizontal_flip": True, "translation": 0, "precision": "float32"}
    clf = make_clf(**settings).fit(X, y)
    averaged = make_clf(**settings, test_time_augmentation=True).fit(X, y)
    expected = (clf.decision_function(X) + clf.decision_function(X[:, :, ::-1])) / 2
    np.testing.assert_allclose(averaged.decision_function(X), expected, rtol=1e-4, atol=1e-5)


# ---- images


@pytest.mark.parametrize(("factor", "white"), [(1, 255), (1 / 255, 1), (257, 65_535)])
def test_the_white_level_follows_the_images(weights, factor, white):
    X, y = make_stripes(shape=(8, 8, 3))
    X = X.astype(np.float32)
    clf = make_clf(weights=weights[0], precision="float32").fit(X * factor, y)
    first = clf.net_.module_.standardize
    assert isinstance(first, Standardize)
    np.testing.assert_allclose(first.scale.flatten(), white, rtol=1e-6)
    reference = make_clf(weights=weights[0], precision="float32").fit(X, y)
    np.testing.assert_allclose(
        clf.predict_proba(X * factor), reference.predict_proba(X), rtol=1e-4, atol=1e-4
    )


def test_with_weights_pixels_are_normalized_as_by_torchvision(weights):
    path, _ = weights
    X, y = make_stripes(n_images=6, shape=(300, 260, 3))
    clf = make_clf(weights=path, image_size="auto", trainable="head", max_iter=1).fit(X, y)
    preset = torchvision.models.ShuffleNet_V2_X0_5_Weights.DEFAULT.transforms()
    network = clf.net_.module_
    framed = torch.from_numpy(np.asarray(clf._check_images(X, reset=False))).permute(0, 3, 1, 2)
    found = (network.standardize(framed) - network.body.mean) / network.body.std
    # torchvision rounds resized pixels to bytes.
    expected = preset(torch.from_numpy(X).permute(0, 3, 1, 2))
    torch.testing.assert_close(found, expected, rtol=0, atol=0.51 / 255 / 0.224)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (20, 9, 3), (1, 10)])
def test_images_of_any_size_and_channels(shape):
    X, y = make_stripes(n_images=12, shape=shape)
    clf = make_clf(image_size="auto", max_iter=1).fit(X, y)
    assert clf.predict_proba(X).shape == (12, 3)
    assert clf.image_shape_[:2] == shape[:2]


@pytest.mark.parametrize("trainable", ["head", "all"])
def test_large_images_use_small_batches(trainable):
    clf = make_clf(trainable=trainable, image_size=224)
    X, y = make_stripes(shape=(8, 8, 3))
    clf.fit(X[:6], y[:6])
    assert clf._make_config(1000).batch_size == 3_000_000 // (224 * 224 * 3)


def test_files_in_a_dataframe(tmp_path, color_stripes):
    X, y = color_stripes
    paths = pd.DataFrame({"path": [str(tmp_path / f"{i}.png") for i in range(len(X))]})
    for path, image in zip(paths["path"], X, strict=True):
        Image.fromarray(image).save(path)
    one, other = make_clf().fit(paths, y), make_clf().fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(paths), other.predict_proba(X))


# ---- serialization


@pytest.mark.parametrize("trainable", ["head", 2, "all"])
def test_a_saved_model_needs_no_weights_file(color_stripes, weights, trainable):
    path, _ = weights
    clf = make_clf(weights=path, trainable=trainable).fit(*color_stripes)
    saved = pickle.dumps(clf)
    path.unlink()
    X = color_stripes[0]
    np.testing.assert_array_equal(pickle.loads(saved).predict_proba(X), clf.predict_proba(X))


def test_a_loaded_model_continues_training(color_stripes):
    X, y = color_stripes
    clf = make_clf(trainable=1, warm_start=True).fit(X, y)
    loaded = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(loaded.fit(X, y).predict_proba(X), clf.fit(X, y).predict_proba(X))


# ---- errors


def test_a_fit_that_raises_changes_nothing(color_stripes, tmp_path):
    X, y = color_stripes
    clf = make_clf().fit(X, y)
    before = clf.predict_proba(X)
    clf.set_params(weights=tmp_path / "none.pth")
    with pytest.raises(FileNotFoundError):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"trainable": "last"}, "The 'trainable' parameter"),
        ({"trainable": -1}, "The 'trainable' parameter"),
        ({"backbone": 3}, "The 'backbone' parameter"),
        ({"head_warmup": -1}, "The 'head_warmup' parameter"),
        ({"backbone_learning_rate_factor": 0}, "The 'backbone_learning_rate_factor' parameter"),
        ({"backbone": "resnet"}, "Did you mean"),
        ({"image_size": 0}, "The 'image_size' parameter"),
        ({"backbone": "inception_v3", "image_size": 32}, "expected at least 75"),
    ],
)
def test_unusable_parameters_are_refused(color_stripes, params, words):
    with pytest.raises(ValueError, match=words):
        make_clf(**params).fit(*color_stripes)


def test_weights_of_another_network_are_refused(color_stripes, weights):
    with pytest.raises(ValueError, match=r"are not those of 'resnet18'. missing: conv1.weight"):
        make_clf(backbone="resnet18", weights=weights[0]).fit(*color_stripes)


# ---- transfer


@pytest.mark.slow
def test_pretrained_weights_improve_accuracy():
    """Transfer from three classes of stripes to three others, with few images."""
    X, y = make_stripes(n_images=600, shape=(16, 16), n_classes=12)
    known = y < 9
    source = ResNetImageClassifier((16, 32), max_iter=15, random_state=0).fit(X[known], y[known])
    X, y = X[~known], y[~known]
    scores = [
        clf.fit(X[:6], y[:6]).score(X[6:], y[6:])
        for clf in (
            PretrainedImageClassifier(source, trainable="head", random_state=0),
            ResNetImageClassifier((16, 32), max_iter=15, random_state=0),
        )
    ]
    assert scores[0] > scores[1]
