"""A multi-layer perceptron."""

from itertools import pairwise

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skimgcls.nets import MLP

sizes = st.integers(1, 6)


@settings(deadline=None, max_examples=50)
@given(
    image_shape=st.tuples(sizes, sizes, sizes),
    hidden=st.lists(sizes, max_size=3),
    n_outputs=sizes,
    dropout=st.sampled_from([0.0, 0.5]),
)
def test_images_of_any_shape_give_one_logit_for_each_output(
    image_shape, hidden, n_outputs, dropout
):
    height, width, channels = image_shape
    module = MLP(image_shape, n_outputs, hidden_layer_sizes=hidden, dropout=dropout)
    assert module(torch.zeros(3, channels, height, width)).shape == (3, n_outputs)
    wide = [height * width * channels, *hidden, n_outputs]
    expected = sum((n_in + 1) * n_out for n_in, n_out in pairwise(wide))
    assert sum(weights.numel() for weights in module.parameters()) == expected


def test_network_without_hidden_layers_is_linear():
    module = MLP((3, 3, 1), 2, hidden_layer_sizes=())
    one, other = torch.rand(2, 4, 1, 3, 3)
    blank = torch.zeros(1, 1, 3, 3)
    torch.testing.assert_close(module(one + other) + module(blank), module(one) + module(other))


def test_the_default_is_one_hidden_layer_of_256_with_relu():
    module = MLP((8, 8, 1), 10)
    layers = [layer for layer in module.modules() if not list(layer.children())]
    assert [type(layer).__name__ for layer in layers] == ["Linear", "ReLU", "Linear"]
    assert layers[0].out_features == 256
