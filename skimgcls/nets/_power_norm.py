"""Normalization of features."""

from collections.abc import Sequence

import torch
from torch import nn

_EPS = 1e-6


class PowerNorm(nn.Module):
    """Take the signed square root of features (n, d), and scale each group to mean square 1.

    The square root reduces the weight of the few large values, and the scale that of the contrast
    of an image (Perronnin et al., "Improving the Fisher Kernel for Large-Scale Image
    Classification", 2010).

    Parameters
    ----------
    group_sizes : sequence of int
        Numbers of features of one scale, which are normalized together.
    """

    def __init__(self, group_sizes: Sequence[int]) -> None:
        super().__init__()
        self.group_sizes = list(group_sizes)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return normalized features (n, d)."""
        features = features.flatten(1)
        # The constant keeps gradients finite at 0.
        features = features * (features.abs() + _EPS).rsqrt()
        groups = torch.split(features, self.group_sizes, dim=1)
        scaled = [g * (g.square().mean(dim=1, keepdim=True) + _EPS).rsqrt() for g in groups]
        return torch.cat(scaled, dim=1)
