"""A small residual network that trains fast."""

from collections.abc import Sequence
from itertools import chain, pairwise, repeat

import torch
from torch import nn
from torch.nn import functional

from skimgcls.nets._image_network import ImageNetwork
from skimgcls.nets._norm import BatchNorm
from skimgcls.nets._whitening import Whitening

# Approximate side of the first feature map of larger images.
_MAP_SIDE = 64


class _Stage(nn.Module):
    """A convolution with max-pooling that halves the map, then convolutions that keep its size.

    Each convolution is followed by normalization and GELU; max-pooling comes directly after the
    first convolution. Every two of the others are a residual block, whose input is added to its
    output (He et al., "Deep Residual Learning for Image Recognition", 2016). A single remaining
    convolution comes before the blocks. All convolutions are initialized as the identity on the
    channels that exist in both maps (Zagoruyko & Komodakis, "DiracNets", 2017).

    Parameters
    ----------
    n_in, n_out : int
        Numbers of input and output channels.
    depth : int
        Number of convolutions.
    window : tuple (height, width)
        Size of the pooling window.
    """

    def __init__(self, n_in: int, n_out: int, depth: int, window: tuple[int, int]) -> None:
        super().__init__()
        channels = chain([n_in], repeat(n_out, depth))
        convolutions = [nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in pairwise(channels)]
        for convolution in convolutions:
            nn.init.dirac_(convolution.weight[: convolution.in_channels])
        self.convolutions = nn.ModuleList(convolutions)
        self.norms = nn.ModuleList(BatchNorm(n_out) for _ in range(depth))
        self.window = window

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        batch = self.convolutions[0](batch)
        # Pooling comes first, so normalization and activation compute a quarter of the values.
        if max(self.window) > 1:
            batch = functional.max_pool2d(batch, self.window)
        batch = functional.gelu(self.norms[0](batch))
        depth = len(self.convolutions)
        for place in range(1, depth):
            is_last_of_block = place > 1 and (depth - place) % 2 == 1
            if not is_last_of_block:
                before = batch
            batch = self.norms[place](self.convolutions[place](batch))
            batch = functional.gelu(batch + before if is_last_of_block else batch)
        return batch


class _Body(nn.Module):
    """Whitened patches, stages of convolutions and a global maximum: features (n, n_features)."""

    def __init__(self, image_shape: tuple[int, int, int], widths: Sequence[int], depth: int):
        super().__init__()
        height, width, n_channels = image_shape
        stride = max(1, min(height, width) // _MAP_SIDE)
        window = (min(max(2, stride), height), min(max(2, stride), width))
        self.whitening = Whitening(n_channels, window, stride)
        size = [(height - window[0]) // stride + 1, (width - window[1]) // stride + 1]
        channels = [self.whitening.out_channels, *widths]
        stages = []
        for n_in, n_out in pairwise(channels):
            pool = (min(2, size[0]), min(2, size[1]))
            stages.append(_Stage(n_in, n_out, depth, pool))
            size = [side // span for side, span in zip(size, pool, strict=True)]
        self.stages = nn.Sequential(*stages)
        self.n_features = channels[-1]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.stages(functional.gelu(self.whitening(batch)))
        return maps.amax(dim=(2, 3))


class ResNet(ImageNetwork):
    """Whitened patches, stages of convolutions, a global maximum, and one dense layer.

    Based on speed-record networks for CIFAR-10 (Page, "How to Train Your ResNet", 2018; Jordan,
    "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024).

    Parameters
    ----------
    image_shape : tuple (height, width, channels)
    n_outputs : int
    widths : sequence of int
        Number of channels of each stage.
    depth : int
        Number of convolutions of each stage.
    """

    body: _Body

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_outputs: int,
        *,
        widths: Sequence[int] = (32, 128, 128),
        depth: int = 2,
    ) -> None:
        body = _Body(image_shape, widths, depth)
        super().__init__(body, nn.Linear(body.n_features, n_outputs, bias=False))

    @torch.no_grad()
    def learn_whitening(self, batch: torch.Tensor, weights: torch.Tensor | None = None) -> None:
        """Compute the first layer from a batch of pixels (n, c, h, w) and its weights (n,)."""
        if self.standardize is not None:
            batch = self.standardize(batch)
        self.body.whitening.learn(batch, weights)
