"""Backbones from timm."""

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from skimgcls import ImageEmbedder, PretrainedImageClassifier
from skimgcls._backbones import find_backbone
from skimgcls.estimator_checks._data import make_stripes


def save_weights(path, name="test_resnet", seed=1):
    torch.manual_seed(seed)
    net = timm.create_model(name, pretrained=False, num_classes=7)
    torch.save(net.state_dict(), path)
    return net


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext", "test_efficientnet"])
def test_network_can_be_fitted(name):
    X, y = make_stripes(n_images=12, shape=(8, 8, 3))
    clf = PretrainedImageClassifier(
        f"timm:{name}", weights=None, trainable="all", max_iter=1, random_state=0
    ).fit(X, y)
    assert clf.predict_proba(X).shape == (12, 3)


def test_features_match_timm(tmp_path):
    net = save_weights(tmp_path / "net.pth").eval()
    images = np.random.RandomState(0).randint(0, 256, (3, 160, 160, 3), dtype=np.uint8)
    embedder = ImageEmbedder("timm:test_resnet", weights=tmp_path / "net.pth").fit(images)
    mean, std = (torch.tensor(net.default_cfg[key])[:, None, None] for key in ("mean", "std"))
    batch = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        expected = net.forward_head(net.forward_features((batch - mean) / std), pre_logits=True)
    np.testing.assert_allclose(embedder.transform(images), expected, rtol=1e-5, atol=1e-5)


def test_preprocessing_matches_the_weights():
    recipe = find_backbone("timm:resnet50.a1_in1k").recipe("DEFAULT")
    assert (recipe.resize, recipe.crop, recipe.interpolation) == (235, 224, "bicubic")


def test_fixed_image_size_of_the_network_is_used():
    framing = find_backbone("timm:vit_tiny_patch16_224").frame((32, 32, 3), None, "auto")
    assert framing.crop == (224, 224)


@pytest.mark.parametrize("n_channels", [1, 4])
def test_any_number_of_channels(n_channels):
    features = find_backbone("timm:test_resnet").make((32, 32, n_channels), None)
    assert features.eval()(torch.rand(2, n_channels, 32, 32)).shape == (2, features.n_features)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match=r"not known to timm .* Did you mean timm:resnet18"):
        find_backbone("timm:resnet1888")


def test_weights_in_the_hub_cache_are_used(monkeypatch, tmp_path):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    revision = "0" * 40
    folder = tmp_path / "models--timm--resnet18.a1_in1k"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(revision)
    (folder / "snapshots" / revision).mkdir(parents=True)
    torch.manual_seed(3)
    net = timm.create_model("resnet18")
    save_file(net.state_dict(), folder / "snapshots" / revision / "model.safetensors")
    X, _ = make_stripes(n_images=2, shape=(32, 32, 3))
    embedder = ImageEmbedder("timm:resnet18", weights="DEFAULT", image_size=32).fit(X)
    found = embedder._net.body.net.state_dict()
    torch.testing.assert_close(found["layer4.1.conv2.weight"], net.layer4[1].conv2.weight.data)
    # Pretrained running statistics are not reset.
    assert found["bn1.num_batches_tracked"] >= 10_000


def test_error_without_a_network_says_what_to_do(monkeypatch, tmp_path):
    import huggingface_hub.constants

    # Same effect as the environment variable HF_HUB_OFFLINE, which is read at the first import.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    X, y = make_stripes(n_images=12, shape=(8, 8, 3))
    clf = PretrainedImageClassifier("timm:resnet18", weights="DEFAULT", trainable="all", max_iter=1)
    with pytest.raises(OSError, match="pass its path as weights"):
        clf.fit(X, y)
    assert not hasattr(clf, "classes_")
