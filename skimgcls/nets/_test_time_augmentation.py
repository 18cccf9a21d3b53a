"""Test-time augmentation."""

import torch
from torch import nn
from torch.nn import functional


class TestTimeAugmentation(nn.Module):
    """In evaluation, average the logits over an image and shifted or mirrored views of it.

    With `shift`, the image has weight 1/2; two views, shifted by one pixel up and left, and down
    and right, have weight 1/4 each. With `mirror` each of them is averaged with its mirror image
    (Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", 2012;
    Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024). In training, only the batch
    itself is used.

    Parameters
    ----------
    net : Module
        Maps batches (n, channels, height, width) to logits (n, n_outputs).
    shift : bool
        Whether to use shifted views.
    mirror : bool
        Whether to use mirrored views.
    """

    def __init__(self, net: nn.Module, *, shift: bool, mirror: bool) -> None:
        super().__init__()
        self.net = net
        self.shift = shift
        self.mirror = mirror

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, n_outputs)."""
        if self.training:
            logits: torch.Tensor = self.net(batch)
            return logits
        logits = self._both_ways(batch)
        if not self.shift:
            return logits
        height, width = batch.shape[2:]
        padded = batch
        for side, border in ((height, (0, 0, 1, 1)), (width, (1, 1, 0, 0))):
            # A side of one pixel cannot be reflected.
            padded = functional.pad(padded, border, mode="reflect" if side > 1 else "replicate")
        moved = [padded[:, :, i : i + height, i : i + width] for i in (0, 2)]
        return 0.5 * logits + 0.25 * sum(map(self._both_ways, moved))

    def _both_ways(self, batch: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.net(batch)
        return 0.5 * (logits + self.net(batch.flip(3))) if self.mirror else logits
