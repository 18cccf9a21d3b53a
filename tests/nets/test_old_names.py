"""Names of weights in files that earlier versions saved."""

import pytest
import torch
from torch import nn

from skimgcls import nets
from skimgcls.nets import (
    CNN,
    MLP,
    FeatureExtractor,
    ImageNetwork,
    ResNet,
    Standardize,
    TransferNet,
    rename_old_weights,
)

SHAPE = (4, 4, 1)


def make_custom():
    """A custom module with the names that networks of the library have, too."""
    module = nn.Sequential()
    for name in ("body", "net", "head"):
        module.add_module(name, nn.Linear(2, 2, bias=False))
    return module


def make_transfer(net):
    return TransferNet(FeatureExtractor(net, 4), 2)


# A network, whether it averages views, and some old and present names.
NETWORKS = {
    "CNN": (
        lambda: CNN(SHAPE, 2, conv_channels=(3,), pool_sizes=(2,)),
        False,
        {"net.body.0.weight": "body.0.weight", "net.head.layers.0.bias": "head.layers.0.bias"},
    ),
    "MLP": (lambda: MLP(SHAPE, 2), False, {"net.layers.2.bias": "body.layers.2.bias"}),
    "ResNet": (
        lambda: ResNet(SHAPE, 2, widths=(3,)),
        True,
        {
            "net.net.whitening.weight": "body.whitening.weight",
            "net.net.stages.0.norms.1.bias": "body.stages.0.norms.1.bias",
            "net.net.head.weight": "head.weight",
        },
    ),
    "custom module": (
        lambda: ImageNetwork(make_custom()),
        False,
        {
            "net.body.weight": "body.body.weight",
            "net.net.weight": "body.net.weight",
            "net.head.weight": "body.head.weight",
        },
    ),
    "network of torchvision": (
        lambda: make_transfer(nn.Sequential(nn.Conv2d(1, 4, 1))),
        True,
        {"net.net.body.net.0.weight": "body.net.0.weight", "net.net.head.2.bias": "head.2.bias"},
    ),
    "fitted residual network": (
        lambda: make_transfer(ResNet(SHAPE, 2, widths=(3,))),
        True,
        {
            "net.net.body.net.whitening.weight": "body.net.body.whitening.weight",
            "net.net.body.net.head.weight": "body.net.head.weight",
        },
    ),
    "fitted twice": (
        lambda: make_transfer(make_transfer(ImageNetwork(make_custom()))),
        True,
        {
            "net.net.body.net.body.net.body.weight": "body.net.body.net.body.body.weight",
            "net.net.body.net.head.2.bias": "body.net.head.2.bias",
        },
    ),
    "embedder": (
        lambda: ImageNetwork(FeatureExtractor(ResNet(SHAPE, 2, widths=(3,)), 2)),
        False,
        {
            "0.factor": "standardize.factor",
            "1.net.whitening.weight": "body.net.body.whitening.weight",
        },
    ),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_old_names_become_present_names(kind):
    make, averages_views, names = NETWORKS[kind]
    network = make()
    network.standardize = Standardize(torch.zeros(1), torch.ones(1))
    if averages_views:
        network.views = nets.TestTimeAugmentation(shift=False, mirror=True)
    assert set(names.values()) <= set(network.state_dict())
    old = {**dict.fromkeys(names), "standardize.factor": 1}
    found = rename_old_weights(old, network)
    assert set(found) == {*names.values(), "standardize.factor"}
    present = network.state_dict()
    assert rename_old_weights(present, network) == dict(present)


def test_unknown_names_stay_to_be_refused():
    assert rename_old_weights({"net.other": 1}, MLP(SHAPE, 2)) == {"net.other": 1}
