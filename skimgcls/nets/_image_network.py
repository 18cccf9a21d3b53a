"""A network of named parts."""

import torch
from torch import nn

from skimgcls.nets._standardize import Standardize
from skimgcls.nets._test_time_augmentation import TestTimeAugmentation


class ImageNetwork(nn.Module):
    """Standardize pixels, compute features with a body, and logits with a head.

    Parameters
    ----------
    body : Module
        Maps a standardized batch (n, channels, height, width) to the input of the head. Without a
        head it computes the logits (n, n_outputs).
    head : Module or None
    standardize : Standardize or None
        The first layer. It has no weights.

    Attributes
    ----------
    views : TestTimeAugmentation or None
        Views of an image over which logits are averaged in evaluation; None for the image alone.
    """

    standardize: Standardize | None
    head: nn.Module | None

    def __init__(
        self,
        body: nn.Module,
        head: nn.Module | None = None,
        *,
        standardize: Standardize | None = None,
    ) -> None:
        super().__init__()
        # Registered also if they are None, to keep the order of the parts.
        self.register_module("standardize", standardize)
        self.body = body
        self.register_module("head", head)
        self.views: TestTimeAugmentation | None = None

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, n_outputs) of a batch of pixels (n, channels, height, width)."""
        return self.classify(batch if self.standardize is None else self.standardize(batch))

    def classify(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the logits of a standardized batch."""
        if self.training or self.views is None:
            return self._logits(batch)
        return self.views.average(self._logits, batch)

    def without_head(self) -> "ImageNetwork":
        """Return a network of the same layers from pixels to features."""
        return ImageNetwork(self.body, standardize=self.standardize)

    def _logits(self, batch: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.body(batch)
        return features if self.head is None else self.head(features)
