"""The loss that logits are trained on."""

import torch
from torch import nn
from torch.nn import functional


class WeightedLoss(nn.Module):
    """Mean of the weighted cross-entropies of a batch.

    The mean divides by the number of rows, not by their weights: with weights of mean one over the
    training set every row then counts the same in whichever batch it lands.

    Parameters
    ----------
    multilabel : bool
        Binary cross-entropy of each output, averaged over them, in place of the softmax's.
    positive_weight : tensor of shape (n_outputs,), default=None
        Weight of the ones against the zeros of each output, with `multilabel`.
    label_smoothing : float
        Share of each target that is spread over all classes (Szegedy et al., "Rethinking the
        Inception Architecture", 2016); with `multilabel`, over yes and no.
    """

    positive_weight: torch.Tensor | None

    def __init__(
        self,
        *,
        multilabel: bool = False,
        positive_weight: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.multilabel = multilabel
        self.label_smoothing = label_smoothing
        self.register_buffer("positive_weight", positive_weight)

    def forward(
        self, logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the loss of logits (n, k) against targets (n,) int64 or (n, k) float."""
        reduction = "mean" if weights is None else "none"
        if self.multilabel:
            targets = targets.to(logits.dtype)
            losses = functional.binary_cross_entropy_with_logits(
                logits,
                torch.lerp(targets, torch.full_like(targets, 0.5), self.label_smoothing),
                pos_weight=self.positive_weight,
                reduction=reduction,
            )
        else:
            losses = functional.cross_entropy(
                logits, targets, reduction=reduction, label_smoothing=self.label_smoothing
            )
        if weights is None:
            return losses
        return (losses.mean(dim=1) if self.multilabel else losses).mul(weights).mean()
