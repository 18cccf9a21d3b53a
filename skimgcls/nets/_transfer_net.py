"""A new last layer on a net that was trained before."""

from typing import Self

import torch
from torch import nn

from skimgcls.nets._feature_extractor import FeatureExtractor


class TransferNet(nn.Module):
    """A dense layer on features: logits (n, n_outputs) of a batch (n, channels, height, width).

    Parameters
    ----------
    body : FeatureExtractor
    n_outputs : int
    dropout : float
        Share of the features set to zero in training.
    n_stages : int or None
        How many stages of the body are trained, from its end; None trains all of it. What is not
        trained is also evaluated as in predictions: its batch statistics stand, and nothing in it
        is dropped.
    """

    def __init__(
        self,
        body: FeatureExtractor,
        n_outputs: int,
        *,
        dropout: float = 0.0,
        n_stages: int | None = None,
    ) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(body.n_features, n_outputs)
        )
        self.n_stages = n_stages
        self._trained: list[nn.Module] = []
        self.freeze(n_stages)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits (n, n_outputs)."""
        logits: torch.Tensor = self.head(self.body(batch))
        return logits

    def freeze(self, n_stages: int | None) -> None:
        """Train so many stages of the body from its end, None is all of it, and the head."""
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
        """Set training or evaluation; what is frozen stays in evaluation."""
        super().train(mode)
        self.body.eval()
        for part in self._trained:
            part.train(mode)
        return self
