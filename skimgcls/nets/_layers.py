"""Layers shared by the networks."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}


class DenseHead(nn.Module):
    """Flatten a batch (n, c, h, w) and return logits (n, n_outputs) of dense layers.

    Rows are flattened in the order (height, width, channels) of the images. Flattening a batch in
    channels-last memory is then free, and a weight matrix can be shown as images.
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        *,
        hidden_layer_sizes: Sequence[int],
        activation: str,
        dropout: float,
    ) -> None:
        layers: list[nn.Module] = []
        sizes = [n_features, *hidden_layer_sizes]
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), ACTIVATIONS[activation]()]
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
        super().__init__()
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], n_outputs))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        rows = batch.permute(0, 2, 3, 1).flatten(1)
        # In a loop: calling the container takes a tenth of the time of a small network.
        for layer in self.layers:
            rows = layer(rows)
        return rows
