"""A pretrained network with a new last layer."""

from typing import Self

from torch import nn

from skimgcls.nets._feature_extractor import FeatureExtractor
from skimgcls.nets._image_network import ImageNetwork
from skimgcls.nets._power_norm import PowerNorm


class TransferNet(ImageNetwork):
    """A dense layer on features; maps batches (n, channels, height, width) to (n, n_outputs).

    Parameters
    ----------
    body : FeatureExtractor
    n_outputs : int
    dropout : float
        Fraction of the features set to zero in training.
    n_stages : int or None
        Number of stages of the body to train, counted from its end; None trains all of it. Frozen
        stages run in evaluation mode: their running statistics are fixed and their dropout is off.
    normalize : bool
        Whether to normalize the features before the dense layer, with PowerNorm.
    """

    body: FeatureExtractor

    def __init__(
        self,
        body: FeatureExtractor,
        n_outputs: int,
        *,
        dropout: float = 0.0,
        n_stages: int | None = None,
        normalize: bool = False,
    ) -> None:
        head = nn.Sequential(
            PowerNorm(body.group_sizes) if normalize else nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(body.n_features, n_outputs),
        )
        super().__init__(body, head)
        self.n_stages = n_stages
        self._trained: list[nn.Module] = []
        self._has_fixed_statistics = False
        self.freeze(n_stages)

    def freeze(self, n_stages: int | None, *, fixed_statistics: bool = False) -> None:
        """Train the head and the last `n_stages` stages of the body; None trains all of it.

        With `fixed_statistics`, batch normalization uses its running statistics in training.
        """
        self._has_fixed_statistics = fixed_statistics
        stages = self.body.stages()
        trained: list[nn.Module] = [self.body] if n_stages is None else []
        for stage in stages[len(stages) - min(n_stages or 0, len(stages)) :]:
            trained += stage
        self.body.requires_grad_(False)
        for part in trained:
            part.requires_grad_(True)
        self._trained = trained
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode; frozen stages stay in evaluation mode."""
        super().train(mode)
        self.body.eval()
        for part in self._trained:
            part.train(mode)
        if self._has_fixed_statistics:
            for part in self.body.modules():
                if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
                    part.eval()
        return self
