"""The smallest EfficientNet-Lite, without its last layer."""

import torch
from torch import nn
from torch.nn import functional

# Stages of inverted residual blocks: number of blocks, kernel size, stride of the first block,
# expansion and output channels (table 1 of the paper).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_N_STEM, _N_LAST = 32, 1280
_EPS = 1e-3
_EPS_OF_VARIANCE = 1e-6


class _SameConv2d(nn.Conv2d):
    """A convolution without bias that pads as TensorFlow does: the extra row is at the end."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(
            n_in, n_out, kernel, stride, padding=kernel // 2, groups=groups, bias=False
        )

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            # The same rows on both sides.
            return super().forward(batch)
        extra = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in batch.shape[2:]]
        top, left = (n // 2 for n in extra)
        padded = functional.pad(batch, (left, extra[1] - left, top, extra[0] - top))
        return functional.conv2d(
            padded, self.weight, None, self.stride, 0, self.dilation, self.groups
        )


class _InvertedResidual(nn.Module):
    """Expand the channels, convolve each, and project (Sandler et al., "MobileNetV2", 2018)."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        n_inner = n_in * expansion
        if expansion > 1:
            self.expand = _SameConv2d(n_in, n_inner, 1)
            self.expand_norm = nn.BatchNorm2d(n_inner, eps=_EPS)
        self.depthwise = _SameConv2d(n_inner, n_inner, kernel, stride, groups=n_inner)
        self.depthwise_norm = nn.BatchNorm2d(n_inner, eps=_EPS)
        self.project = _SameConv2d(n_inner, n_out, 1)
        self.project_norm = nn.BatchNorm2d(n_out, eps=_EPS)
        self.is_residual = stride == 1 and n_in == n_out
        self.is_expanded = expansion > 1

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        inner = batch
        if self.is_expanded:
            inner = functional.relu6(self.expand_norm(self.expand(batch)))
        inner = functional.relu6(self.depthwise_norm(self.depthwise(inner)))
        projected: torch.Tensor = self.project_norm(self.project(inner))
        return projected + batch if self.is_residual else projected


class EfficientNetLite0(nn.Module):
    """Maps batches (n, n_channels, height, width) to features.

    The features are the 1280 averages over the image of the last layer. `with_stages` appends, for
    each of the seven stages, the mean and the standard deviation of its outputs over the image. The
    early stages describe textures, which many images unlike photographs differ in.

    EfficientNet-B0 (Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
    Networks", 2019) without squeeze-and-excitation and with ReLU6, which is fast on CPUs (Liu,
    "Higher accuracy on vision models with EfficientNet-Lite", 2020).

    Parameters
    ----------
    n_channels : int
    with_stages : bool

    Attributes
    ----------
    group_sizes : tuple of int
        Numbers of features of the last layer and of each stage.
    """

    def __init__(self, n_channels: int = 3, *, with_stages: bool = False) -> None:
        super().__init__()
        self.with_stages = with_stages
        self.group_sizes: tuple[int, ...] = (_N_LAST,)
        if with_stages:
            self.group_sizes += tuple(2 * stage[-1] for stage in _STAGES)
        self.stem = _SameConv2d(n_channels, _N_STEM, 3, 2)
        self.stem_norm = nn.BatchNorm2d(_N_STEM, eps=_EPS)
        stages, n_in = [], _N_STEM
        for depth, kernel, stride, expansion, n_out in _STAGES:
            blocks = []
            for place in range(depth):
                blocks.append(
                    _InvertedResidual(n_in, n_out, kernel, 1 if place else stride, expansion)
                )
                n_in = n_out
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.last = _SameConv2d(n_in, _N_LAST, 1)
        self.last_norm = nn.BatchNorm2d(_N_LAST, eps=_EPS)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return features (n, sum of group_sizes)."""
        batch = functional.relu6(self.stem_norm(self.stem(batch)))
        moments: list[torch.Tensor] = []
        for stage in self.stages:
            batch = stage(batch)
            if self.with_stages:
                moments += _moments(batch)
        batch = functional.relu6(self.last_norm(self.last(batch)))
        return torch.cat([batch.mean(dim=(2, 3)), *moments], dim=1)


def _moments(maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean and the standard deviation (n, channels) of maps over the image."""
    mean = maps.mean(dim=(2, 3), keepdim=True)
    variance = (maps - mean).square().mean(dim=(2, 3))
    # The gradient of the square root at 0 is infinite.
    return mean.flatten(1), (variance + _EPS_OF_VARIANCE).sqrt()
