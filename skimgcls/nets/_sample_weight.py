"""Batch normalisation in which the weights of the images count."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional


class SupportsSampleWeight:
    """Base class of layers in which the sample weights of a batch count.

    Inside :func:`sample_weights_in` the attribute `weights` is a tensor (n,), elsewhere None.
    """

    weights: torch.Tensor | None = None


@contextmanager
def sample_weights_in(module: nn.Module, weights: torch.Tensor | None) -> Iterator[None]:
    """Let the images of one batch count by their weights (n,) in the module's normalisations."""
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
    """Return a batch (n, c, h, w) normalised by itself, and move the running statistics.

    An image of weight two counts as two images in the mean and in the variance. Both, and the
    running ones, are those of a population: they are the same whether an image weighs two or is
    there twice.
    """
    n_values = batch.numel() // batch.shape[1]
    share = momentum
    # torch refuses a single value a channel, which has a mean and no spread.
    if weights is None and n_values > 1:
        mean, variance = torch.zeros_like(running_mean), torch.zeros_like(running_variance)
        # A momentum of one: the statistics of this batch, the variance as a sample's.
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
            # A batch of no weight leaves no trace.
            share = momentum * weights.any().to(mean)
    running_mean.lerp_(mean, share)
    running_variance.lerp_(variance, share)
    return result


def _weighted_statistics(
    batch: torch.Tensor, weights: torch.Tensor | None, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    if weights is None:
        weights = batch.new_ones(len(batch))
    # All classes of a batch may weigh zero.
    weights = torch.where(weights.any(), weights, 1)
    # Products of matrices would be rounded where the net computes in bfloat16.
    values = batch.to(dtype)
    shares = (weights / weights.sum()).to(dtype)[:, None]
    mean = (shares * values.mean(dim=(2, 3))).sum(dim=0)
    deviations = (values - mean[:, None, None]).square().mean(dim=(2, 3))
    return mean, (shares * deviations).sum(dim=0)
