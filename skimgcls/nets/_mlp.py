"""A feedforward net."""

from collections.abc import Sequence

import torch
from torch import nn

from skimgcls.nets._layers import DenseHead


class MLP(nn.Module):
    """Dense layers on the pixels of an image.

    Parameters
    ----------
    image_shape : tuple (height, width, channels)
    n_outputs : int
    hidden_layer_sizes : sequence of int
    activation : {"relu", "tanh", "logistic", "identity"}
    dropout : float
        Share of each hidden layer's outputs set to zero in training.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_outputs: int,
        *,
        hidden_layer_sizes: Sequence[int] = (256,),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        height, width, channels = image_shape
        self.head = DenseHead(
            height * width * channels,
            n_outputs,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            dropout=dropout,
        )

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits (n, n_outputs) of a batch (n, channels, height, width)."""
        logits: torch.Tensor = self.head(batch)
        return logits
