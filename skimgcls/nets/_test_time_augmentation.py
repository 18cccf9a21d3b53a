"""A net that looks at an image more than once."""

import torch
from torch import nn
from torch.nn import functional


class TestTimeAugmentation(nn.Module):
    """In evaluation, the mean of the logits of an image and of others that show the same.

    The image counts half; the other half is the image moved by one pixel up and left, and down and
    right. With `mirror` each of the three is seen mirrored as well (Krizhevsky et al., "ImageNet
    Classification with Deep Convolutional Neural Networks", 2012; Jordan, "94% on CIFAR-10 in 3.29
    Seconds on a Single GPU", 2024). In training the net is left as it is.

    Parameters
    ----------
    net : Module
        Logits (n, n_outputs) of batches (n, channels, height, width).
    shift : bool
        Whether there are moved views.
    mirror : bool
        Whether there are mirrored ones.
    """

    def __init__(self, net: nn.Module, *, shift: bool, mirror: bool) -> None:
        super().__init__()
        self.net = net
        self.shift = shift
        self.mirror = mirror

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits (n, n_outputs)."""
        if self.training:
            logits: torch.Tensor = self.net(batch)
            return logits
        logits = self._both_ways(batch)
        if not self.shift:
            return logits
        height, width = batch.shape[2:]
        padded = batch
        for side, border in ((height, (0, 0, 1, 1)), (width, (1, 1, 0, 0))):
            # One pixel is its own mirror image.
            padded = functional.pad(padded, border, mode="reflect" if side > 1 else "replicate")
        moved = [padded[:, :, i : i + height, i : i + width] for i in (0, 2)]
        return 0.5 * logits + 0.25 * sum(map(self._both_ways, moved))

    def _both_ways(self, batch: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.net(batch)
        return 0.5 * (logits + self.net(batch.flip(3))) if self.mirror else logits
