"""Resize and crop images to the input size of a network."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from skimgcls._images._lazy_images import ImageShape

Size = tuple[int, int]


@dataclass(frozen=True)
class ResizeCenterCrop:
    """Resize a batch (n, channels, height, width), then crop its center.

    Attributes
    ----------
    resize : tuple (height, width)
    crop : tuple (height, width)
        Size of the center crop; at most `resize`.
    interpolation : {"bilinear", "bicubic"}
        Interpolation method, with antialiasing.
    """

    resize: Size
    crop: Size
    interpolation: str = "bilinear"

    is_random = False

    def output_shape(self, image_shape: ImageShape) -> ImageShape:
        """Return the shape (height, width, channels) of the output."""
        return (*self.crop, image_shape[2])

    def __call__(
        self, batch: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        # The same as torchvision's functions, whose import takes seconds.
        if batch.shape[2:] != self.resize:
            batch = functional.interpolate(
                batch, self.resize, mode=self.interpolation, antialias=True
            )
        (height, width), (n_rows, n_columns) = self.resize, self.crop
        top, left = round((height - n_rows) / 2), round((width - n_columns) / 2)
        return batch[..., top : top + n_rows, left : left + n_columns]


def resize_crop_square(
    image_shape: ImageShape, shorter: int, side: int, interpolation: str
) -> ResizeCenterCrop:
    """Return a step that resizes the shorter side of images to `shorter` and crops a square.

    >>> resize_crop_square((100, 200, 3), 50, 40, "bilinear")
    ResizeCenterCrop(resize=(50, 100), crop=(40, 40), interpolation='bilinear')
    """
    height, width = image_shape[:2]
    shortest = min(height, width)
    resize = (shorter * height // shortest, shorter * width // shortest)
    return ResizeCenterCrop(resize, (side, side), interpolation)


def resize_to_at_least(image_shape: ImageShape, side: int) -> ResizeCenterCrop | None:
    """Return a step that stretches sides shorter than `side`; None if no side is shorter.

    >>> resize_to_at_least((8, 64, 3), 32)
    ResizeCenterCrop(resize=(32, 64), crop=(32, 64), interpolation='bilinear')
    """
    height, width = image_shape[:2]
    if min(height, width) >= side:
        return None
    size = (max(height, side), max(width, side))
    return ResizeCenterCrop(size, size)
