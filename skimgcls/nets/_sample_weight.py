"""Batch normalization with sample weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional


class SupportsSampleWeight:
    """Base class of layers that use the sample weights of a batch.

    Inside :func:`sample_weights_in` the attribute `weights` is a tensor (n,), otherwise None.
    """

    weights: torch.Tensor | None = None


@contextmanager
def sample_weights_in(module: nn.Module, weights: torch.Tensor | None) -> Iterator[None]:
    """Set the sample weights (n,) of a batch in the normalization layers of the module."""
    layers = (
        []
        if weights is None
        else [m for m in module.modules() if isinstance(m, SupportsSampleWeight)]
    )
    for layer in layers:
        layer.weights = weights
    try:
        yield
    finally:
        for layer in layers:
            layer.weights = None


def weighted_batch_norm(
    batch: torch.Tensor,
    running_mean: torch.Tensor,
    running_variance: torch.Tensor,
    scale: torch.Tensor | None,
    bias: torch.Tensor | None,
    *,
    weights: torch.Tensor | None,
    momentum: float | torch.Tensor,
    eps: float,
) -> torch.Tensor:
    """Return a batch (n, c, h, w) normalized by its statistics, and update the running statistics.

    Mean and variance, and their running versions, are those of a population: a weight of 2 is
    equivalent to repeating the image.
    """
    n_values = batch.numel() // batch.shape[1]
    share = momentum
    # torch raises for a single value per channel, which has no variance.
    if weights is None and n_values > 1:
        mean, variance = torch.zeros_like(running_mean), torch.zeros_like(running_variance)
        # With momentum 1 these are the statistics of this batch, with the sample variance.
        result = functional.batch_norm(
            batch, mean, variance, scale, bias, training=True, momentum=1, eps=eps
        )
        variance = variance * ((n_values - 1) / n_values)
    else:
        mean, variance = _weighted_statistics(batch, weights, running_mean.dtype)
        factor = (variance + eps).rsqrt()
        factor = (factor if scale is None else factor * scale).view(-1, 1, 1)
        result = (batch - mean.view(-1, 1, 1)) * factor
        result = result if bias is None else result + bias.view(-1, 1, 1)
        result = result.to(batch.dtype)
        mean, variance = mean.detach(), variance.detach()
        if weights is not None:
            # A batch whose weights are all 0 is ignored.
            share = momentum * weights.any().to(mean)
    running_mean.lerp_(mean, share)
    running_variance.lerp_(variance, share)
    return result


def _weighted_statistics(
    batch: torch.Tensor, weights: torch.Tensor | None, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    if weights is None:
        weights = batch.new_ones(len(batch))
    # All weights of a batch may be 0.
    weights = torch.where(weights.any(), weights, 1)
    # Sums instead of matrix products, which autocast would round to bfloat16.
    values = batch.to(dtype)
    shares = (weights / weights.sum()).to(dtype)[:, None]
    mean = (shares * values.mean(dim=(2, 3))).sum(dim=0)
    deviations = (values - mean[:, None, None]).square().mean(dim=(2, 3))
    return mean, (shares * deviations).sum(dim=0)
