"""Pixel statistics as the first layer of a net."""

import torch
from torch import nn

# Images for which it pays to make rows of statistics.
_MANY = 8


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
        n, channels, height, width = batch.shape
        pixels = batch.permute(0, 2, 3, 1)
        if channels == 1 or n < _MANY or not pixels.is_contiguous():
            return (batch - self.mean).div_(self.scale)
        # Rows as long as an image are shifted and scaled several times as fast as rows of three.
        mean, scale = (values.flatten().repeat(height * width) for values in self.buffers())
        rows = (pixels.flatten(1) - mean).div_(scale)
        return rows.view(pixels.shape).permute(0, 3, 1, 2)
