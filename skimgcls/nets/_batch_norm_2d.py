"""Batch normalization of torch with sample weights."""

import torch
from torch import nn

from skimgcls.nets._sample_weight import SupportsSampleWeight, weighted_batch_norm


class BatchNorm2d(SupportsSampleWeight, nn.BatchNorm2d):
    """Batch normalization of a map (n, c, h, w) with sample weights, for existing networks.

    Parameters and buffers have the names of torch, so pretrained weights can be loaded. In
    training, inside :func:`sample_weights_in`, images are weighted by their sample weights, and the
    running variance is that of a population. The running statistics start as the mean over the
    batches so far; those of torch start at zero and one, which affects them for many batches.
    """

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        is_usual = self.training and self.momentum is not None
        if not is_usual or self.running_mean is None or self.running_var is None:
            return super().forward(batch)
        assert self.momentum is not None
        assert self.num_batches_tracked is not None
        # A batch whose weights are all 0 is ignored.
        self.num_batches_tracked += 1 if self.weights is None else self.weights.any()
        share = (1 / self.num_batches_tracked.clamp(min=1)).clamp(min=self.momentum)
        return weighted_batch_norm(
            batch,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            weights=self.weights,
            momentum=share.to(self.running_mean.dtype),
            eps=self.eps,
        )


def with_weights(net: nn.Module) -> nn.Module:
    """Replace each ``torch.nn.BatchNorm2d`` of a network, in place, and return the network."""
    for module in net.modules():
        # Exactly this type: a subclass does more than normalize.
        if type(module) is nn.BatchNorm2d:
            module.__class__ = BatchNorm2d
    return net
