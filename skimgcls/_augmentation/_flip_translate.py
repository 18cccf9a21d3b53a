"""Default augmentation of training images: horizontal flips and translations."""

from dataclasses import dataclass

import numpy as np
import torch

from skimgcls._augmentation._policy import AugmentationPolicy, Draws, apply_policy, draw_shift


@dataclass(frozen=True)
class FlipTranslate:
    """Mirror and shift images in each pass over the data.

    Attributes
    ----------
    mirror : bool
        Whether to mirror half of the images left to right in the first pass, the other half in the
        second, and so on. Two consecutive passes show each image in both orientations (Jordan, "94%
        on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024).
    translation : int
        Maximum number of pixels of a random shift, vertically and horizontally. Pixels beyond the
        border are reflected.
    """

    mirror: bool
    translation: int

    def __call__(
        self, batch: torch.Tensor, is_mirrored: np.ndarray, generator: torch.Generator
    ) -> torch.Tensor:
        """Return an augmented batch (n, c, h, w)."""
        n, channels, *size = batch.shape
        shift = draw_shift(0.0, self.translation, n, (size[0], size[1]), generator)
        flip = torch.from_numpy(is_mirrored) if self.mirror else None
        draws, none = Draws(horizontal_flip=flip, shift=shift), batch.new_zeros(channels)
        return apply_policy(batch, draws, AugmentationPolicy(), none, none)
