"""A network without its last layer, as feature extractor."""

import pytest
import torch
import torchvision
from torch import nn

from skimgcls.nets import FeatureExtractor


def names_of(net):
    """Return, for each stage, the names of its modules."""
    names = {id(module): name for name, module in net.net.named_modules()}
    return [[names[id(module)] for module in stage] for stage in net.stages()]


def test_features_are_the_output_of_the_network():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5))
    batch = torch.rand(4, 3, 2, 2)
    torch.testing.assert_close(FeatureExtractor(net, 5)(batch), net(batch))


def test_feature_maps_are_averaged():
    net, batch = nn.Conv2d(3, 7, 1), torch.rand(4, 3, 2, 2)
    torch.testing.assert_close(FeatureExtractor(net, 7)(batch), net(batch).mean(dim=(2, 3)))


def test_gray_images_are_repeated_to_three_channels_and_standardized():
    net = FeatureExtractor(nn.Flatten(), 3, repeats=3, mean=(0.5, 0.25, 0.0), std=(1.0, 0.5, 0.25))
    features = net(torch.full((1, 1, 1, 1), 0.75))
    torch.testing.assert_close(features, torch.tensor([[0.25, 1.0, 3.0]]))


def test_mean_and_std_are_not_in_the_state_dict():
    assert list(FeatureExtractor(nn.Flatten(), 3, mean=(0.0,), std=(1.0,)).state_dict()) == []


@pytest.mark.parametrize(
    ("name", "n_stages", "last"),
    [
        ("resnet18", 5, ["layer4"]),
        ("vgg11_bn", 9, ["classifier"]),
        ("mobilenet_v2", 19, ["features.18"]),
        ("densenet121", 8, ["features.denseblock4", "features.norm5"]),
        ("vit_b_16", 13, ["encoder.layers.encoder_layer_11", "encoder.ln"]),
        ("convnext_tiny", 9, ["classifier"]),
        ("squeezenet1_1", 9, ["features.12"]),
    ],
)
def test_stages_of_torchvision_networks(name, n_stages, last):
    with torch.device("meta"):
        net = torchvision.models.get_model(name, weights=None)
    head = [n for n, m in net.named_modules() if getattr(m, "out_features", 0) == 1000]
    net.set_submodule(head[-1] if head else "classifier.1", nn.Identity())
    stages = names_of(FeatureExtractor(net, 1))
    assert len(stages) == n_stages
    assert stages[-1] == last


def test_normalization_belongs_to_the_stage_of_the_layer_before():
    with torch.device("meta"):
        net = torchvision.models.get_model("resnet18", weights=None)
    assert names_of(FeatureExtractor(net, 1))[0] == ["conv1", "bn1"]
