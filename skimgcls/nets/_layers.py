"""What the nets are made of."""

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
    """Flatten a batch (n, c, h, w) to rows and classify them: (n, n_outputs) logits.

    The rows are in the order (height, width, channels) of the images, which makes flattening a
    batch in channels-last memory free, and a weight matrix readable as images.
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
        # One by one: a container's own call is a tenth of what a small net computes.
        for layer in self.layers:
            rows = layer(rows)
        return rows
