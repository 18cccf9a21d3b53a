"""Whitening of patches, a first layer that is computed instead of trained."""

import torch
from torch import nn

# Number of images whose patches are held in memory at once.
_AT_ONCE = 64


class Whitening(nn.Conv2d):
    """Filters that make the values of a patch uncorrelated, with variance 1.

    The filters are the principal components of the patches and their negatives, so an activation
    that drops negative values loses no information (Page, "How to Train Your ResNet 8: Bag of
    Tricks", 2019). The filters are zero until :meth:`learn` is called.

    Parameters
    ----------
    n_channels : int
    window : tuple (height, width)
        Size of a patch, in pixels.
    stride : int
        Distance between patches, in pixels.
    """

    # Added to the variances, so that components of small variance, mostly noise, stay small.
    eps = 5e-4

    def __init__(self, n_channels: int, window: tuple[int, int], stride: int) -> None:
        n_components = n_channels * window[0] * window[1]
        super().__init__(n_channels, 2 * n_components, window, stride, bias=False)
        self.weight.requires_grad = False
        nn.init.zeros_(self.weight)

    @torch.no_grad()
    def learn(self, batch: torch.Tensor, weights: torch.Tensor | None = None) -> None:
        """Compute the filters from a batch (n, c, h, w) and its sample weights (n,)."""
        n = len(batch)
        shares = torch.ones(n).double() if weights is None else weights.double()
        shares = shares / shares.sum()
        mean, square = torch.zeros(()), torch.zeros(())
        for start in range(0, n, _AT_ONCE):
            share = shares[start : start + _AT_ONCE]
            patches = self._patches(batch[start : start + _AT_ONCE])
            weighted = patches * (share / patches.shape[1])[:, None, None]
            mean = mean + weighted.sum(dim=(0, 1))
            square = square + weighted.flatten(0, 1).T @ patches.flatten(0, 1)
        variances, components = torch.linalg.eigh(square - torch.outer(mean, mean))
        # The sign of a component is arbitrary; choose the one that increases along its pixels. The
        # weights are exponential, as components that cancel with linear weights are common.
        growth = torch.linspace(0, 1, len(mean)).double().exp() @ components
        components = torch.where(growth < 0, -components, components)
        filters = (components / (variances.clamp(min=0) + self.eps).sqrt()).T
        # In decreasing order of variance.
        filters = filters.flip(0).view(-1, self.in_channels, *self.kernel_size)
        self.weight.copy_(torch.cat([filters, -filters]))

    def _patches(self, images: torch.Tensor) -> torch.Tensor:
        """Return the patches (n, n_patches, n_values) of images (n, c, h, w)."""
        (height, width), (stride, _) = self.kernel_size, self.stride
        patches = images.double().unfold(2, height, stride).unfold(3, width, stride)
        return patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
