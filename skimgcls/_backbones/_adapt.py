"""Adapt networks to other input channels and other labels."""

import torch
from torch import nn


def remove_head(net: nn.Module, n_outputs: int) -> int:
    """Replace the last layer of a network by the identity and return its number of inputs.

    A dropout layer directly before it is replaced as well.

    The last layer is the last dense layer with `n_outputs` outputs; or the last such convolution,
    in a network that averages a map of logits.

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
            f"The backbone has no dense layer, and no convolution, of {n_outputs} outputs. "
            "Expected one as its last layer."
        )
    layer = layers[last]
    net.set_submodule(last, nn.Identity())
    # The new head has its own dropout.
    before = list(layers)[list(layers).index(last) - 1]
    if isinstance(layers[before], nn.Dropout):
        net.set_submodule(before, nn.Identity())
    return layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels


def adapt_first(net: nn.Module, n_channels: int) -> None:
    """Replace the first convolution if its number of input channels differs from `n_channels`."""
    name, first = next((n, m) for n, m in net.named_modules() if isinstance(m, nn.Conv2d))
    if n_channels == first.in_channels:
        return
    # The type annotations of a layer's sizes are looser in torch than those of its arguments.
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
    """Return filters (out, channels, height, width) for another number of input channels.

    Each filter is the mean over the original channels, scaled so that an image whose channels are
    equal gives the same output as before.

    >>> repeat_filters(torch.ones(1, 3, 1, 1), 4).flatten()
    tensor([0.7500, 0.7500, 0.7500, 0.7500])
    """
    if filters.shape[1] == n_channels:
        return filters
    mean = filters.mean(dim=1, keepdim=True) * (filters.shape[1] / n_channels)
    return mean.expand(-1, n_channels, -1, -1).contiguous()


def count_channels(net: nn.Module) -> int:
    """Return the number of input channels of the first convolution."""
    return next(m.in_channels for m in net.modules() if isinstance(m, nn.Conv2d))
