"""torch's batch normalisation, in which the weights of the images count."""

import torch
from torch import nn

from skimgcls.nets._sample_weight import SupportsSampleWeight, weighted_batch_norm


class BatchNorm2d(SupportsSampleWeight, nn.BatchNorm2d):
    """torch's batch normalisation of a map (n, c, h, w), for nets that come with it.

    What is learned and saved has torch's names, so that weights trained elsewhere fit. In training,
    inside :func:`sample_weights_in`, images count by their weights, and the running variance is a
    population's. The running statistics begin as the mean over the batches so far, where torch's
    begin as zero and one and take long to forget it.
    """

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        is_usual = self.training and self.momentum is not None
        if not is_usual or self.running_mean is None or self.running_var is None:
            return super().forward(batch)
        assert self.momentum is not None
        assert self.num_batches_tracked is not None
        # A batch of no weight leaves no trace.
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
    """Return a net with this normalisation in the place of torch's own."""
    for module in net.modules():
        # Of exactly this type: a subclass does more than normalise.
        if type(module) is nn.BatchNorm2d:
            module.__class__ = BatchNorm2d
    return net
