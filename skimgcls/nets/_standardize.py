"""Pixel statistics as the first layer of a net."""

import torch
from torch import nn


class Standardize(nn.Module):
    """Shift and scale each channel of a batch (n, channels, height, width).

    Parameters
    ----------
    mean, scale : tensor of shape (channels,)
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, mean: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean[:, None, None].clone())
        self.register_buffer("scale", scale[:, None, None].clone())

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return (batch - self.mean).div_(self.scale)
