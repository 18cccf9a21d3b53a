"""A multi-layer perceptron."""

import math
from collections.abc import Sequence

from skimgcls.nets._image_network import ImageNetwork
from skimgcls.nets._layers import DenseHead


class MLP(ImageNetwork):
    """Dense layers on the pixels of an image.

    Parameters
    ----------
    image_shape : tuple (height, width, channels)
    n_outputs : int
    hidden_layer_sizes : sequence of int
    activation : {"relu", "tanh", "logistic", "identity"}
    dropout : float
        Fraction of the outputs of each hidden layer set to zero in training.
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
        layers = DenseHead(
            math.prod(image_shape),
            n_outputs,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            dropout=dropout,
        )
        super().__init__(layers)
