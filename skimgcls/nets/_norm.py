"""Batch normalization without a learned scale."""

import torch
from torch import nn
from torch.nn import functional

from skimgcls.nets._sample_weight import SupportsSampleWeight, weighted_batch_norm


class BatchNorm(SupportsSampleWeight, nn.Module):
    """Batch normalization of a map (n, c, h, w) to mean `bias` and variance 1 per channel.

    Batch normalization (Ioffe & Szegedy, 2015) without a learned scale, which the weights of the
    next layer can represent. Inside :func:`sample_weights_in` images are weighted by their sample
    weights.

    Parameters
    ----------
    n_channels : int
    momentum : float
        Weight of a batch in the running statistics, which are used in evaluation.
    """

    # Added to the variance for numerical stability.
    eps = 1e-5
    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, n_channels: int, *, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.bias = nn.Parameter(torch.zeros(n_channels))
        self.register_buffer("mean", torch.zeros(n_channels))
        self.register_buffer("variance", torch.ones(n_channels))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return functional.batch_norm(
                batch, self.mean, self.variance, None, self.bias, eps=self.eps
            )
        return weighted_batch_norm(
            batch,
            self.mean,
            self.variance,
            None,
            self.bias,
            weights=self.weights,
            momentum=self.momentum,
            eps=self.eps,
        )
