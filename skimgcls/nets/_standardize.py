"""Standardization of pixels as the first layer of a network."""

import torch
from torch import nn

# Minimum number of images for which rows of statistics are faster.
_MANY = 8


class Standardize(nn.Module):
    """Shift and scale each channel of a batch (n, channels, height, width).

    Parameters
    ----------
    mean, scale : tensor of shape (channels,)
    """

    factor: torch.Tensor
    offset: torch.Tensor

    def __init__(self, mean: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        # Multiply-add takes one pass over a batch, subtraction and division take two.
        self.register_buffer("factor", (1 / scale)[:, None, None])
        self.register_buffer("offset", (-mean / scale)[:, None, None])

    @property
    def mean(self) -> torch.Tensor:
        """Mean of each channel, (channels, 1, 1)."""
        return -self.offset / self.factor

    @property
    def scale(self) -> torch.Tensor:
        """Standard deviation of each channel, (channels, 1, 1)."""
        return 1 / self.factor

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        n, channels, height, width = batch.shape
        pixels = batch.permute(0, 2, 3, 1)
        if channels == 1 or n < _MANY or not pixels.is_contiguous():
            return torch.addcmul(self.offset, batch, self.factor)
        # Rows of whole images are several times faster than rows of three values.
        offset, factor = (
            values.flatten().repeat(height * width) for values in (self.offset, self.factor)
        )
        rows = torch.addcmul(offset, pixels.flatten(1), factor)
        return rows.view(pixels.shape).permute(0, 3, 1, 2)
