"""The encoder of a U-Net as backbone."""

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch

from skimgcls import ImageEmbedder, PretrainedImageClassifier
from skimgcls._backbones import find_backbone
from skimgcls.estimator_checks._data import make_stripes


def test_network_can_be_fitted(color_stripes):
    X, y = color_stripes
    clf = PretrainedImageClassifier(
        "unet", weights=None, trainable="all", max_iter=1, random_state=0
    ).fit(X, y)
    assert clf.predict_proba(X).shape == (36, 3)
    assert clf.net_.module_.body.n_features == 512


def test_weights_of_a_complete_unet_are_accepted(tmp_path):
    """The weights of the decoder are not used."""
    torch.manual_seed(1)
    unet = smp.Unet("resnet34", encoder_weights=None, classes=2).eval()
    torch.save(unet.state_dict(), tmp_path / "unet.pth")
    images, _ = make_stripes(n_images=4, shape=(40, 64, 3))
    embedder = ImageEmbedder("unet", weights=tmp_path / "unet.pth").fit(images)
    mean, std = (
        torch.tensor(values)[:, None, None]
        for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    batch = (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std
    with torch.no_grad():
        expected = unet.encoder(batch)[-1].mean(dim=(2, 3))
    np.testing.assert_allclose(embedder.transform(images), expected, rtol=1e-5, atol=1e-5)


def test_other_weights_are_rejected(tmp_path):
    torch.save({"decoder.a": torch.zeros(1)}, tmp_path / "unet.pth")
    images, _ = make_stripes(n_images=4, shape=(32, 32, 3))
    with pytest.raises(ValueError, match=r"are not those of 'unet'. missing: encoder.conv1.weight"):
        ImageEmbedder("unet", weights=tmp_path / "unet.pth").fit(images)


@pytest.mark.parametrize(
    ("image_size", "shape", "framed"),
    [("auto", (40, 64, 3), (40, 64)), ("auto", (8, 64, 3), (32, 64)), (48, (40, 64, 3), (48, 48))],
)
def test_images_are_not_resized_by_default(image_size, shape, framed):
    framing = find_backbone("unet").frame(shape, "DEFAULT", image_size)
    assert (shape[:2] if framing is None else framing.crop) == framed
