"""A plain convolutional network."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skimgcls.nets import ACTIVATIONS, CNN

few = settings(deadline=None, max_examples=50)
sides = st.integers(1, 12)


def n_weights(module):
    return sum(weights.numel() for weights in module.parameters())


def layers(module):
    kinds = (nn.Conv2d, nn.MaxPool2d, nn.Linear, nn.Dropout, *ACTIVATIONS.values())
    return [layer for layer in module.modules() if isinstance(layer, kinds)]


def names(module):
    return [type(layer).__name__ for layer in layers(module)]


@few
@given(
    height=sides,
    width=sides,
    channels=st.integers(1, 3),
    kernel_size=st.integers(1, 7),
    padding=st.sampled_from(["same", "valid"]),
    pool_sizes=st.lists(st.integers(1, 5), max_size=4),
)
def test_images_of_any_size_give_non_empty_maps(
    height, width, channels, kernel_size, padding, pool_sizes
):
    module = CNN(
        (height, width, channels),
        5,
        conv_channels=[3] * len(pool_sizes),
        kernel_size=kernel_size,
        padding=padding,
        pool_sizes=pool_sizes,
        hidden_layer_sizes=[],
    )
    batch = torch.zeros(2, channels, height, width)
    maps = module.body(batch)
    assert min(maps.shape) >= 1
    # The number of features matches the head.
    assert maps[0].numel() == layers(module.head)[-1].in_features
    assert module(batch).shape == (2, 5)


def test_number_of_weights_for_32_by_32_color_images():
    module = CNN(
        (32, 32, 3),
        10,
        conv_channels=(32, 64, 64),
        pool_sizes=(2, 2, 1),
        padding="valid",
        hidden_layer_sizes=(64,),
    )
    # 32 -> 30 -> 15 -> 13 -> 6 -> 4 pixels per side.
    convolutions = (3 * 9 * 32 + 32) + (32 * 9 * 64 + 64) + (64 * 9 * 64 + 64)
    dense = (4 * 4 * 64 * 64 + 64) + (64 * 10 + 10)
    assert n_weights(module) == convolutions + dense == 122_570


def test_layers_are_convolutions_dense_layers_and_logits():
    module = CNN((28, 28, 1), 10, dropout=0.5)
    block = ["Conv2d", "MaxPool2d", "ReLU"]
    assert names(module) == [*block, *block, "Linear", "ReLU", "Dropout", "Linear"]
    outputs = [len(layer.weight) for layer in layers(module) if hasattr(layer, "weight")]
    assert outputs == [32, 64, 128, 10]


def test_pool_size_of_one_adds_no_pooling_layer():
    module = CNN((8, 8, 1), 2, conv_channels=(4, 4), pool_sizes=(1, 2))
    assert names(module)[:5] == ["Conv2d", "ReLU", "Conv2d", "MaxPool2d", "ReLU"]


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_pooling_commutes_with_the_activation(activation):
    module = CNN((6, 6, 2), 2, conv_channels=(3,), pool_sizes=(2,), activation=activation)
    convolution, pool, act = module.body
    batch = torch.rand(4, 2, 6, 6) - 0.5
    torch.testing.assert_close(module.body(batch), pool(act(convolution(batch))))


def test_small_maps_are_padded_to_the_kernel_and_pooled_in_full():
    module = CNN((1, 9, 1), 2, conv_channels=(2,), kernel_size=4, padding="valid", pool_sizes=(4,))
    # One row is padded to four, which gives one row of output.
    assert module.body[:2](torch.zeros(1, 1, 1, 9)).shape == (1, 2, 1, 6)
    assert module.body(torch.zeros(1, 1, 1, 9)).shape == (1, 2, 1, 1)


@pytest.mark.parametrize("kernel_size", [2, 3, 4])
def test_same_padding_keeps_the_size_without_a_warning(kernel_size):
    module = CNN((5, 7, 1), 2, kernel_size=kernel_size, conv_channels=(4,), pool_sizes=(1,))
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        assert module.body(torch.zeros(1, 1, 5, 7)).shape == (1, 4, 5, 7)
    finally:
        torch.set_warn_always(before)


def test_network_without_convolutions_has_dense_layers_only():
    module = CNN((4, 4, 3), 2, conv_channels=(), pool_sizes=(), hidden_layer_sizes=(5,))
    assert names(module) == ["Linear", "ReLU", "Linear"]
    assert layers(module.head)[0].in_features == 48


def test_number_of_pool_sizes_must_equal_that_of_convolutions():
    with pytest.raises(ValueError, match="shorter"):
        CNN((8, 8, 1), 2, conv_channels=(4, 4), pool_sizes=(2,))


def test_logits_do_not_depend_on_the_memory_layout():
    module = CNN((8, 8, 3), 4)
    batch = torch.rand(3, 3, 8, 8)
    logits = module(batch)
    last = batch.to(memory_format=torch.channels_last)
    torch.testing.assert_close(module.to(memory_format=torch.channels_last)(last), logits)
