"""A plain convolutional network."""

from collections.abc import Sequence

from torch import nn

from skimgcls.nets._image_network import ImageNetwork
from skimgcls.nets._layers import ACTIVATIONS, DenseHead


class CNN(ImageNetwork):
    """Convolutions, each followed by max-pooling and an activation, then dense layers.

    Parameters
    ----------
    image_shape : tuple (height, width, channels)
    n_outputs : int
    conv_channels : sequence of int
        Output channels of each convolution.
    kernel_size : int
        Side of the convolution kernels.
    padding : {"same", "valid"}
        "same" keeps the size of the map; "valid" reduces it by ``kernel_size - 1`` pixels per side
        at each convolution.
    pool_sizes : sequence of int
        Side of the pooling window of each convolution; 1 disables pooling.
    hidden_layer_sizes : sequence of int
    activation : {"relu", "tanh", "logistic", "identity"}
    dropout : float
        Fraction of the outputs of each dense hidden layer set to zero in training.

    Notes
    -----
    A side shorter than a convolution kernel is padded to its size. A side shorter than a pooling
    window is pooled to one pixel. Images of any size are therefore valid.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_outputs: int,
        *,
        conv_channels: Sequence[int] = (32, 64),
        kernel_size: int = 3,
        padding: str = "same",
        pool_sizes: Sequence[int] = (2, 2),
        hidden_layer_sizes: Sequence[int] = (128,),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        *size, channels = image_shape
        layers: list[nn.Module] = []
        for out_channels, pool in zip(conv_channels, pool_sizes, strict=True):
            margins = [_margins(side, kernel_size, padding) for side in size]
            (top, bottom), (left, right) = margins
            if (top, left) == (bottom, right):
                conv = nn.Conv2d(channels, out_channels, kernel_size, padding=(top, left))
                layers.append(conv)
            else:
                layers.append(nn.ZeroPad2d((left, right, top, bottom)))
                layers.append(nn.Conv2d(channels, out_channels, kernel_size))
            size = [
                side + sum(margin) - kernel_size + 1
                for side, margin in zip(size, margins, strict=True)
            ]
            window = [min(pool, side) for side in size]
            # Pooling before the activation: a non-decreasing activation commutes with it, and has
            # fewer values to compute.
            if max(window) > 1:
                layers.append(nn.MaxPool2d((window[0], window[1])))
                size = [side // span for side, span in zip(size, window, strict=True)]
            layers.append(ACTIVATIONS[activation]())
            channels = out_channels
        head = DenseHead(
            size[0] * size[1] * channels,
            n_outputs,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            dropout=dropout,
        )
        super().__init__(nn.Sequential(*layers), head)


def _margins(side: int, kernel_size: int, padding: str) -> tuple[int, int]:
    """Return the numbers of pixels to pad before and after a side.

    >>> _margins(8, 3, "same"), _margins(8, 2, "same"), _margins(8, 3, "valid")
    ((1, 1), (0, 1), (0, 0))

    With "valid" padding, a side smaller than the kernel is padded to the kernel size.

    >>> _margins(2, 5, "valid")
    (1, 2)
    """
    n_added = kernel_size - 1 if padding == "same" else max(0, kernel_size - side)
    return n_added // 2, n_added - n_added // 2
