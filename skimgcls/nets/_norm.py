"""Batch normalisation in which the weights of the images count."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional


class BatchNorm(nn.Module):
    """Shift and scale the channels of a map (n, c, h, w) to mean `bias` and variance one.

    Batch normalisation (Ioffe & Szegedy, 2015) without a learned scale, which the next layer's
    weights make up for. Inside :func:`weighing` an image of weight two counts as two images in the
    mean and in the variance. Both, and the running ones, are those of a population: they are the
    same whether an image weighs two or is there twice.

    Parameters
    ----------
    n_channels : int
    momentum : float
        Share of a batch in the running statistics, which evaluation uses.
    """

    # Added to a variance before it divides.
    eps = 1e-5
    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, n_channels: int, *, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.bias = nn.Parameter(torch.zeros(n_channels))
        self.register_buffer("mean", torch.zeros(n_channels))
        self.register_buffer("variance", torch.ones(n_channels))
        self.weights: torch.Tensor | None = None

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return functional.batch_norm(
                batch, self.mean, self.variance, None, self.bias, eps=self.eps
            )
        n_values = batch.numel() // batch.shape[1]
        # torch refuses a single value a channel, which has a mean and no spread.
        momentum: float | torch.Tensor = self.momentum
        if self.weights is None and n_values > 1:
            mean, variance = torch.zeros_like(self.mean), torch.zeros_like(self.variance)
            # A momentum of one: the statistics of this batch, the variance as a sample's.
            result = functional.batch_norm(
                batch, mean, variance, None, self.bias, training=True, momentum=1, eps=self.eps
            )
            variance = variance * ((n_values - 1) / n_values)
        else:
            mean, variance = self._weighted_statistics(batch)
            scale = (variance + self.eps).rsqrt()
            shape = (-1, 1, 1)
            result = (batch - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)
            result = result.to(batch.dtype)
            mean, variance = mean.detach(), variance.detach()
            if self.weights is not None:
                # A batch of no weight leaves no trace.
                momentum = momentum * self.weights.any().to(mean)
        self.mean.lerp_(mean.to(self.mean), momentum)
        self.variance.lerp_(variance.to(self.variance), momentum)
        return result

    def _weighted_statistics(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        weights = batch.new_ones(len(batch)) if self.weights is None else self.weights
        # All classes of a batch may weigh zero.
        weights = torch.where(weights.any(), weights, 1)
        # Products of matrices would be rounded where the net computes in bfloat16.
        values = batch.to(self.mean.dtype)
        shares = (weights / weights.sum()).to(values.dtype)[:, None]
        mean = (shares * values.mean(dim=(2, 3))).sum(dim=0)
        deviations = (values - mean[:, None, None]).square().mean(dim=(2, 3))
        return mean, (shares * deviations).sum(dim=0)


@contextmanager
def weighing(module: nn.Module, weights: torch.Tensor | None) -> Iterator[None]:
    """Let the images of one batch count by their weights (n,) in the module's normalisations."""
    norms = [] if weights is None else [m for m in module.modules() if isinstance(m, BatchNorm)]
    for norm in norms:
        norm.weights = weights
    try:
        yield
    finally:
        for norm in norms:
            norm.weights = None
