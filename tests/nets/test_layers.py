"""Layers shared by the networks."""

import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn

from skimgcls.nets import ACTIVATIONS, DenseHead


def test_activations_have_the_names_of_scikit_learn():
    assert MLPClassifier._parameter_constraints["activation"][0].options == set(ACTIVATIONS)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("identity", lambda x: x),
        ("logistic", lambda x: 1 / (1 + torch.exp(-x))),
        ("tanh", lambda x: (1 - torch.exp(-2 * x)) / (1 + torch.exp(-2 * x))),
        ("relu", lambda x: x.clamp(min=0)),
    ],
)
def test_activations_compute_the_named_function(activation, expected):
    x = torch.linspace(-3, 3, 13)
    torch.testing.assert_close(ACTIVATIONS[activation]()(x), expected(x))


def make_head(**changes):
    settings = {"hidden_layer_sizes": (4, 3), "activation": "tanh", "dropout": 0.0}
    return DenseHead(12, 2, **(settings | changes))


def layers(head):
    return [layer for layer in head.modules() if not list(layer.children())]


def test_hidden_layers_have_activation_and_dropout():
    block = [nn.Linear, nn.Tanh, nn.Dropout]
    assert [type(layer) for layer in layers(make_head(dropout=0.5))] == [*block, *block, nn.Linear]
    assert [type(layer) for layer in layers(make_head())] == [nn.Linear, nn.Tanh] * 2 + [nn.Linear]


def test_pixels_are_flattened_channels_last():
    head = make_head(hidden_layer_sizes=())
    images = torch.rand(5, 2, 2, 3)
    (linear,) = layers(head)
    expected = images.flatten(1) @ linear.weight.T + linear.bias
    torch.testing.assert_close(head(images.permute(0, 3, 1, 2)), expected)


def test_dropout_is_applied_in_training_only():
    head = make_head(hidden_layer_sizes=(64,), dropout=0.5)
    batch = torch.ones(1, 3, 2, 2)
    assert not torch.equal(head.train()(batch), head(batch))
    assert torch.equal(head.eval()(batch), head(batch))
