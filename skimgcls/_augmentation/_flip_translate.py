"""Views of the training images that a net of its own accord trains on."""

from dataclasses import dataclass

import numpy as np
import torch

from skimgcls._augmentation._policy import AugmentationPolicy, Draws, apply_policy, draw_shift


@dataclass(frozen=True)
class FlipTranslate:
    """How the images of a set are mirrored and moved from pass to pass.

    Attributes
    ----------
    mirror : bool
        Mirror half of the images left to right in the first pass, the others in the second, and so
        on by turns: any two passes show each image both ways (Jordan, "94% on CIFAR-10 in 3.29
        Seconds on a Single GPU", 2024).
    translation : int
        Pixels, at most, that an image is moved up or down and left or right, by chance and anew
        each time. Beyond the border it is mirrored.
    """

    mirror: bool
    translation: int

    def __call__(
        self, batch: torch.Tensor, is_mirrored: np.ndarray, generator: torch.Generator
    ) -> torch.Tensor:
        """Return views of a batch (n, c, h, w), of which some are to be mirrored."""
        n, channels, *size = batch.shape
        shift = draw_shift(0.0, self.translation, n, (size[0], size[1]), generator)
        flip = torch.from_numpy(is_mirrored) if self.mirror else None
        draws, none = Draws(horizontal_flip=flip, shift=shift), batch.new_zeros(channels)
        return apply_policy(batch, draws, AugmentationPolicy(), none, none)
