"""A pretrained network with a new last layer."""

import pytest
import torch
from torch import nn

from skimgcls.nets import FeatureExtractor, TransferNet


def make_net(**options):
    parts = {
        "one": nn.Conv2d(3, 4, 1),
        "norm": nn.BatchNorm2d(4),
        "two": nn.Conv2d(4, 5, 1),
        "drop": nn.Dropout(0.5),
    }
    net = nn.Sequential()
    for name, part in parts.items():
        net.add_module(name, part)
    return TransferNet(FeatureExtractor(net, 5), 2, **options)


def trained_parts(net):
    names = [name.split(".")[-2] for name, p in net.body.named_parameters() if p.requires_grad]
    return sorted(set(names))


@pytest.mark.parametrize(
    ("n_stages", "trained"),
    [
        (None, ["norm", "one", "two"]),
        (0, []),
        (1, ["two"]),
        (2, ["norm", "one", "two"]),
        (9, ["norm", "one", "two"]),
    ],
)
def test_the_last_n_stages_are_trained(n_stages, trained):
    net = make_net(n_stages=n_stages)
    assert trained_parts(net) == trained
    assert all(p.requires_grad for p in net.head.parameters())


def test_frozen_stages_stay_in_evaluation_mode():
    net = make_net(n_stages=1).train()
    assert net.head.training
    assert net.body.net.two.training
    assert not net.body.net.norm.training
    batch = torch.rand(6, 3, 2, 2)
    before = net.body.net.norm.running_mean.clone()
    net(batch)
    assert torch.equal(net.body.net.norm.running_mean, before)


def test_frozen_body_applies_no_dropout():
    net = make_net(n_stages=0).train()
    batch = torch.rand(6, 3, 2, 2)
    torch.testing.assert_close(net(batch), net.eval()(batch))


def test_all_modules_follow_train_and_eval_if_all_are_trained():
    net = make_net().train()
    assert all(module.training for module in net.modules())
    assert not any(module.training for module in net.eval().modules())


def test_freeze_none_trains_all_stages():
    net = make_net(n_stages=0).train()
    net.freeze(None)
    assert trained_parts(net) == ["norm", "one", "two"]
    assert net.body.net.norm.training


def test_dropout_is_applied_to_the_features():
    net = make_net(dropout=0.5, n_stages=0).train()
    with torch.no_grad():
        net.head[2].weight.fill_(1.0)
    torch.manual_seed(0)
    batch = torch.rand(50, 3, 2, 2)
    assert len(net(batch)[:, 0].detach().sub(net(batch)[:, 0].detach()).unique()) > 1
