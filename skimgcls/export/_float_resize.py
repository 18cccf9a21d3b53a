"""Resize floats by matrix products, which every version of torch can export."""

import torch
from torch import nn
from torch.nn import functional


class FloatResize(nn.Module):
    """Resize a batch (n_samples, n_channels, height, width) of floats.

    Each new row is a weighted sum of the old rows, and each new column of the old columns.

    Parameters
    ----------
    down : tensor of shape (height, new height)
        Weight of each old row in each new row.
    across : tensor of shape (width, new width)
        Weight of each old column in each new column.
    background : tensor of shape (channels or 1, new height, new width)
        Added to the result.
    """

    def __init__(self, down, across, background=None):
        super().__init__()
        self.register_buffer("down", down)
        self.register_buffer("across", across)
        self.register_buffer("background", background)

    @classmethod
    def of_resize(cls, resize, image_shape):
        """Return the equivalent of a `Resize` for images of shape (height, width, n_channels)."""
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
        colors = torch.tensor(resize.background, dtype=torch.float32)[:, None, None]
        is_inside = _placed(torch.ones(inner), new_starts, resize.size)
        return cls(down, across, None if is_inside.all() else colors * (1 - is_inside))

    @classmethod
    def of_framing(cls, framing, image_shape):
        """Return the equivalent of a `ResizeCenterCrop` for images of this shape."""
        matrices = []
        for old, new, kept in zip(image_shape[:2], framing.resize, framing.crop, strict=True):
            # Same rounding as torchvision's center_crop.
            start = round((new - kept) / 2)
            weights = _weights(old, new, framing.interpolation)
            matrices.append(weights[:, start : start + kept].contiguous())
        return cls(*matrices)

    def forward(self, batch):
        """Return the resized batch."""
        batch = times(batch.to(torch.float32), self.across)
        batch = times(batch.transpose(2, 3), self.down).transpose(2, 3)
        return batch if self.background is None else batch + self.background


def times(batch, weights):
    """Return the product of the last dimension and a matrix; exports with torch >= 2.6."""
    *sides, length = batch.shape
    return torch.mm(batch.reshape(-1, length), weights).reshape(*sides, weights.shape[1])


def _weights(old, new, interpolation):
    """Return the weight of each old position (row) in each new one, as computed by torch."""
    places = torch.eye(old)[None, None]
    if interpolation == "nearest":
        return functional.interpolate(places, (old, new), mode="nearest-exact")[0, 0]
    return functional.interpolate(places, (old, new), mode=interpolation, antialias=True)[0, 0]


def _placed(part, starts, size):
    """Return a matrix of zeros of a size, with a part placed at `starts`."""
    whole = torch.zeros(tuple(size))
    (top, left), (height, width) = starts, part.shape
    whole[top : top + height, left : left + width] = part
    return whole
