"""A network without its last layer, as feature extractor."""

from collections.abc import Sequence

import torch
from torch import nn

# Layers that belong to the layer before them.
_NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)
# Names of containers that hold many stages.
_ROWS = {"features", "layers", "blocks", "trunk_output", "encoder", "stages", "body", "net"}


class FeatureExtractor(nn.Module):
    """Extract features (n, n_features) from a batch (n, channels, height, width).

    Parameters
    ----------
    net : Module
        Returns features (n, n_features), or maps (n, n_features, height, width), which are averaged
        over height and width.
    n_features : int
    repeats : int
        Number of times a batch is repeated along its channels, for grayscale images and a network
        for color images.
    mean, std : sequence of float or None
        Mean and standard deviation of each channel of the images that the network was trained on,
        for pixels between 0 and 1. None does not change a batch.
    """

    mean: torch.Tensor | None
    std: torch.Tensor | None

    def __init__(
        self,
        net: nn.Module,
        n_features: int,
        *,
        repeats: int = 1,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.net = net
        self.n_features = n_features
        # Features of one layer have one scale.
        self.group_sizes: tuple[int, ...] = getattr(net, "group_sizes", (n_features,))
        self.repeats = repeats
        for name, values in {"mean": mean, "std": std}.items():
            column = None if values is None else torch.tensor(values)[:, None, None]
            # Known from the name of the backbone, so they are not part of the state.
            self.register_buffer(name, column, persistent=False)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return features (n, n_features)."""
        if self.repeats > 1:
            batch = batch.expand(-1, self.repeats, -1, -1)
        if self.mean is not None and self.std is not None:
            batch = (batch - self.mean) / self.std
        features: torch.Tensor = self.net(batch)
        if features.ndim == 4:
            features = features.mean(dim=(2, 3))
        return features

    def stages(self) -> list[list[nn.Module]]:
        """Return the stages that have weights, in order from the input.

        A stage is a child of the network, or of a container in it, with the normalization that
        follows it.
        """
        found: list[list[nn.Module]] = []
        for part in _find_stages(self.net):
            if not any(True for _ in part.parameters()):
                continue
            if found and isinstance(part, _NORMS):
                found[-1].append(part)
            else:
                found.append([part])
        return found


def _find_stages(net: nn.Module) -> list[nn.Module]:
    parts: list[nn.Module] = []
    for name, child in net.named_children():
        parts += _find_stages(child) if name in _ROWS else [child]
    return parts
