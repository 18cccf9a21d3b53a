"""A network of named parts."""

import pytest
import torch
from torch import nn

from skimgcls import nets
from skimgcls.nets import CNN, ImageNetwork, Standardize


def make_standardize():
    return Standardize(torch.tensor([4.0]), torch.tensor([2.0]))


def make_batch():
    return torch.rand((5, 1, 3, 4), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("with_head", [False, True])
@pytest.mark.parametrize("standardizes", [False, True])
def test_the_parts_are_applied_in_order(with_head, standardizes):
    body, head = nn.Flatten(), nn.Linear(12, 2) if with_head else None
    network = ImageNetwork(body, head, standardize=make_standardize() if standardizes else None)
    batch = make_batch()
    pixels = (batch - 4) / 2 if standardizes else batch
    features = pixels.flatten(1)
    expected = head(features) if with_head else features
    torch.testing.assert_close(network(batch), expected)
    torch.testing.assert_close(network.classify(pixels), expected)
    torch.testing.assert_close(network.without_head()(batch), features)


def test_standardize_comes_first_in_the_state_whenever_it_is_set():
    network = CNN((3, 4, 1), 2, conv_channels=(4,), pool_sizes=(2,))
    assert not any(name.startswith("standardize") for name in network.state_dict())
    network.standardize = make_standardize()
    names = list(network.state_dict())
    assert names[:3] == ["standardize.factor", "standardize.offset", "body.0.weight"]
    assert names[-1] == "head.layers.2.bias"


def test_views_are_averaged_in_evaluation():
    network = ImageNetwork(nn.Flatten())
    network.views = nets.TestTimeAugmentation(shift=False, mirror=True)
    batch = make_batch()
    assert torch.equal(network(batch), batch.flatten(1))
    expected = 0.5 * (batch + batch.flip(3))
    torch.testing.assert_close(network.eval()(batch), expected.flatten(1))
