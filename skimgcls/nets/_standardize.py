"""Pixel statistics as the first layer of a net."""

import numpy as np
import torch
from torch import nn


class Standardize(nn.Module):
    """Shift and scale each channel of a batch (n, channels, height, width).

    Parameters
    ----------
    mean, scale : ndarray of shape (channels,)
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, mean: np.ndarray, scale: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean.copy())[:, None, None])
        self.register_buffer("scale", torch.from_numpy(scale.copy())[:, None, None])

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return (batch - self.mean) / self.scale
