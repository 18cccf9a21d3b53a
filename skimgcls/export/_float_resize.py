"""Resizing of floats as products of matrices, which every version of torch can write down."""

import torch
from torch import nn
from torch.nn import functional


class FloatResize(nn.Module):
    """Bring a batch (n, channels, height, width) of floats from one size to another.

    Each new row of an image is a sum of the old ones, and each new column too.

    Parameters
    ----------
    down : tensor of shape (height, new height)
        What each old row gives to each new one.
    across : tensor of shape (width, new width)
    background : tensor of shape (channels or 1, new height, new width)
        What is added.
    """

    def __init__(self, down, across, background=None):
        super().__init__()
        self.register_buffer("down", down)
        self.register_buffer("across", across)
        self.register_buffer("background", background)

    @classmethod
    def of_resize(cls, resize, image_shape):
        """Do what a `Resize` says to images of a shape (height, width, channels)."""
        (top, left, *part), inner = resize.plan(*image_shape[:2])
        old_starts, new_starts = (top, left), resize.corner(*inner)
        down, across = (
            _placed(
                _weights(part[axis], inner[axis], resize.interpolation),
                (old_starts[axis], new_starts[axis]),
                (image_shape[axis], resize.size[axis]),
            )
            for axis in (0, 1)
        )
        colours = torch.tensor(resize.background, dtype=torch.float32)[:, None, None]
        is_inside = _placed(torch.ones(inner), new_starts, resize.size)
        return cls(down, across, None if is_inside.all() else colours * (1 - is_inside))

    @classmethod
    def of_framing(cls, framing, image_shape):
        """Do what a `ResizeCenterCrop` says to images of a shape (height, width, channels)."""
        matrices = []
        for old, new, kept in zip(image_shape[:2], framing.resize, framing.crop, strict=True):
            # As torchvision's center_crop has it.
            start = round((new - kept) / 2)
            weights = _weights(old, new, framing.interpolation)
            matrices.append(weights[:, start : start + kept].contiguous())
        return cls(*matrices)

    def forward(self, batch):
        """Return the batch in its new size."""
        batch = times(batch.to(torch.float32), self.across)
        batch = times(batch.transpose(2, 3), self.down).transpose(2, 3)
        return batch if self.background is None else batch + self.background


def times(batch, weights):
    """Return the product of the last dimension and a matrix, in words for every torch from 2.6."""
    *sides, length = batch.shape
    return torch.mm(batch.reshape(-1, length), weights).reshape(*sides, weights.shape[1])


def _weights(old, new, interpolation):
    """Return what each of the old places (rows) gives to each of the new ones, by torch."""
    places = torch.eye(old)[None, None]
    if interpolation == "nearest":
        return functional.interpolate(places, (old, new), mode="nearest-exact")[0, 0]
    return functional.interpolate(places, (old, new), mode=interpolation, antialias=True)[0, 0]


def _placed(part, starts, size):
    """Return a matrix of a size that is zero but for a part."""
    whole = torch.zeros(tuple(size))
    (top, left), (height, width) = starts, part.shape
    whole[top : top + height, left : left + width] = part
    return whole
