"""Adapt networks to other input channels and other labels."""

import pytest
import torch
from torch import nn

from skimgcls._backbones._adapt import adapt_first, remove_head, repeat_filters


def test_last_dense_layer_is_removed():
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3), nn.Dropout())
    assert remove_head(net, n_outputs=3) == 3
    assert isinstance(net[2], nn.Identity)
    assert isinstance(net[0], nn.Linear)
    assert isinstance(net[3], nn.Dropout)


def test_dropout_before_the_last_layer_is_removed():
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.Linear(4, 3))
    assert remove_head(net, n_outputs=3) == 4
    assert isinstance(net[1], nn.Identity)


def test_last_convolution_is_removed():
    net = nn.Sequential(nn.Conv2d(3, 7, 1), nn.Conv2d(7, 5, 1), nn.AdaptiveAvgPool2d(1))
    assert remove_head(net, n_outputs=5) == 7
    assert isinstance(net[1], nn.Identity)


def test_network_without_a_removable_layer_is_rejected():
    with pytest.raises(ValueError, match="no dense layer, and no convolution, of 10 outputs"):
        remove_head(nn.Sequential(nn.Linear(4, 3)), n_outputs=10)


def test_first_layer_is_replaced_for_other_channels():
    net = nn.Sequential(nn.Conv2d(3, 7, 3, stride=2, padding=1, bias=False))
    adapt_first(net, 5)
    assert net[0].weight.shape == (7, 5, 3, 3)
    assert (net[0].stride, net[0].padding, net[0].bias) == ((2, 2), (1, 1), None)


def test_first_layer_is_kept_for_the_same_channels():
    net = nn.Sequential(nn.Conv2d(3, 7, 3))
    first = net[0]
    adapt_first(net, 3)
    assert net[0] is first


@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_images_with_equal_channels_give_the_same_output(n_channels):
    filters = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    image = torch.rand(1, 1, 5, 5)
    found = nn.functional.conv2d(
        image.expand(-1, n_channels, -1, -1), repeat_filters(filters, n_channels)
    )
    expected = nn.functional.conv2d(image.expand(-1, 3, -1, -1), filters)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
