"""Nets for other images, and for other labels, than those they were made for."""

import torch
from torch import nn


def remove_head(net: nn.Module, n_outputs: int) -> int:
    """Put nothing in the place of the last layer of a net, and return how many features it took.

    A dropout right before it goes as well.

    That is the last dense layer of so many outputs; or the last convolution, of a net that takes
    the mean over a map of logits.

    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 3))
    >>> remove_head(net, n_outputs=3), net[3]
    (5, Identity())
    """
    layers = dict(net.named_modules())
    dense = [n for n, m in layers.items() if getattr(m, "out_features", None) == n_outputs]
    convolutions = [n for n, m in layers.items() if getattr(m, "out_channels", None) == n_outputs]
    found = dense or convolutions
    last = next(reversed(found), None)
    if last is None:
        raise ValueError(
            f"The backbone has no dense layer, and no convolution, of {n_outputs} outputs that "
            "could be its last."
        )
    layer = layers[last]
    net.set_submodule(last, nn.Identity())
    # What is dropped before a head is a matter of the new one.
    before = list(layers)[list(layers).index(last) - 1]
    if isinstance(layers[before], nn.Dropout):
        net.set_submodule(before, nn.Identity())
    return layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels


def adapt_first(net: nn.Module, n_channels: int) -> None:
    """Put a new layer in the place of the first convolution, if images have other channels."""
    name, first = next((n, m) for n, m in net.named_modules() if isinstance(m, nn.Conv2d))
    if n_channels == first.in_channels:
        return
    # torch annotates a layer's own sizes more loosely than those it takes.
    adapted = nn.Conv2d(
        n_channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    net.set_submodule(name, adapted)


def repeat_filters(filters: torch.Tensor, n_channels: int) -> torch.Tensor:
    """Return filters (out, channels, height, width) for images of another number of channels.

    Each is the mean over the channels there were, so scaled that an image that is alike in all
    channels gives what it gave.

    >>> repeat_filters(torch.ones(1, 3, 1, 1), 4).flatten()
    tensor([0.7500, 0.7500, 0.7500, 0.7500])
    """
    if filters.shape[1] == n_channels:
        return filters
    mean = filters.mean(dim=1, keepdim=True) * (filters.shape[1] / n_channels)
    return mean.expand(-1, n_channels, -1, -1).contiguous()


def count_channels(net: nn.Module) -> int:
    """Return how many channels the first convolution of a net takes."""
    return next(m.in_channels for m in net.modules() if isinstance(m, nn.Conv2d))
