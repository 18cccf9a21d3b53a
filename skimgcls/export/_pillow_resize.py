"""Pillow's resizing of uint8 images as torch operations, for export to a graph."""

import torch
from torch import nn

from skimgcls._images._resize import Resize
from skimgcls.export._float_resize import times

# Scale of Pillow's fixed-point weights (libImaging/Resample.c).
_UNIT = float(1 << 22)
# A part of one side: old start, old length, new start, new length.
_Span = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class PillowResize(nn.Module):
    """Resize a batch (n_samples, n_channels, height, width) of uint8, exactly as Pillow does.

    Pillow applies a filter as wide as a new pixel, along rows and then along columns. The weights
    are integers, and the result of each pass is rounded to uint8. The weights are computed from the
    input size, which may differ between calls.

    Parameters
    ----------
    resize : Resize
    """

    def __init__(self, resize: Resize) -> None:
        super().__init__()
        self.resize = resize
        self.before = None if resize.before is None else PillowResize(resize.before)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return pixels from 0 to 255 as float64."""
        if self.before is not None:
            batch = self.before(batch)
        batch = batch.to(torch.float64)
        one = torch.ones((), dtype=torch.float64)
        height, width = one * batch.shape[2], one * batch.shape[3]
        down, across = self._plan(height, width)
        how = self.resize.interpolation
        batch, on_rows = _resample(batch, across, self.resize.size[1], how)
        batch, on_columns = _resample(batch.transpose(2, 3), down, self.resize.size[0], how)
        batch = batch.transpose(2, 3)
        if self.resize.method != "pad":
            return batch
        colors = [round(color) for color in self.resize.background]
        background = torch.tensor(colors, dtype=torch.float64).reshape(-1, 1, 1)
        return torch.where(on_columns[:, None] & on_rows, batch, background)

    def _plan(self, height: torch.Tensor, width: torch.Tensor) -> tuple[_Span, _Span]:
        """Return the part of each side that is used and its target, as `Resize.plan` does."""
        to_height, to_width = self.resize.size
        zero = torch.zeros((), dtype=torch.float64)
        new_height, new_width = zero + to_height, zero + to_width
        if self.resize.method == "crop":
            part_height = _between(torch.round(width * new_height / new_width), height)
            part_width = _between(torch.round(height * new_width / new_height), width)
            top = torch.floor((height - part_height) / 2)
            left = torch.floor((width - part_width) / 2)
            return (top, part_height, zero, new_height), (left, part_width, zero, new_width)
        if self.resize.method == "pad":
            # Divide tensors: torch divides a number by a tensor with two roundings.
            scale = torch.minimum(new_height / height, new_width / width)
            inner_height = torch.round(height * scale).clamp(min=1)
            inner_width = torch.round(width * scale).clamp(min=1)
            top = torch.floor((new_height - inner_height) / 2)
            left = torch.floor((new_width - inner_width) / 2)
            return (zero, height, top, inner_height), (zero, width, left, inner_width)
        return (zero, height, zero, new_height), (zero, width, zero, new_width)


def _between(value: torch.Tensor, most: torch.Tensor) -> torch.Tensor:
    return torch.minimum(value, most).clamp(min=1)


def _resample(
    batch: torch.Tensor, span: _Span, size: int, interpolation: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Resize a part of the last dimension; return also which new positions it fills."""
    start, length, goes_to, new_length = span
    scale = length / new_length
    places = torch.arange(size, dtype=torch.float64) - goes_to
    filled = (places >= 0) & (places < new_length)
    pixels = torch.arange(batch.shape[3], dtype=torch.float64)
    if interpolation == "nearest":
        # Pillow accumulates the scale from pixel to pixel.
        steps = torch.where(places == 0, scale / 2, torch.where(places > 0, scale, 0.0))
        chosen = torch.floor(torch.cumsum(steps, dim=0)) + start
        return times(batch, (pixels[:, None] == chosen).to(batch.dtype)), filled
    centers = (places + 0.5) * scale
    distances = (pixels[:, None] - start + 0.5 - centers) / scale.clamp(min=1.0)
    weights = _FILTERS[interpolation](distances.abs())
    inside = (pixels >= start) & (pixels < start + length)
    weights = torch.where(inside[:, None], weights, 0.0)
    sums = weights.sum(dim=0, keepdim=True)
    weights = weights / torch.where(sums == 0, 1.0, sums)
    # Round half away from zero.
    whole = torch.sign(weights) * torch.floor(weights.abs() * _UNIT + 0.5)
    return torch.floor((times(batch, whole) + _UNIT / 2) / _UNIT).clamp(0, 255), filled


def _triangle(distances: torch.Tensor) -> torch.Tensor:
    return (1 - distances).clamp(min=0)


def _cubic(distances: torch.Tensor) -> torch.Tensor:
    """Return the filter of Keys (1981) with a = -0.5."""
    near = (1.5 * distances - 2.5) * distances * distances + 1
    far = ((-0.5 * distances + 2.5) * distances - 4) * distances + 2
    return torch.where(distances < 1, near, torch.where(distances < 2, far, 0.0))


_FILTERS = {"bilinear": _triangle, "bicubic": _cubic}
